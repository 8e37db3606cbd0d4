"""Rules and where they stand for their series, as rows of a list.

The store knows only the series that a rule is not at rest for; how many others there are is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from nightowl.core.rule import Rule
from nightowl.core.rule_incident import Standing
from nightowl.core.rule_sentence import sentence
from nightowl.core.rule_state import Phase
from nightowl.core.series import parse
from nightowl.core.values import Incident, Severity

WORDS = {
    Phase.FIRING: "firing",
    Phase.NODATA: "no data",
    Phase.PENDING: "pending",
    Phase.RECOVERING: "recovering",
    Phase.OK: "ok",
}
"""The phases in words, worst first."""

UNKNOWN = "unknown"
"""The word for a series that was fine when its data ended."""

_WORST = ("firing", "no data", "pending", "recovering", UNKNOWN, "ok")


class SeriesRow(msgspec.Struct, frozen=True, kw_only=True):
    """A series that a rule is not at rest for.

    ``state`` is its phase in a word, or ``unknown`` where it was ok when its data ended. ``since``: from when it has
    been in that state; ``until``: when it has recovered; ``silent``: from when there was no data (None: not known, or
    it does not apply). ``incident`` and ``silence`` are ids of open incidents (empty: none).
    ``why`` says why a series on a source became unknown.
    """

    series: str
    labels: dict[str, str]
    phase: Phase
    state: str
    since: float | None = None
    until: float | None = None
    silent: float | None = None
    incident: str = ""
    silence: str = ""
    why: str = ""


class RuleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A rule; ``state`` is the worst of its series', ``counts`` how many are in each that is not ok, worst first."""

    name: str
    metric: str
    strategy: str
    sentence: str
    severity: Severity
    state: str
    counts: dict[str, int]
    series: tuple[SeriesRow, ...]
    tags: dict[str, str]
    runbook: str

    @property
    def total(self) -> int:
        """How many series are not ok."""
        return sum(self.counts.values())


def rule_rows(
    rules: Mapping[str, Rule], standings: Iterable[Standing], open_incidents: Iterable[Incident]
) -> list[RuleRow]:
    """All rules, the worst first; standings of rules that are no longer there are left out."""
    opened = {incident.id: incident.opened for incident in open_incidents}
    of_rule: dict[str, list[SeriesRow]] = {name: [] for name in rules}
    for standing in standings:
        if standing.rule in of_rule:
            of_rule[standing.rule].append(_series(standing, opened))
    rows = [_rule(rule, of_rule[name]) for name, rule in rules.items()]
    return sorted(rows, key=lambda row: (_WORST.index(row.state), -row.severity.rank, row.name))


def shape(row_state: str, severity: Severity) -> str:
    """The shape that goes with a state: what fires is drawn by how much it matters."""
    if row_state == "firing":
        return "down" if severity is Severity.CRITICAL else "degraded"
    return {"ok": "up", "no data": UNKNOWN}.get(row_state, row_state)


def _rule(rule: Rule, series: Sequence[SeriesRow]) -> RuleRow:
    states = [each.state for each in series]
    counts = {word: states.count(word) for word in _WORST if word in states}
    return RuleRow(
        name=rule.name,
        metric=rule.metric or rule.query,
        strategy=rule.strategy,
        sentence=sentence(rule),
        severity=rule.severity,
        state=next(iter(counts), "ok"),
        counts=counts,
        series=tuple(sorted(series, key=lambda each: (_WORST.index(each.state), each.series))),
        tags=rule.tags,
        runbook=rule.runbook,
    )


def _series(standing: Standing, opened: Mapping[str, float]) -> SeriesRow:
    state = standing.state
    silent = state.unknown_since
    since = {
        Phase.FIRING: opened.get(standing.incident),
        Phase.NODATA: silent,
        Phase.PENDING: state.since,
        Phase.OK: silent,
    }.get(state.phase)
    return SeriesRow(
        series=standing.series,
        labels=dict(parse(standing.series).labels),
        phase=state.phase,
        state=UNKNOWN if state.phase is Phase.OK and silent is not None else WORDS[state.phase],
        since=since,
        until=state.until if state.phase is Phase.RECOVERING else None,
        silent=silent,
        incident=standing.incident,
        silence=standing.silence,
        why=standing.why,
    )
