"""Notify: take notices out of the outbox, send them, write down what became of them.

At least once: a row is claimed for a while, sent, then marked. Whoever dies in between leaves a claim that ends, and
the row is sent again under the same key. A channel that gives up on a notice is a fault of NightOwl's own: it opens
an incident, which the other channels hear of, and which ends when the channel takes a notice again.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from hashlib import blake2b
from itertools import groupby
from pathlib import PurePath
from typing import Protocol

import msgspec
from msgspec.structs import replace

from nightowl.core import routing
from nightowl.core.errors import DeliveryFailed, NotFound, Refused, Unavailable
from nightowl.core.incident import incident_id
from nightowl.core.sentences import moment
from nightowl.core.telling import Telling
from nightowl.core.values import AuditEntry, Author, Change, Entry, Incident, Notice, Severity
from nightowl.flows.rhythm import Rhythm
from nightowl.flows.tell import tell
from nightowl.ports import Channel, Claimed, Clock, Store, Unit

log = logging.getLogger(__name__)

TERM = 60.0
"""Seconds that a claim lasts."""

LAST_START = 30.0
"""Seconds into a claim after which no further send of it is begun, so that a send ends before the claim does."""

BATCH = 50
"""Rows claimed at once."""

FIRST_WAIT = 5.0
"""Seconds until the second try; doubled from then on."""

LONGEST_WAIT = 900.0
"""Seconds between two tries at most, unless the receiver asks for more."""

GIVE_UP = 86400.0
"""Seconds after which a notice is dead-lettered."""

UNKNOWN_GRACE = 600.0
"""Seconds that a notice to an unknown channel waits: another notifier may have read the new configuration already."""

REMOVED_AFTER = 3600.0
"""Seconds after which the incident about a channel ends when the configuration no longer has the channel."""

_REMOVED = "the channel was removed from the configuration"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What the configuration says to a notifier; a reload replaces it whole."""

    channels: Mapping[str, Channel]
    telling: Telling


class Lanes(Protocol):
    """Where the sends of each channel run, one after another, so that a slow channel holds up itself only."""

    def busy(self) -> Collection[str]:
        """The channels whose work has not ended."""

    def run(self, channel: str, work: Callable[[], None]) -> None:
        """Do ``work`` in the lane of a channel that is not busy."""


class InTurn:
    """The simplest lanes: all work is done at once, by the caller."""

    def busy(self) -> Collection[str]:
        """None: work has ended by the time it could be asked for."""
        return ()

    def run(self, channel: str, work: Callable[[], None]) -> None:  # noqa: ARG002  # it keeps the channels in one lane
        """Do it now."""
        work()


