"""Faults of NightOwl's own, as incidents: opened while they last, and never blamed on a target.

The leader answers for the subjects ``store``, ``bus``, ``verdicts``, ``location/NAME`` and ``check/NAME``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from nightowl.core.incident import incident_id
from nightowl.core.values import Change, Check, CheckState, Incident, Severity

UNKNOWN_ROUNDS = 5
"""Unknown rounds in a row after which a check is NightOwl's own problem."""

_NAMED = 5
"""How many checks a sentence names before it only counts them."""


class Fault(msgspec.Struct, frozen=True):
    """What does not work: a sentence for people, and since when (Unix seconds)."""

    summary: str
    since: float
    severity: Severity = Severity.CRITICAL


class Faults:
    """What the leader has found wrong with its own parts."""

    def __init__(self) -> None:
        self._store: float | None = None
        self._bus: float | None = None
        self._uncompiled: dict[str, Fault] = {}

    def store_failed(self, now: float) -> None:
        """Note that the store did not take a transaction; told once it answers again."""
        self._store = self._store or now

    def bus(self, refused: bool, now: float) -> bool:
        """Note whether the broker refused a batch; whether it is back after it did."""
        back = self._bus is not None and not refused
        self._bus = (self._bus or now) if refused else None
        return back

    def uncompiled(self, broken: Mapping[str, str], now: float) -> None:
        """Note the checks that cannot be run as they are defined, with the reason."""
        self._uncompiled = {
            name: Fault(f"check {name} cannot run: {why}", now, Severity.WARNING) for name, why in broken.items()
        }

    def told(self) -> None:
        """Forget what is over by the time it can be told: a store fault is past when it is written."""
        self._store = None

    def current(
        self, untaken: Mapping[str, float], states: Mapping[str, CheckState], checks: Mapping[str, Check]
    ) -> dict[str, Fault]:
        """Return all faults by subject. ``untaken`` are locations whose batches nobody takes, and since when.

        While the broker is away no batch can be taken, so that is told once and not for every location.
        """
        found = {f"check/{name}": fault for name, fault in self._uncompiled.items()}
        used = {location for check in checks.values() if not check.paused for location in check.locations}
        for name in sorted(used & untaken.keys() if self._bus is None else ()):
            summary = f"no actor takes the checks of location {name}: they wait in queue nightowl.check.{name}"
            found[f"location/{name}"] = Fault(summary, untaken[name])
        if self._bus is not None:
            found["bus"] = Fault("the broker does not take batches, so checks do not run", self._bus)
        if self._store is not None:
            found["store"] = Fault("the store did not answer; results waited in memory and on the bus", self._store)
        unknown = [s for name, s in sorted(states.items()) if name in checks and s.unknown >= UNKNOWN_ROUNDS]
        if unknown:
            found["verdicts"] = Fault(_unknown_sentence(unknown), min(state.since for state in unknown))
        return found


def changes(faults: Mapping[str, Fault], open_incidents: Sequence[Incident], now: float) -> list[Change]:
    """Open an incident for each new fault, and resolve those of the leader's own whose fault is gone."""
    mine = {each.subject: each for each in open_incidents if each.kind == "own" and _answers_for(each.subject)}
    opened = [_opened(subject, fault) for subject, fault in sorted(faults.items()) if subject not in mine]
    return opened + [_resolved(each, now) for subject, each in mine.items() if subject not in faults]


def _answers_for(subject: str) -> bool:
    return subject in ("store", "bus", "verdicts") or subject.startswith(("location/", "check/"))


def _unknown_sentence(states: Sequence[CheckState]) -> str:
    names = ", ".join(state.check for state in states[:_NAMED])
    more = f" and {len(states) - _NAMED} more" if len(states) > _NAMED else ""
    return f"no verdict for {UNKNOWN_ROUNDS} rounds or longer: {names}{more}"


def _opened(subject: str, fault: Fault) -> Change:
    incident = Incident(
        id=incident_id("own", subject, fault.since),
        kind="own",
        subject=subject,
        severity=fault.severity,
        summary=fault.summary,
        opened=fault.since,
    )
    return Change(event="opened", incident=incident, at=fault.since, text=fault.summary)


def _resolved(incident: Incident, now: float) -> Change:
    return Change(event="resolved", incident=replace(incident, resolved=now), at=now, text=f"over: {incident.summary}")
