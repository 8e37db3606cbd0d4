"""What of routes, maintenance and dependencies is well-formed and still cannot work."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence

from nightowl.config.models.maintenance import Maintenance as MaintenanceTable
from nightowl.config.numbered import Problem, match_problems, one_of
from nightowl.config.report import Report
from nightowl.core import dependencies
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.rule import Rule
from nightowl.core.values import Check, Route


def escalation_problems(route: Route, channels: Collection[str]) -> Iterator[Problem]:
    """Yield what keeps the steps of a route from leading anywhere."""
    for place, step in enumerate(route.escalate):
        for index, name in enumerate(step.to):
            if name not in channels:
                key = ("escalate", place, "to", index)
                yield Problem("NO06", key, None, one_of("a declared channel", channels))


def maintenance_problems(table: MaintenanceTable) -> Iterator[Problem]:
    """Yield what keeps a maintenance from having windows."""
    if bool(table.days) == bool(table.rrule):
        found = "both of them" if table.days else "neither days nor rrule"
        either = 'either days = ["tue"] or rrule = "FREQ=MONTHLY;BYDAY=2SU"'
        yield Problem("NO62", ("days",), found, either, ("days", "rrule"))
    yield from match_problems(table.match)


def refuse_dependencies(
    checks: Mapping[str, Check],
    rules: Mapping[str, Rule],
    clusters: Mapping[str, ClusterSettings],
    names: Collection[str],
    report: Report,
) -> None:
    """Report what depends on a name that nobody has (``names`` are those of all checks and rules), and a circle.

    Nothing depends on a cluster, so it closes no circle.
    """
    for each in clusters.values():
        _refuse_unknown("cluster", each.name, each.depends_on, names, report)
    parents = [("check", each.name, each.depends_on) for each in checks.values()]
    parents += [("rule", each.name, each.depends_on) for each in rules.values()]
    direct: dict[str, list[str]] = {}
    for table, name, depends_on in parents:
        direct.setdefault(name, []).extend(depends_on)
        _refuse_unknown(table, name, depends_on, names, report)
    if circle := dependencies.circle(direct):
        table = "check" if circle[0] in checks else "rule"
        allowed = "what does not itself depend on it, be it by others [NO61]"
        report.add((table, circle[0], "depends_on"), allowed, f"a circle: {' -> '.join(circle)}")


def _refuse_unknown(table: str, name: str, depends_on: Sequence[str], names: Collection[str], report: Report) -> None:
    for index, parent in enumerate(depends_on):
        if parent not in names:
            report.add((table, name, "depends_on", index), f"{_known(parent, names)} [NO60]", f'"{parent}"')


def _known(wanted: str, names: Collection[str]) -> str:
    near: Sequence[str] = difflib.get_close_matches(wanted, names, n=1)
    return f"the name of a check or rule{f' ({near[0]}?)' if near else ''}"
