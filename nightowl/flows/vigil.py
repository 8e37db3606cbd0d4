"""Vigil: watch over what is open, and write the notices that come due by themselves.

A wait ends, a silence, a maintenance window, an acknowledgement; a parent comes back; a reminder or an escalation is
due. The leader keeps when to look at each open incident again, and looks sooner where the change feed tells of it. What
is due follows from the store, so a leader that dies leaves nothing but a later look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nightowl.core.due import Decision, decide
from nightowl.core.telling import Name, Telling, name_of
from nightowl.core.values import Incident
from nightowl.flows.tell import around_now, case_of, heard_of
from nightowl.ports import FeedItem, Lease, Store, Unit


class Vigil:
    """The open incidents of one term of leading. All moments are Unix seconds."""

    def __init__(self, store: Store, lease: Lease) -> None:
        self._store = store
        self._lease = lease
        self._telling = Telling()
        self._parents: set[Name] = set()
        self._looks: dict[str, float] = {}
        self._opening: set[str] = set()
        self._dependents: set[str] = set()

    def take_over(self, unit: Unit) -> None:
        """Begin with all that is open."""
        self._looks = {incident.id: 0.0 for incident in unit.incidents.open()}

    def follow(self, items: Iterable[FeedItem]) -> None:
        """Look at once at what the change feed tells of."""
        for item in items:
            if item.kind == "incident":
                self._looks[item.subject] = 0.0
            elif item.kind == "silence":
                self._look_at_all()

    def step(self, telling: Telling, now: float) -> int:
        """Write what is due at ``now``; return how many notices. Raises ``LeaseLost`` or ``Unavailable``."""
        if telling is not self._telling:
            self._telling = telling
            self._parents = {(each.kind, each.name) for parents in telling.parents.values() for each in parents}
            self._look_at_all()
        due = {incident for incident, at in self._looks.items() if at <= now}
        if not due:
            return 0
        with self._store.read() as unit:
            found = self._read(unit, due | self._opening)
            decisions = self._decide(unit, found, now)
        busy = {each.incident.id for each in decisions if not each.idle}
        if busy:
            decisions += self._write(sorted(busy | self._opening & found.keys()), now)
        self._remember(decisions)
        return sum(len(each.notices) for each in decisions[len(found) :])

    def _look_at_all(self) -> None:
        self._looks = dict.fromkeys(self._looks, 0.0)

    def _read(self, unit: Unit, wanted: Iterable[str]) -> dict[str, Incident]:
        """The open ones of these, and those that depend on any of them, open or not; what is over is forgotten."""
        known = {name: incident for name in wanted if (incident := unit.incidents.get(name)) is not None}
        if any(name_of(incident) in self._parents for incident in known.values()):
            others = {name: unit.incidents.get(name) for name in self._dependents - known.keys()}
            known |= {name: incident for name, incident in others.items() if incident is not None}
        found = {name: incident for name, incident in known.items() if incident.open}
        for name in set(wanted) - found.keys():
            self._forget(name)
        return found

    def _decide(self, unit: Unit, found: Mapping[str, Incident], now: float) -> list[Decision]:
        rows = unit.outbox.of_many(found.keys())
        heard = {name: [heard_of(row) for row in rows.get(name, ())] for name in found}
        around = around_now(unit, self._telling, now, found.values())
        ordered = sorted(found.values(), key=_worst_first)
        cases = [case_of(unit, incident, heard[incident.id], self._telling, now) for incident in ordered]
        return decide(cases, around, self._telling, now)

    def _write(self, wanted: Sequence[str], now: float) -> list[Decision]:
        """Decide once more, with nobody in between, and write it."""
        with self._store.transaction(self._lease) as unit:
            locked = {name: unit.incidents.get(name) for name in wanted}
            found = {name: incident for name, incident in locked.items() if incident is not None and incident.open}
            decisions = self._decide(unit, found, now)
            unit.incidents.apply([change for each in decisions for change in each.changes])
            unit.outbox.add([notice for each in decisions for notice in each.notices])
        return decisions

    def _remember(self, decisions: Iterable[Decision]) -> None:
        for each in decisions:
            name = each.incident.id
            self._looks[name] = each.look_at
            _mark(self._opening, name, member=each.opening)
            _mark(self._dependents, name, member=bool(self._telling.parents_of(each.incident)))

    def _forget(self, name: str) -> None:
        self._looks.pop(name, None)
        self._opening.discard(name)
        self._dependents.discard(name)


def _mark(among: set[str], name: str, *, member: bool) -> None:
    if member:
        among.add(name)
    else:
        among.discard(name)


def _worst_first(incident: Incident) -> tuple[int, float, str]:
    """What a message of several begins with."""
    return -incident.severity.rank, incident.opened, incident.id
