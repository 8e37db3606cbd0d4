"""What the configuration says about telling people, put together for whoever decides on notices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from nightowl.core import dependencies
from nightowl.core.matching import matches
from nightowl.core.rule import STEP, Rule
from nightowl.core.values import Check, Incident, Maintenance, Route, Severity

LONGEST_SETTLING = 60.0
"""Seconds that an incident waits at most to see whether what it depends on is down, too."""

MINUTE = 60.0
"""Seconds of a slot where nothing has rounds; a rule is also looked at by its own, shorter steps."""

Name = tuple[str, str]
"""``check``, ``rule`` or ``cluster``, and its name."""


class Parent(msgspec.Struct, frozen=True):
    """What others depend on. It is down while it has an open incident of its own severity.

    ``settles``: seconds after which it is known to be down, if it went down together with one that depends on it.
    """

    kind: str
    name: str
    severity: Severity
    settles: float

    def is_down_by(self, incident: Incident) -> bool:
        """Whether this incident says, or said while it was open, that it is down."""
        mine = incident.kind == self.kind and name_of(incident) == (self.kind, self.name)
        return mine and incident.severity.rank >= self.severity.rank


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told what, and what holds that back.

    ``parents`` are all that a check or rule depends on, directly or not; ``slots`` the seconds from one round of a
    check to the next; ``resend`` the channels that want to be told again every so many seconds while an incident is
    open. ``clusters`` has the checks and rules that each cluster depends on.
    """

    routes: Sequence[Route] = ()
    public_url: str = ""
    maintenance: Sequence[Maintenance] = ()
    parents: Mapping[Name, Sequence[Parent]] = {}
    slots: Mapping[str, float] = {}
    resend: Mapping[str, float] = {}
    clusters: Mapping[str, Sequence[str]] = {}

    def parents_of(self, incident: Incident) -> Sequence[Parent]:
        """What the check or rule of an incident depends on."""
        return self.parents.get(name_of(incident), ())

    def recovers(self, incident: Incident) -> float:
        """Seconds that an incident may still be open once what it depends on is back: it takes a round to notice."""
        return settling(min(self.slots_of(incident)))

    def slots_of(self, incident: Incident) -> tuple[float, ...]:
        """The lengths of slots, in seconds, by which the incident's subject is looked at for flapping."""
        if incident.kind == "check":
            return (self.slots.get(incident.subject, MINUTE),)
        return (MINUTE,) if incident.kind in ("own", "cluster") else (STEP, MINUTE)

    def maintained(self, incident: Incident) -> list[Maintenance]:
        """The maintenance that is meant for an incident."""
        return [each for each in self.maintenance if matches(each.match, incident)]


def name_of(incident: Incident) -> Name:
    """The check, rule or cluster that an incident is of; a rule stands before labels, a cluster before what it has."""
    if incident.kind in ("rule", "nodata"):
        return "rule", incident.subject.partition("{")[0]
    if incident.kind == "cluster":
        return "cluster", incident.subject.partition("/")[0]
    return incident.kind, incident.subject


class Kin(msgspec.Struct, frozen=True):
    """A check or rule (``kind``) with the names that it depends on; the rest as of ``Parent``."""

    kind: str
    name: str
    depends_on: Sequence[str]
    severity: Severity
    settles: float


def of_check(check: Check) -> Kin:
    """A check among its relatives."""
    rounds = check.every if check.heartbeat is None else 0.0
    return Kin("check", check.name, check.depends_on, check.severity, settling(rounds))


def of_rule(rule: Rule) -> Kin:
    """A rule among its relatives."""
    return Kin("rule", rule.name, rule.depends_on, rule.severity, min(LONGEST_SETTLING, rule.for_ + STEP))


def settling(every: float) -> float:
    """Within ``every`` seconds a parent's next round begins, and it is closed before as many have passed again."""
    return min(LONGEST_SETTLING, 2 * every)


def family(
    kin: Iterable[Kin], clusters: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> dict[Name, tuple[Parent, ...]]:
    """Return what each depends on; names that nobody has are left out, circles end where they close.

    ``clusters`` has what each cluster depends on; nothing depends on a cluster, which may be called as a check is.
    """
    known = list(kin)
    bearers: dict[str, list[Parent]] = {}
    direct: dict[str, list[str]] = {}
    for each in known:
        bearers.setdefault(each.name, []).append(Parent(each.kind, each.name, each.severity, each.settles))
        direct.setdefault(each.name, []).extend(each.depends_on)
    above = dependencies.ancestors(direct)
    found = {
        (each.kind, each.name): tuple(parent for name in above.get(each.name, ()) for parent in bearers.get(name, ()))
        for each in known
    }
    for name, depends_on in clusters.items():
        named = dict.fromkeys(parent for direct in depends_on for parent in (direct, *above.get(direct, ())))
        found["cluster", name] = tuple(parent for each in named for parent in bearers.get(each, ()))
    return {name: parents for name, parents in found.items() if parents}


def slots(checks: Iterable[Check]) -> dict[str, float]:
    """Return the seconds from one round of a check to the next; of a heartbeat, from one call to the next."""
    return {check.name: max(1.0, _every(check)) for check in checks}


def _every(check: Check) -> float:
    if check.heartbeat is None:
        return check.every
    return check.heartbeat.every or 3600.0
