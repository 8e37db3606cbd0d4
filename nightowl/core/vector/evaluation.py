"""One rule over all its series at one instant: the states of ``core.evaluation``, by arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from nightowl.core import combining, rule_state
from nightowl.core.condition import Condition
from nightowl.core.evaluation import RECALLED, Finding
from nightowl.core.rule import STEP, Rule
from nightowl.core.rule_state import RuleState
from nightowl.core.series import Series, selects
from nightowl.core.strategies import BUILT_IN, Strategy
from nightowl.core.vector.arrays import Bools, Rows
from nightowl.core.vector.combined import Combined
from nightowl.core.vector.head import Head, Need
from nightowl.core.vector.states import States, advance, at_rest, either, grown
from nightowl.core.vector.strategies import Judge, judge_of
from nightowl.core.vector.table import Table
from nightowl.core.vector.track import WIDTH
from nightowl.core.vector.truths import CODES, UNKNOWN

LAGGING = 7200.0
"""Seconds: what windows look at from longer ago is read from the store ahead of time, not kept since it was new."""

LATE = 60.0
"""Seconds that a sample may come late: a new series whose first one is older than its windows is looked at still."""

_FEW = 4
"""A rule for less than a quarter of a block's series looks at those alone."""


class Evaluation:
    """A rule's states, evaluated instant after instant, every ``step`` seconds.

    A series is looked at from its first sample on, and as long as the head knows it or it is in another phase than OK.
    ``corrections`` counts where the core found otherwise than the arrays of a series that moved: never, as it is asked
    beforehand wherever rounding could decide.
    """

    def __init__(
        self, rule: Rule, head: Head, step: float = STEP, strategies: Mapping[str, Strategy] = BUILT_IN
    ) -> None:
        """``head`` must hold what ``needs`` says of the rule; ``strategies`` are the installed ones by name."""
        self.rule = rule
        self.corrections = 0
        self._step = step
        self._combines = combining.combines(rule)
        self._judged = combining.judged_as(rule) if self._combines else rule
        self._strategy = strategies[rule.strategy]
        self._judge: Judge | None = judge_of(self._strategy)
        self._spans = self._strategy.spans(self._judged, step)
        self._back = max(span.older for span in self._spans)
        self._combined = Combined(rule, head, self._back + step, step) if self._combines else None
        self._table: Table = self._combined.table if self._combined else head.tables[rule.metric]
        self._chosen: Bools = np.zeros(0, bool)
        self._seen = 0
        self._states: States = at_rest(0)
        self._next: States | None = None

    def restore(self, states: Mapping[Series, RuleState]) -> None:
        """Go on from these states."""
        for series in states:
            self._table.row(series)
        self._follow()
        for series, state in states.items():
            self._states.put(self._table.row(series), state)

    def recall(self, now: float) -> None:
        """Make the samples that combined series had at the instants before ``now``, as far as the rule looks back.

        ``RECALLED`` seconds at most: a longer baseline of a combined series fills by itself.
        """
        if self._combined:
            for steps in range(int(min(self._back, RECALLED) // self._step), 0, -1):
                self._combined.make(now - steps * self._step)

    def states(self) -> dict[Series, RuleState]:
        """The states of all series that are not as new ones are."""
        self._follow()
        rows = np.flatnonzero(self._states.differ(at_rest(len(self._states.phase)))).tolist()
        return {series: self._states.get(row) for row in rows if (series := self._table.series[row]) is not None}

    def hold(self) -> None:
        """Let the head keep the series that are in another phase than OK."""
        self._follow()
        self._table.held[: len(self._chosen)] |= ~self._states.resting

    def trim(self, now: float) -> None:
        """Forget what was made and is not looked at any more."""
        if self._combined:
            self._combined.trim(now)

    def at(self, now: float) -> list[Finding]:
        """Evaluate at ``now``: what changes, as the core finds it. It counts once ``settle`` is called."""
        with np.errstate(all="ignore"):
            if self._combined:
                self._combined.make(now)
            self._follow()
            active = self._active(now)
            truth, asked = self._truths(now, active)
            after = advance(self.rule, self._states, truth, now)
        changed = np.flatnonzero(active & after.differ(self._states))
        after = either(active, after, self._states)
        found = []
        for row in changed.tolist():
            finding = self._finding(row, asked.get(row) or self._asked(row, now), now)
            self.corrections += finding.after != after.get(row)
            after.put(row, finding.after)
            if finding.before != finding.after:
                found.append(finding)
        self._next = after
        return found

    def settle(self) -> None:
        """Go on from what was found at the last instant."""
        if self._next is not None:
            self._states, self._next = self._next, None

    def _follow(self) -> None:
        """Look at series that are new to the table."""
        table = self._table
        table.fit()
        if len(self._chosen) < len(table):
            self._chosen = np.pad(self._chosen, (0, table.near.room - len(self._chosen)))
            self._states = grown(self._states, table.near.room)
        if self._seen < len(table.births):
            rows = table.births[self._seen :]
            self._states.rest(np.array(rows))
            self._chosen[rows] = [self._selects(table.series[row]) for row in rows]
            self._seen = len(table.births)

    def _selects(self, series: Series | None) -> bool:
        if series is None:
            return False
        return self._combines or not self.rule.where or selects(self.rule.metric, self.rule.where, series)

    def _active(self, now: float) -> Bools:
        """The rows that are looked at."""
        begun = np.zeros(len(self._chosen), bool)
        if self._combined:
            begun[: len(self._combined.begun)] = self._combined.begun
        else:
            for number, block in enumerate(self._table.near.blocks):
                first = number * WIDTH
                begun[first : first + block.width] = block.locate(now).at > block.begin
        return self._chosen & (begun | ~self._states.resting)

    def _truths(self, now: float, active: Bools) -> tuple[NDArray[np.int8], dict[int, Condition]]:
        """The truth of each active row, and what the core said where it was asked."""
        truth = np.full(len(active), UNKNOWN)
        asked: dict[int, Condition] = {}
        for rows, number, inner in self._blocks(active):
            doubtful = rows
            if self._judge is not None:
                doubtful = rows[self._judge_block(truth, now, rows, number, inner)]
                doubtful = doubtful[active[doubtful]]
            for row in doubtful.tolist():
                condition = asked[row] = self._asked(row, now)
                truth[row] = CODES[condition.truth]
        return truth, asked

    def _judge_block(self, truth: NDArray[np.int8], now: float, rows: Rows, number: int, inner: Rows | None) -> Bools:
        """Set the truths of these rows; whether each is in doubt still."""
        assert self._judge is not None, "asked for built-in strategies only"
        firing = self._states.firing[rows]
        windows = [
            self._table.track(span).windows(number, now - span.older, now - span.newer, inner) for span in self._spans
        ]
        truth[rows], doubt = self._judge(self._judged, windows, firing)
        near = np.flatnonzero(doubt)
        if len(near):
            closely = [each.of(near, careful=True) for each in windows]
            truth[rows[near]], doubt[near] = self._judge(self._judged, closely, firing[near])
        return doubt

    def _blocks(self, active: Bools) -> Iterator[tuple[Rows, int, Rows | None]]:
        """The rows to judge: their numbers, their block's, and their places in it (None: all of it)."""
        for number, block in enumerate(self._table.near.blocks):
            first = number * WIDTH
            inner = np.flatnonzero(active[first : first + block.width])
            if self._judge is not None and len(inner) * _FEW > block.width:
                yield np.arange(first, first + block.width), number, None
            elif len(inner):
                yield first + inner, number, inner

    def _asked(self, row: int, now: float) -> Condition:
        """What the core says of a row."""
        windows = [self._table.track(span).points(row, now - span.older, now - span.newer) for span in self._spans]
        return self._strategy.judge(self._judged, windows, firing=self._states.get(row).firing)

    def _finding(self, row: int, condition: Condition, now: float) -> Finding:
        series, before = self._table.series[row], self._states.get(row)
        assert series is not None, "only rows of series are active"
        return Finding(series, now, condition, before, rule_state.advance(self.rule, before, condition.truth, now))


def needs(
    rules: Iterable[Rule],
    strategies: Mapping[str, Strategy] = BUILT_IN,
    step: float = STEP,
    lagging_from: float = LAGGING,
) -> dict[str, Need]:
    """What the head must hold of which metrics, so that rules can be evaluated each ``step`` seconds."""
    found: dict[str, Need] = {}
    for rule in rules:
        combines = combining.combines(rule)
        judged = combining.judged_as(rule) if combines else rule
        spans = [] if combines else list(strategies[rule.strategy].spans(judged, step))
        lagging = frozenset(span for span in spans if span.newer >= lagging_from)
        lately = [span.older for span in (*spans, combining.span(rule, step)) if span not in lagging]
        # a series that has ended must be looked at until its policy has taken effect
        reach = max(lately) + rule.nodata_after + LATE + step
        if combines:
            reach += min(max(span.older for span in strategies[rule.strategy].spans(judged, step)), RECALLED)
        for metric in filter(None, (rule.metric, rule.difference)):
            before = found.get(metric, Need(0.0))
            found[metric] = Need(max(before.span, reach), before.lagging | lagging)
    return found
