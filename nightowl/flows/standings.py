"""Where rules stand: states written with the incidents and notices that follow from them, in one transaction.

So a leader goes on where its forerunner ended, and nothing that was decided is told without being stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from nightowl.core import rule_incident
from nightowl.core.combining import looks_at
from nightowl.core.evaluation import Finding
from nightowl.core.rule import Rule
from nightowl.core.rule_incident import Move, Standing, asked, series_of
from nightowl.core.rule_state import RuleState, timely
from nightowl.core.series import Series
from nightowl.core.telling import Telling
from nightowl.core.values import Change
from nightowl.flows.tell import tell
from nightowl.ports import Lease, Store, Unit

Key = tuple[str, str]
"""A rule and a series."""


class Standings:
    """The standings of one term of leading: of rules on NightOwl's own series, or (``sourced``) of those on sources."""

    def __init__(self, store: Store, lease: Lease, *, sourced: bool = False) -> None:
        self._store = store
        self._lease = lease
        self._sourced = sourced
        self._standings: dict[Key, Standing] = {}
        self._kept_for: Mapping[str, Rule] | None = None

    def take_over(self, unit: Unit) -> None:
        """Read where the rules stand."""
        self._standings = {
            (each.rule, each.series): each for each in unit.rules.all() if bool(each.source) is self._sourced
        }

    def states(self, rules: Mapping[str, Rule], now: float) -> dict[str, dict[Series, RuleState]]:
        """Where each of these rules stands at ``now`` for the series that it looks at and is not at rest with."""
        found: dict[str, dict[Series, RuleState]] = {}
        for each in self._standings.values():
            if _is_kept(each, rules):
                state = timely(rules[each.rule], each.state, now)
                found.setdefault(each.rule, {})[series_of(each)] = state
        return found

    def write(
        self,
        rules: Mapping[str, Rule],
        findings: Mapping[str, Sequence[Finding]],
        telling: Telling,
        at: float,
    ) -> None:
        """Store what was found by rule at ``at``.

        What stands of other rules than these, or of series that they do not look at any more, is over and forgotten.
        Raises ``LeaseLost`` or ``Unavailable``.
        """
        moved = list(self._moved(rules, findings))
        changed = rules is not self._kept_for
        gone = [each for each in self._standings.values() if not _is_kept(each, rules)] if changed else []
        if moved or gone:
            self._store_all(rules, moved, gone, telling, at)
        self._kept_for = rules

    def _store_all(
        self,
        rules: Mapping[str, Rule],
        moved: Sequence[tuple[Standing, Sequence[Move]]],
        gone: Sequence[Standing],
        telling: Telling,
        at: float,
    ) -> None:
        standings = [standing for standing, _ in moved]
        resting = [each for each in standings if each.resting]
        with self._store.transaction(self._lease) as unit:
            changes = [*_changes(unit, rules, moved), *_abandoned(unit, rules, gone, at)]
            tell(unit, changes, telling, at)
            unit.rules.put([each for each in standings if not each.resting])
            unit.rules.remove([*resting, *gone])
        self._standings |= {(each.rule, each.series): each for each in standings}
        for each in (*resting, *gone):
            self._standings.pop((each.rule, each.series), None)

    def _moved(
        self, rules: Mapping[str, Rule], findings: Mapping[str, Sequence[Finding]]
    ) -> Iterator[tuple[Standing, list[Move]]]:
        for name, found in findings.items():
            for each in found:
                if each.before != each.after:
                    series = str(each.series)
                    rule = rules[name]
                    new = Standing(rule=name, series=series, source=asked(rule))
                    yield rule_incident.advance(rule, self._standings.get((name, series), new), each)


def _changes(
    unit: Unit, rules: Mapping[str, Rule], moved: Sequence[tuple[Standing, Sequence[Move]]]
) -> Iterator[Change]:
    for standing, moves in moved:
        for move in moves:
            before = None if move.event == "opened" else unit.incidents.get(move.incident)
            if before is not None or move.event == "opened":
                yield rule_incident.change(rules[standing.rule], move, before)


def _is_kept(standing: Standing, rules: Mapping[str, Rule]) -> bool:
    """Whether one of the rules still looks at what a standing is about, or asks a source the same."""
    rule = rules.get(standing.rule)
    if rule is None or standing.source != asked(rule):
        return False
    return bool(rule.source) or looks_at(rule, series_of(standing))


def _abandoned(unit: Unit, rules: Mapping[str, Rule], gone: Sequence[Standing], at: float) -> Iterator[Change]:
    """Resolve the incidents of rules that are not there any more, or do not look at their series any more."""
    for standing in gone:
        why = "the rule does not look at this series any more" if standing.rule in rules else "the rule was removed"
        for identity in standing.open:
            before = unit.incidents.get(identity)
            if before is not None and before.open:
                text = f"{before.subject} is not evaluated any more: {why}"
                yield Change(event="resolved", incident=replace(before, resolved=at), at=at, text=text)