class Notifier:
    """Sends what is due. ``holder`` names the process in its claims; any number of notifiers may run."""

    def __init__(
        self, store: Store, clock: Clock, plan: Callable[[], Plan], *, holder: str, lanes: Lanes | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._plan = plan
        self._holder = holder
        self._lanes = lanes or InTurn()
        self._rhythm = Rhythm(clock)

    def step(self) -> int:
        """Claim what is due and hand it to the lanes; return how many rows that were. Raises ``Unavailable``."""
        plan = self._plan()
        if self._rhythm.due("removed", 60.0):
            self._end_removed(plan)
        last_start = self._clock.monotonic() + LAST_START
        with self._store.transaction() as unit:
            rows = unit.outbox.claim(self._clock.now(), self._holder, TERM, BATCH, self._lanes.busy())
        by_channel = sorted(rows, key=_channel)
        for channel, group in groupby(by_channel, key=_channel):
            self._lanes.run(channel, partial(self._serve, plan, tuple(group), last_start))
        return len(rows)

    def _serve(self, plan: Plan, rows: Sequence[Claimed], last_start: float) -> None:
        """Send rows of one channel in turn; what cannot be begun by ``last_start`` is left to the next claim."""
        try:
            for together in messages(rows, plan.channels.get(_channel(rows[0]))):
                if self._clock.monotonic() >= last_start:
                    break
                self._deliver(plan, together)
        except Unavailable as error:
            log.warning("what became of a notice could not be stored, so it will be sent again: %s", error)

    def _deliver(self, plan: Plan, rows: Sequence[Claimed]) -> None:
        notice = rows[0].notice
        if len(rows) > 1:
            notice = replace(notice, others=tuple(row.notice.incident for row in rows[1:]))
        try:
            remark = self._send(plan, notice)
        except DeliveryFailed as failure:
            self._failed(plan, rows, failure)
        except Exception as error:  # noqa: BLE001  # a channel may be anybody's plugin; it must not stop the others
            log.warning("channel %s: unexpected %s at %s", notice.channel, type(error).__name__, _place(error))
            self._failed(plan, rows, DeliveryFailed(f"unexpected {type(error).__name__} in the channel"))
        else:
            self._sent(plan, rows, remark)

    def _send(self, plan: Plan, notice: Notice) -> str:
        channel = plan.channels.get(notice.channel)
        if channel is None:
            late = self._clock.now() - notice.created >= UNKNOWN_GRACE
            raise DeliveryFailed(f"no channel of the configuration is called {notice.channel}", permanent=late)
        return channel.send(notice) or ""

    def _sent(self, plan: Plan, rows: Sequence[Claimed], remark: str) -> None:
        now, name = self._clock.now(), _channel(rows[0])
        if remark:
            log.warning("notice %s: sent; %s", rows[0].notice.key, remark)
        with self._store.transaction() as unit:
            for row in rows:
                unit.outbox.sent(row.id, now)
                if not routing.is_resend(row.notice.step):
                    _note(unit, row.notice, now, "sent", f"sent; {remark}" if remark else "sent")
            over = [_resolved(each, now, f"channel {name} takes notices again") for each in _own(unit, name)]
            tell(unit, over, plan.telling, now)

    def _failed(self, plan: Plan, rows: Sequence[Claimed], failure: DeliveryFailed) -> None:
        """Try all of a message again at one moment, so that it stays one, or give up on it."""
        now, first = self._clock.now(), rows[0]
        wait = pause(first.notice.key, first.tries, failure.retry_after)
        if failure.permanent or now + wait > first.notice.created + GIVE_UP:
            self._bury(plan, rows, str(failure), now)
            return
        log.warning("notice %s: %s; trying again in %.0f s", first.notice.key, failure, wait)
        with self._store.transaction() as unit:
            for row in rows:
                unit.outbox.retry(row.id, now + wait, str(failure))
                if not routing.is_resend(row.notice.step):
                    _note(unit, row.notice, now, "retry", f"{failure}; trying again in {wait:.0f} s")

    def _bury(self, plan: Plan, rows: Sequence[Claimed], error: str, now: float) -> None:
        log.error("notice %s: given up: %s", rows[0].notice.key, error)
        with self._store.transaction() as unit:
            for row in rows:
                unit.outbox.dead(row.id, now, error)
                _note(unit, row.notice, now, "dead", f"given up: {error}")
            if not _own(unit, _channel(rows[0])):
                tell(unit, [_opened(_channel(rows[0]), error, now)], plan.telling, now)

    def _end_removed(self, plan: Plan) -> None:
        """End the incidents about channels that the configuration no longer has: nothing will be sent to them."""
        now = self._clock.now()
        known = {routing.channel_subject(name) for name in plan.channels}
        with self._store.read() as unit:
            removed = [
                each
                for each in unit.incidents.open()
                if each.kind == "own" and routing.is_channel_subject(each.subject) and each.subject not in known
            ]
        over = [_resolved(each, now, _REMOVED) for each in removed if now - each.opened >= REMOVED_AFTER]
        if over:
            with self._store.transaction() as unit:
                tell(unit, over, plan.telling, now)


def messages(rows: Sequence[Claimed], channel: Channel | None) -> list[list[Claimed]]:
    """Put rows of one channel together that it may be told in one message: of one group, step and moment."""
    found: dict[object, list[Claimed]] = {}
    for row in rows:
        notice = row.notice
        shares = notice.group and getattr(channel, "groups", False)
        found.setdefault((notice.group, notice.step, notice.created) if shares else row.id, []).append(row)
    return list(found.values())


def pause(key: str, tries: int, retry_after: float | None = None) -> float:
    """Return the seconds to wait after ``tries`` earlier sends and one more have failed, at least ``retry_after``.

    The wait doubles up to its limit and is spread by a tenth either way, always alike for the same key and count.
    """
    spread = int.from_bytes(blake2b(f"{key}\n{tries}".encode(), digest_size=4).digest()) / 2**32
    doubled = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(tries, 16))
    return max(doubled * (0.9 + 0.2 * spread), retry_after or 0.0)


def acknowledge(store: Store, incident: str, author: Author, now: float, lasts: float | None = None) -> Incident:
    """Note that somebody looks after an incident, for so many seconds or (None) to its end.

    That stops reminders and escalation. The first to say so stays, unless somebody says for how long.

    Raises ``NotFound`` for an unknown id and ``Refused`` where the incident is over.
    """
    with store.transaction() as unit:
        found = unit.incidents.get(incident)
        if found is None:
            raise NotFound(f"no incident has the id {incident}")
        if not found.open:
            raise Refused(f"incident {incident} ({found.subject}) is over; only an open one can be acknowledged")
        until = None if lasts is None else now + lasts
        if found.acknowledged is not None and found.acknowledged_until == until:
            return found
        by = author.name
        taken = replace(found, acknowledged=now, acknowledged_by=by, acknowledged_until=until)
        text = f"acknowledged{f' by {by}' if by else ''}{f' until {moment(until)}' if until else ''}"
        unit.incidents.apply([Change(event="acknowledged", incident=taken, at=now, text=text, by=by)])
        unit.audit.add(
            AuditEntry(
                at=now,
                author=author,
                what="incident.acknowledge",
                subject=incident,
                detail=f"{found.subject}{f' until {moment(until)}' if until else ''}",
            )
        )
        return taken


def _own(unit: Unit, channel: str) -> list[Incident]:
    found, _ = unit.incidents.page(open_only=True, subject=routing.channel_subject(channel), offset=0, limit=10)
    return [incident for incident in found if incident.kind == "own"]


def _opened(channel: str, error: str, now: float) -> Change:
    subject = routing.channel_subject(channel)
    incident = Incident(
        id=incident_id("own", subject, now),
        kind="own",
        subject=subject,
        severity=Severity.CRITICAL,
        summary=f"notices to the channel {channel} are lost: {error}",
        opened=now,
    )
    return Change(event="opened", incident=incident, at=now, text=incident.summary)


def _resolved(incident: Incident, now: float, text: str) -> Change:
    return Change(event="resolved", incident=replace(incident, resolved=now), at=now, text=text)


def _note(unit: Unit, notice: Notice, now: float, event: str, result: str) -> None:
    text = f"{notice.step} to {notice.channel}: {result}"
    unit.incidents.note(Entry(incident=notice.incident.id, at=now, event=event, text=text))


def _channel(row: Claimed) -> str:
    return row.notice.channel


def _place(error: Exception) -> str:
    """Where an exception was raised. Its message is left out: it may quote a secret."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{PurePath(frame.filename).name}:{frame.lineno}"
