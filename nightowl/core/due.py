"""Which notices are due now: from what is known of incidents, their channels, and what holds notices back.

All that opens waits until it may: *firing* for the channels of its routes and, later, of escalations; *raised*;
reminders. What was told once is followed through: *resolved* always, *resend* to channels that want it. The answer
follows from facts alone, so it is the same whoever asks, and asking again gives the same keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import floor
from typing import Literal

import msgspec
from msgspec.structs import replace

from nightowl.core.routing import RESEND, Address, addresses, announces, escalations, is_resend
from nightowl.core.suppression import Around, in_words, same, suppression
from nightowl.core.telling import Telling
from nightowl.core.values import Change, Incident, Notice, Severity, Suppression

LOOK = 60.0
"""Seconds after which every open incident is looked at again, whatever happens."""

SOON = 5.0
"""Seconds after which one is looked at again that may be told any moment."""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that a channel has, or waits for, or that was given up; ``at`` is when it was written.

    ``raised`` is when the incident had got worse by then.
    """

    step: str
    channel: str
    at: float
    status: Literal["waiting", "sent", "dead"] = "sent"
    raised: float | None = None


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """An open incident, what was heard of it, and the earlier incidents of its subject."""

    incident: Incident
    heard: Sequence[Heard] = ()
    past: Sequence[Incident] = ()


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What is due of an incident, which is from now on as it stands here. ``look_at``: when to ask again.

    ``opening``: there is a channel that has not heard of it, and will unless it ends before.
    """

    incident: Incident
    changes: tuple[Change, ...]
    notices: tuple[Notice, ...]
    look_at: float
    opening: bool = False

    @property
    def idle(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.changes or self.notices)


def decide(cases: Sequence[Case], around: Around, telling: Telling, now: float) -> list[Decision]:
    """Return what is due of each open incident.

    Those that wait together must be asked for together: the first of a group says until when the others wait.
    """
    desks = [_Desk(case, around, telling, now) for case in cases]
    first: dict[tuple[str, str], float] = {}
    for desk in desks:
        for address in desk.waiting():
            key = (address.channel, address.group)
            first[key] = min(first.get(key, now), desk.noticed)
    return [desk.decide(first) for desk in desks]


def endings(incident: Incident, heard: Sequence[Heard], telling: Telling, text: str, now: float) -> list[Notice]:
    """Return the *resolved* notices of an incident that is over: to each channel that heard of it, and no other."""
    groups = {address.channel: address.group for address in addresses(incident, telling.routes)}
    told = dict.fromkeys(each.channel for each in heard if announces(each.step) and each.status != "dead")
    return [_notice(incident, "resolved", channel, groups.get(channel, ""), telling, now, text) for channel in told]


class _Desk:
    """One incident, being decided."""

    def __init__(self, case: Case, around: Around, telling: Telling, now: float) -> None:
        self._now = now
        self._telling = telling
        self._case = case
        self._before = case.incident
        self._expired = _has_expired(case.incident, now)
        self.incident = _unacknowledged(case.incident) if self._expired else case.incident
        self.noticed = self.incident.noticed or self.incident.opened
        self._told = {each.channel for each in case.heard if announces(each.step)}
        self._addresses = addresses(self.incident, telling.routes)
        self._escalations = escalations(self.incident, telling.routes)
        self._held = suppression(self.incident, case.past, around, telling, now)
        self._look_at = now + LOOK

    def waiting(self) -> Iterator[Address]:
        """Where it would go, were its wait over."""
        if self._held is None:
            yield from (address for address in self._addresses if address.channel not in self._told and address.group)

    def decide(self, first: Mapping[tuple[str, str], float]) -> Decision:
        notices = list(self._resends())
        opening = any(address.channel not in self._told for address in self._addresses)
        if self._held is None:
            notices += [*self._openings(first), *self._raised(), *self._escalated(), *self._reminders()]
        else:
            self._look(self._held.until or self._now + (SOON if opening else LOOK))
        incident = replace(self.incident, suppressed=self._held) if self._moved() else self.incident
        if incident.acknowledged_until is not None:
            self._look(incident.acknowledged_until)
        return Decision(
            incident=incident,
            changes=tuple(self._changes(incident)),
            notices=tuple(replace(each, incident=incident) for each in notices if not self._is_known(each)),
            look_at=self._look_at,
            opening=opening and self._held is None,
        )

    def _is_known(self, notice: Notice) -> bool:
        return any((each.step, each.channel) == (notice.step, notice.channel) for each in self._case.heard)

    def _look(self, at: float) -> None:
        self._look_at = min(self._look_at, max(at, self._now))

    def _moved(self) -> bool:
        return not same(self.incident.suppressed, self._held)

    def _changes(self, incident: Incident) -> Iterator[Change]:
        if self._expired:
            by = self._before.acknowledged_by
            text = f"the acknowledgement{f' by {by}' if by else ''} has expired"
            # the incident of the last change is the one that is stored
            yield Change(event="expired", incident=incident, at=self._before.acknowledged_until or self._now, text=text)
        if self._moved():
            yield _suppressed(incident, self.incident.suppressed, self._now)

    # -- what opens ------------------------------------------------------------------------------------------------

    def _openings(self, first: Mapping[tuple[str, str], float]) -> Iterator[Notice]:
        for address in self._addresses:
            if address.channel not in self._told:
                ready = self._ready(address, first)
                if ready <= self._now:
                    yield self._write("firing", address, self.incident.summary)
                else:
                    self._look(ready)

    def _ready(self, address: Address, first: Mapping[tuple[str, str], float]) -> float:
        """When a channel is to hear: what is critical or has got worse waits for no others, but for its parents."""
        settled = self.noticed + max((each.settles for each in self._telling.parents_of(self.incident)), default=0.0)
        if self.incident.severity is Severity.CRITICAL or self.incident.raised is not None:
            return settled
        begun = min(first.get((address.channel, address.group), self.noticed), self.noticed)
        return max(settled, begun + address.wait)

    def _raised(self) -> Iterator[Notice]:
        if self.incident.raised is None:
            return
        known = {each.channel for each in self._case.heard if announces(each.step) and each.raised is not None}
        for address in self._all():
            if address.channel in self._told - known:
                yield self._write("raised", address, self.incident.summary)

    def _escalated(self) -> Iterator[Notice]:
        """Further channels, once the incident was told and nobody has taken it for a while."""
        told_at = min((each.at for each in self._case.heard if announces(each.step)), default=None)
        if told_at is None or self.incident.acknowledged is not None:
            return
        begun = max(told_at, self.incident.expired or 0.0)
        routed = {address.channel for address in self._addresses}
        for after, address in self._escalations:
            if address.channel in self._told | routed:
                continue
            if begun + after > self._now:
                self._look(begun + after)
                continue
            routed.add(address.channel)
            yield self._write("firing", address, self.incident.summary)

    def _reminders(self) -> Iterator[Notice]:
        """A channel is reminded a while after its newest notice, unless it still waits for one."""
        if self.incident.acknowledged is not None:
            return
        for address in self._all():
            newest = self._newest(address.channel, resends=False)
            if newest is None or not address.repeat:
                continue
            if newest + address.repeat > self._now:
                self._look(newest + address.repeat)
                continue
            number = max(1, floor((self._now - self.incident.opened) / address.repeat))
            yield self._write(f"repeat-{number}", address, "")

    def _all(self) -> Iterable[Address]:
        escalated = [address for _, address in self._escalations]
        return {each.channel: each for each in (*escalated, *self._addresses)}.values()

    # -- what follows ----------------------------------------------------------------------------------------------

    def _resends(self) -> Iterator[Notice]:
        for channel, every in self._telling.resend.items():
            newest = self._newest(channel, resends=True)
            if newest is None:
                continue
            if newest + every > self._now:
                self._look(newest + every)
                continue
            self._look(self._now + every)
            number = max(1, floor((self._now - self.incident.opened) / every))
            yield self._write(f"{RESEND}{number}", Address(channel=channel), self.incident.summary)

    def _newest(self, channel: str, *, resends: bool) -> float | None:
        """When the newest notice to a channel was written; None where it has not got the first, or waits for one."""
        mine = [each for each in self._case.heard if each.channel == channel]
        if any(each.status == "waiting" for each in mine):
            return None
        if not any(announces(each.step) and each.status == "sent" for each in mine):
            return None
        return max(each.at for each in mine if resends or not is_resend(each.step))

    def _write(self, step: str, address: Address, text: str) -> Notice:
        return _notice(self.incident, step, address.channel, address.group, self._telling, self._now, text)


def _has_expired(incident: Incident, now: float) -> bool:
    until = incident.acknowledged_until
    return incident.acknowledged is not None and until is not None and until <= now


def _unacknowledged(incident: Incident) -> Incident:
    return replace(
        incident, acknowledged=None, acknowledged_by="", acknowledged_until=None, expired=incident.acknowledged_until
    )


def _suppressed(incident: Incident, before: Suppression | None, now: float) -> Change:
    if incident.suppressed is None:
        assert before is not None
        return Change(event="released", incident=incident, at=now, text=f"no longer {in_words(before)}")
    return Change(event="suppressed", incident=incident, at=now, text=in_words(incident.suppressed))


def _notice(incident: Incident, step: str, channel: str, group: str, telling: Telling, now: float, text: str) -> Notice:
    base = telling.public_url.rstrip("/")
    url = f"{base}/incidents/{incident.id}" if base else ""
    return Notice(incident=incident, step=step, channel=channel, created=now, text=text, url=url, group=group)
