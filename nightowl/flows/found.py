"""Found: what watchers have found wrong in their clusters becomes incidents, by the leader alone.

A watcher writes how its cluster is, with what it has found, into the task store, which may be another database. The
leader looks there every second, and where something is new it writes incidents and notices in a transaction of its own.
An incident is known by its subject, and its id follows from when its finding began, so what was written and not
answered is found and not written again.

A watcher that is not heard, or that cannot hear its broker, opens an own incident ``cluster/NAME``. What it had found
stands meanwhile: nobody knows whether it is over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from nightowl.core.cluster.finding import Finding
from nightowl.core.cluster.finding_incident import (
    Known,
    differs,
    known_of,
    opened,
    resolved,
    subject_of,
    summary_of,
    updated,
)
from nightowl.core.cluster.state import ClusterState
from nightowl.core.errors import Unavailable
from nightowl.core.incident import incident_id
from nightowl.core.telling import Telling, name_of
from nightowl.core.values import Change, Entry, Incident
from nightowl.flows.faults import Fault
from nightowl.flows.tell import tell
from nightowl.ports import Lease, Store, Unit
from nightowl.ports.clusters import ClusterStates

SILENT = 30.0
"""Seconds without a new state after which a watcher is not heard."""

_OWN = "cluster/"
_AWAY = "tasks"


class _Heard(msgspec.Struct):
    """What a watcher wrote last: ``at`` by its own clock (None: nothing yet), and ``seen`` by the director's.

    ``fresh``: it was written lately, so what it does not say is over.
    """

    seen: float
    at: float | None = None
    fresh: bool = False


class _Work(msgspec.Struct, frozen=True):
    """What is new of a cluster."""

    opening: list[Finding]
    changed: list[Finding]
    over: list[str]

    def __bool__(self) -> bool:
        return bool(self.opening or self.changed or self.over)


class Found:
    """The clusters of one term of leading. All moments are the director's time, in Unix seconds."""

    def __init__(self, store: Store, lease: Lease, states: ClusterStates | None) -> None:
        """``states`` is where watchers write (None: there is none)."""
        self._store = store
        self._lease = lease
        self._states = states
        self._known: dict[str, dict[str, Known]] = {}
        self._heard: dict[str, _Heard] = {}
        self._done: dict[str, float] = {}
        self._faults: Mapping[str, Fault] = {}

    def take_over(self, unit: Unit) -> None:
        """Read what is open."""
        faults = {}
        for incident in unit.incidents.open():
            if incident.kind == "cluster":
                _, cluster = name_of(incident)
                self._known.setdefault(cluster, {})[incident.subject] = known_of(incident)
            elif incident.kind == "own" and (incident.subject.startswith(_OWN) or incident.subject == _AWAY):
                faults[incident.subject] = Fault(incident.summary, incident.opened, incident.severity)
        self._faults = faults

    def faults(self) -> Mapping[str, Fault]:
        """What is wrong with watchers, by subject; ``step`` may go on in another thread meanwhile."""
        return self._faults

    def step(self, clusters: Collection[str], telling: Telling, now: float) -> None:
        """Take in what watchers wrote of these clusters. Raises ``LeaseLost`` or ``Unavailable`` (of the own store)."""
        for name in self._known.keys() - set(clusters):
            self._abandon(name, telling, now)
        if not clusters or self._states is None:
            self._faults = {}
            return
        try:
            found = {state.name: state for state in self._states.states() if state.name in clusters}
        except Unavailable as error:
            since = self._faults[_AWAY].since if _AWAY in self._faults else now
            away = Fault(f"the task store does not answer, so nothing is known of clusters: {error}", since)
            self._faults = {**self._faults, _AWAY: away}
            return
        self._listen(clusters, found, now)
        for state in found.values():
            if self._heard[state.name].fresh and self._done.get(state.name) != state.at and not state.fault:
                self._follow(state, telling, now)
                self._done[state.name] = state.at

    # -- hearing ---------------------------------------------------------------------------------------------------

    def _listen(self, clusters: Collection[str], found: Mapping[str, ClusterState], now: float) -> None:
        """Note who is heard: whose state is another than before, whatever their clocks say."""
        self._heard = {name: self._heard.get(name) or _Heard(now) for name in clusters}
        for name, state in found.items():
            heard = self._heard[name]
            if state.at != heard.at:
                heard.fresh = heard.at is not None or abs(now - state.at) <= SILENT
                heard.seen, heard.at = now, state.at
        faults = {_OWN + name: self._fault(name, found.get(name), now) for name in clusters}
        self._faults = {subject: fault for subject, fault in faults.items() if fault is not None}

    def _fault(self, name: str, state: ClusterState | None, now: float) -> Fault | None:
        heard, before = self._heard[name], self._faults.get(_OWN + name)
        if now - heard.seen > SILENT:
            summary = f"the watcher of {name} is not heard: nightowl watcher --cluster {name} runs one"
            return Fault(summary, before.since if before else heard.seen)
        if not heard.fresh:
            return before  # of the term before; whether it is over shows once the watcher writes again
        if state is not None and state.fault:
            return Fault(f"the watcher of {name} hears nothing: {state.fault}", before.since if before else now)
        return None

    # -- writing ---------------------------------------------------------------------------------------------------

    def _follow(self, state: ClusterState, telling: Telling, now: float) -> None:
        known = self._known.get(state.name, {})
        found = {subject_of(state.name, finding): finding for finding in state.findings}
        work = _Work(
            opening=[finding for subject, finding in found.items() if subject not in known],
            changed=[
                each for subject, each in found.items() if subject in known and differs(known[subject], each, now)
            ],
            over=[subject for subject in known if subject not in found],
        )
        if work:
            with self._store.transaction(self._lease) as unit:
                after = self._write(unit, state.name, work, telling, now)
            kept = {subject: each for subject, each in known.items() if subject in found}
            self._known[state.name] = kept | after

    def _write(self, unit: Unit, cluster: str, work: _Work, telling: Telling, now: float) -> dict[str, Known]:
        """Write what is new; return what is known of that."""
        known = self._known.get(cluster, {})
        after: dict[str, Known] = {}
        changes: list[Change] = []
        proofs: list[Entry] = []
        for finding in work.opening:
            subject = subject_of(cluster, finding)
            before, at = _earlier(unit, subject, finding)
            if before is None:
                change = opened(cluster, finding, at if at is not None else now)
                changes.append(change)
                if finding.details:
                    proofs.append(Entry(incident=change.incident.id, at=change.at, event="note", text=finding.details))
                before = change.incident
            after[subject] = replace(known_of(before), count=finding.count, noted=now)
        for subject in work.over:
            changes += _ends(unit.incidents.get(known[subject].id), now)
        notes = list(self._updates(unit, cluster, work.changed, after, now))
        tell(unit, [*changes, *(each for each in notes if each.event == "raised")], telling, now)
        unit.incidents.apply([each for each in notes if each.event == "note"])
        for proof in proofs:
            unit.incidents.note(proof)
        return after

    def _updates(
        self, unit: Unit, cluster: str, changed: list[Finding], after: dict[str, Known], now: float
    ) -> Iterator[Change]:
        for finding in changed:
            subject = subject_of(cluster, finding)
            known = self._known[cluster][subject]
            if known.noted is None:
                known = replace(known, noted=_last_said(unit, known.id))
            incident = unit.incidents.get(known.id)
            if incident is None or not incident.open or not differs(known, finding, now):
                after[subject] = known
                continue
            change = updated(incident, finding, now)
            if change is not None:
                yield change
            severity = max(known.severity, finding.severity, key=lambda each: each.rank)
            after[subject] = Known(
                id=known.id,
                severity=severity,
                told=finding.severity,
                summary=summary_of(finding),
                count=finding.count,
                noted=now,
            )

    def _abandon(self, cluster: str, telling: Telling, now: float) -> None:
        """Resolve what is open of a cluster that is not watched any more."""
        with self._store.transaction(self._lease) as unit:
            known = [unit.incidents.get(each.id) for each in self._known[cluster].values()]
            why = f"cluster {cluster} is not watched any more"
            tell(unit, [change for incident in known for change in _ends(incident, now, why)], telling, now)
        del self._known[cluster]
        self._done.pop(cluster, None)


def _earlier(unit: Unit, subject: str, finding: Finding) -> tuple[Incident | None, float | None]:
    """The incident that a finding opened already, where nobody answered that; and when it may open (None: now).

    A finding that goes on where its incident had ended, as its cluster was not watched for a while, opens another.
    """
    stored = unit.incidents.get(incident_id("cluster", subject, finding.since))
    if stored is None:
        return None, finding.since
    return (stored, None) if stored.open else (None, None)


def _ends(incident: Incident | None, now: float, why: str = "") -> list[Change]:
    return [resolved(incident, now, why)] if incident is not None and incident.open else []


def _last_said(unit: Unit, incident: str) -> float:
    """When the timeline said last how things are."""
    said = (entry.at for entry in unit.incidents.timeline(incident) if entry.event in ("opened", "raised", "note"))
    return max(said, default=0.0)
