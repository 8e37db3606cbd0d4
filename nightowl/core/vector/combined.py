"""Series made of others, over many at once: what ``core.combining`` says, by groups of rows."""

from __future__ import annotations

import math

import numpy as np

from nightowl.core import combining
from nightowl.core.points import Aggregate, total
from nightowl.core.rule import Rule
from nightowl.core.series import selects
from nightowl.core.vector.arrays import Bools, Floats, Rows
from nightowl.core.vector.head import Head
from nightowl.core.vector.strategies import current
from nightowl.core.vector.table import Table
from nightowl.core.vector.track import WIDTH


class _Side:
    """The members on one side of a difference: which rows of a metric go into which made series."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.group: Rows = np.zeros(0, np.int64)
        self.seen = 0

    def figures(self, rule: Rule, now: float, step: float, begun: Bools) -> tuple[Rows, Floats]:
        """The groups and figures of the members that have one, by group; marks the groups that have begun."""
        groups, figures = [np.zeros(0, np.int64)], [np.zeros(0)]
        span = combining.span(rule, step)
        for number, block in enumerate(self.table.near.blocks):
            group, chosen = self._members(number)
            if len(chosen):
                figure = current(rule, self.table.near.windows(number, now - span.older, now - span.newer, chosen))
                here = block.locate(now).at[chosen] > block.begin[chosen]
                begun[group[here]] = True
                groups.append(group[figure.known & here])
                figures.append(figure.value[figure.known & here])
        found, value = np.concatenate(groups), np.concatenate(figures)
        order = np.argsort(found, kind="stable")
        return found[order], value[order]

    def hold(self, held: Bools) -> None:
        """Mark the groups of which there is any sample."""
        for number, block in enumerate(self.table.near.blocks):
            group, chosen = self._members(number)
            held[group[block.end[chosen] > block.begin[chosen]]] = True

    def _members(self, block: int) -> tuple[Rows, Rows]:
        """The groups of a block's members, and their places in it."""
        group = self.group[block * WIDTH : (block + 1) * WIDTH]
        chosen = np.flatnonzero(group >= 0)
        return group[chosen], chosen


class Combined:
    """The series that one rule makes, with a sample at each instant."""

    def __init__(self, rule: Rule, head: Head, back: float, step: float) -> None:
        """``back``: seconds that the rule looks back at what is made."""
        self._rule = rule
        self._step = step
        self._sides = [_Side(head.tables[metric]) for metric in (rule.metric, rule.difference) if metric]
        self._made = -math.inf
        self.table = Table(back)
        self.begun: Bools = np.zeros(0, bool)

    def make(self, now: float) -> None:
        """Make the samples of an instant, if that was not done."""
        for side in self._sides:
            self._sort(side)
        self.table.fit()
        self.begun = np.zeros(len(self.table), bool)
        found = [side.figures(self._rule, now, self._step, self.begun) for side in self._sides]
        if now <= self._made:
            return
        sums = [_reduced(self._how, groups, figures, len(self.table)) for groups, figures in found]
        value = sums[0] if len(sums) == 1 else sums[0] - sums[1]
        rows = np.flatnonzero(np.isfinite(value))
        self.table.take(rows, np.full(len(rows), now), value[rows])
        self._made = now

    def trim(self, now: float) -> None:
        """Forget what was made and is not looked at any more, and groups without members."""
        for side in self._sides:
            side.hold(self.table.held)
        self.table.trim(now)

    @property
    def _how(self) -> Aggregate:
        how = self._rule.aggregate
        return how if how is not None and how != "last" else "sum"

    def _sort(self, side: _Side) -> None:
        """Find the groups of members that are new."""
        if len(side.group) < len(side.table):
            side.group = np.pad(side.group, (0, side.table.near.room - len(side.group)), constant_values=-1)
        metric = self._rule.difference if side is self._sides[-1] and len(self._sides) > 1 else self._rule.metric
        for row in side.table.births[side.seen :]:
            series = side.table.series[row]
            chosen = series is not None and selects(metric, self._rule.where, series)
            side.group[row] = self.table.row(combining.made(self._rule, series)) if series and chosen else -1
        side.seen = len(side.table.births)


def _reduced(how: Aggregate, groups: Rows, figures: Floats, rows: int) -> Floats:
    """One figure a group; NaN where there is none. ``groups`` ascend."""
    value = np.full(rows, np.nan)
    if not len(groups):
        return value
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    ends = np.append(starts[1:], len(groups))
    if how in ("min", "max"):
        value[groups[starts]] = (np.minimum if how == "min" else np.maximum).reduceat(figures, starts)
    elif how == "count":
        value[groups[starts]] = ends - starts
    elif how == "median":
        ordered = figures[np.lexsort((figures, groups))]
        lower, upper = ordered[(starts + ends - 1) // 2], ordered[(starts + ends) // 2]
        value[groups[starts]] = np.where(lower == upper, lower, (lower + upper) / 2)
    else:
        members = figures.tolist()
        sums = [total(members[start:end]) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        value[groups[starts]] = np.array(sums) / (ends - starts if how == "mean" else 1)
    return value
