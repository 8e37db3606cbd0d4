"""Heartbeats: take up the calls of jobs, and end the periods whose deadlines have passed.

Processes that serve the web store calls; the leader takes them up, in a transaction with the verdicts, incidents and
notices that follow from them. Once a second it notes that it watches. A span without such a note is time in which
NightOwl was away, and moves every deadline that lay ahead.

Checks of kind ``task`` are judged in the same way, from what the watcher of their cluster stored. Their deadlines do
not move, as nobody calls a second time: they wait until the watcher has heard what came before them, and where it did
not hear everything, what was missed is unknown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from nightowl.core import heartbeat
from nightowl.core.runs import Span, in_order
from nightowl.core.telling import Telling
from nightowl.core.values import Check, CheckState, Ping, Pulse, Verdict
from nightowl.flows.checkbook import CheckBook
from nightowl.flows.close import Closing, judge, write
from nightowl.flows.hearing import Ears, deafness
from nightowl.ports import Lease, Store, Unit

WATCH = 1.0
"""Seconds between two notes that somebody watches."""

AWAY = 3.0
"""Seconds without a note after which nobody watched."""

SETTLE = 0.5
"""Seconds that a deadline waits for a call which came before it and is still being stored."""

BATCH = 500
"""Calls taken up in one transaction at most."""


class Turn(msgspec.Struct):
    """What one turn decides; nothing of it is written yet. ``pulses`` are those that changed."""

    closing: Closing
    pulses: dict[str, Pulse]


class Heartbeats:
    """The pulses of one term of leading. All moments are the director's time, in Unix seconds."""

    def __init__(self, store: Store, lease: Lease, book: CheckBook, ears: Ears) -> None:
        self._store = store
        self._lease = lease
        self._book = book
        self._ears = ears
        self._pulses: dict[str, Pulse] = {}
        self._watched = 0.0
        self._next = 0.0

    def take_over(self, unit: Unit, now: float) -> None:
        """Read where everything stands, and until when somebody watched."""
        self._pulses = {pulse.check: pulse for pulse in unit.heartbeats.pulses()}
        watched = unit.heartbeats.watched_until()
        self._watched = now if watched is None else min(watched, now)
        self._next = now

    def wake(self) -> None:
        """A call came, or a definition changed."""
        self._next = 0.0

    def step(self, states: Mapping[str, CheckState], telling: Telling, now: float) -> Closing:
        """Do what is due at ``now``, in one transaction; return what it decided. ``states`` are those of all checks."""
        if now < self._next:
            return Closing()
        if not self._pulses and not any(True for _ in self._beating()):
            self._watched, self._next = now, now + WATCH
            return Closing()
        with self._store.transaction(self._lease) as unit:
            pings = unit.heartbeats.untaken(BATCH)
            turn = self._decide(pings, states, now)
            write(unit, turn.closing, telling, now)
            unit.heartbeats.take(pings)
            unit.heartbeats.save(list(turn.pulses.values()))
            unit.heartbeats.watch(now)
        self._pulses.update(turn.pulses)
        self._watched = now
        self._next = 0.0 if len(pings) == BATCH else self._soonest(now)
        return turn.closing

    def _decide(self, pings: Sequence[Ping], states: Mapping[str, CheckState], now: float) -> Turn:
        away = (self._watched, now) if now - self._watched > AWAY else (now, now)
        waiting = _by_check(heartbeat.heard(ping, now) for ping in pings)
        turn = Turn(Closing(), {})
        for name, before in self._followed(now):
            if before.plan.task:
                pulse, verdicts = self._follow_task(before, waiting.get(name, ()), now, all_read=len(pings) < BATCH)
            else:
                pulse, verdicts = _follow_job(before, waiting.get(name, ()), away, now)
            for each in verdicts:
                _judge(turn.closing, self._book.checks[name], each, states)
            if pulse != self._pulses.get(name):
                turn.pulses[name] = pulse
        return turn

    def _follow_task(
        self, pulse: Pulse, pings: Sequence[Ping], now: float, *, all_read: bool
    ) -> tuple[Pulse, list[Verdict]]:
        pings = in_order(pings)
        verdicts: list[Verdict] = []
        due = heartbeat.due(pulse)
        deaf: Sequence[Span] = ()
        until = now - SETTLE
        if due is not None and due <= max([until, *(ping.at for ping in pings)]):
            hearing = self._ears(pulse.plan.cluster, heartbeat.waited_since(pulse))
            deaf, until = deafness(hearing, due, until, now)
        for ping in pings:
            pulse, late = heartbeat.missed(pulse, min(ping.at, until), now, deaf)
            pulse, verdict = heartbeat.take(pulse, ping, now)
            verdicts += late if verdict is None else [*late, verdict]
        pulse, late = heartbeat.missed(pulse, until, now, deaf) if all_read else (pulse, [])
        return pulse, [*verdicts, *late]

    def _followed(self, now: float) -> Iterator[tuple[str, Pulse]]:
        """Yield the pulses of all heartbeats, in line with their definitions.

        Those of checks that cannot run, or are of another kind now, rest; those of checks that are gone are forgotten.
        """
        beating = {check.name: check for check in self._beating()}
        for name, pulse in list(self._pulses.items()):
            if name in self._book.broken or (name in self._book.checks and name not in beating):
                yield name, heartbeat.rest(pulse)
            elif name not in beating:
                del self._pulses[name]
        for name, check in beating.items():
            assert check.heartbeat is not None
            yield name, heartbeat.follow(self._pulses.get(name), check, check.heartbeat, now)

    def _beating(self) -> Iterator[Check]:
        return (check for check in self._book.checks.values() if check.heartbeat is not None)

    def _soonest(self, now: float) -> float:
        """When to look again unless woken: at the next deadline, or to note that somebody watches."""
        waited = [(heartbeat.due(pulse), pulse.plan.task) for pulse in self._pulses.values()]
        again = now + WATCH / 4  # where the watcher has to be waited for
        looks = [max(due + SETTLE, again if task else due) for due, task in waited if due is not None]
        return min([now + WATCH, *looks])


def _follow_job(pulse: Pulse, pings: Sequence[Ping], away: Span, now: float) -> tuple[Pulse, list[Verdict]]:
    """Take up the calls of one job, then what was missed; ``away`` is when nobody watched."""
    pulse = heartbeat.extended(pulse, *away)
    verdicts: list[Verdict] = []
    for ping in pings:
        pulse, late = heartbeat.missed(pulse, ping.at, now)
        pulse, verdict = heartbeat.take(pulse, ping, now)
        pulse = heartbeat.extended(pulse, max(ping.at, away[0]), away[1])
        verdicts += late if verdict is None else [*late, verdict]
    pulse, late = heartbeat.missed(pulse, now - SETTLE, now)
    return pulse, [*verdicts, *late]


def _by_check(pings: Iterable[Ping]) -> dict[str, list[Ping]]:
    """Sort calls by check, each check's by moment."""
    found: defaultdict[str, list[Ping]] = defaultdict(list)
    for ping in sorted(pings, key=lambda ping: (ping.at, ping.id)):
        found[ping.check].append(ping)
    return found


def _judge(closing: Closing, check: Check, verdict: Verdict, states: Mapping[str, CheckState]) -> None:
    """Judge a verdict; one that was late in coming is due right after the last, as a check's rounds are in order."""
    state = closing.states.get(check.name) or states.get(check.name)
    after = state.last.due + 0.001 if state and state.last else 0.0
    judge(closing, check, replace(verdict, due=round(max(verdict.due, after), 3)), states)
