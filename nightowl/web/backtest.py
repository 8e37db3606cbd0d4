"""A rule tried on what the store remembers, within bounds, so that nobody can keep the server busy by asking.

Where something is left out, the answer says what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from threading import Lock
from typing import NamedTuple

import msgspec

from nightowl.core import combining
from nightowl.core.errors import Refused
from nightowl.core.evaluation import Finding, Transition
from nightowl.core.points import Points
from nightowl.core.replay import Replay, instants
from nightowl.core.rule import STEP, Rule
from nightowl.core.rule_trace import Trace, trace
from nightowl.core.series import Series
from nightowl.core.strategies import BUILT_IN, Strategy
from nightowl.ports import Clock, Unit
from nightowl.web.rule_samples import find, history, looks_back
from nightowl.web.words import span

STEPS = (STEP, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Seconds from one instant to the next that a backtest may take."""

_WAIT = 5.0
"""Seconds to wait for another backtest to end."""

_one = Lock()


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a backtest may take: series, samples read, evaluations (of a series at an instant), and seconds in all.

    ``every`` is the least of seconds from one instant to the next.
    """

    series: int
    samples: int
    evaluations: int
    seconds: float
    every: float = STEP


PREVIEW = Bounds(series=50, samples=250_000, evaluations=30_000, seconds=5.0)
"""While a rule is being edited."""

ASKED = Bounds(series=200, samples=1_000_000, evaluations=400_000, seconds=20.0)
"""For programs."""

PICTURE = Bounds(series=50, samples=200_000, evaluations=10_000, seconds=5.0)
"""For a page that shows one series."""


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it from ``start`` to ``end`` (Unix seconds), looked at every ``every`` seconds.

    ``since`` is when the first sample was, or ``start`` where that is later. ``total`` counts the series that match,
    ``tried`` those that had samples and were looked at. ``cut`` says what was left out (empty: nothing). ``chosen`` is
    the series of ``trace``.
    """

    start: float
    end: float
    every: float
    since: float
    total: int
    tried: int
    transitions: dict[Series, list[Transition]] = {}
    opened: dict[Series, list[float]] = {}
    chosen: Series | None = None
    trace: Trace | None = None
    advice: str = ""
    cut: str = ""

    @property
    def pages(self) -> int:
        """How often the rule would have paged."""
        return sum(map(len, self.opened.values()))


class Past(NamedTuple):
    """Where a backtest finds samples and the time, and the installed strategies; ``read`` is as ``history``."""

    unit: Unit
    clock: Clock
    strategies: Mapping[str, Strategy] = BUILT_IN
    read: Callable[[Unit, Rule, Series, float, float, Mapping[str, Strategy]], Points] = history


class Backtest:
    """One backtest of a rule over ``start`` to ``end``. With ``wanted`` only that series is looked at."""

    def __init__(
        self,
        past: Past,
        rule: Rule,
        start: float,
        end: float,
        bounds: Bounds,
        *,
        wanted: Series | None = None,
        traced: bool = True,
    ) -> None:
        """``traced``: draw a trace of the series that was wanted, else of the one that would have paged most."""
        self._past = past
        self._rule = rule
        self._start, self._end = start, end
        self._bounds = bounds
        self._wanted = wanted
        self._traced = traced
        self._until = past.clock.monotonic() + bounds.seconds
        self._found = find(past.unit, rule)
        self._begin = start - _lead(rule, past.strategies)
        self._every = bounds.every
        self._samples = 0
        self._tried: set[Series] = set()
        self._opened: dict[Series, list[float]] = {}
        self._transitions: dict[Series, list[Transition]] = {}
        self._best: tuple[Sequence[Finding], Mapping[Series, Points]] | None = None

    def run(self) -> Tried:
        """Read and walk."""
        cut = self._together() if combining.combines(self._rule) else self._one_by_one()
        if self._every > STEP:
            cut = f"{cut} Looked at every {span(self._every)}, so that a breach between two looks is not seen.".strip()
        findings, known = self._best or ((), {})
        return Tried(
            start=self._start,
            end=self._end,
            every=self._every,
            since=max(self._start, self._begin),
            total=self._found.total,
            tried=len(self._tried),
            transitions=dict(sorted(self._transitions.items())),
            opened=dict(sorted(self._opened.items())),
            chosen=findings[0].series if findings else None,
            trace=trace(self._rule, findings, known, self._every, self._past.strategies) if findings else None,
            advice=self._found.advice,
            cut=cut,
        )

    def _one_by_one(self) -> str:
        """Walk series that do not depend on one another, as many as can be looked at; what was left out."""
        wanted = [self._wanted] if self._wanted else self._found.series
        known: dict[Series, Points] = {}
        for each in wanted[: self._bounds.series]:
            if known and self._full:
                break
            known[each] = self._read(each)
        self._set_pace(known)
        walked = sum(1 for _ in takewhile(bool, (self._walk({each: points}) for each, points in known.items())))
        left = len(wanted) - walked
        return f"{left:,} more series match and were not looked at." if left else ""

    def _together(self) -> str:
        """Walk series made of others: a sum without some of its members is another figure, so it is all or none."""
        members = [*self._found.series, *self._found.subtracted]
        known: dict[Series, Points] = {}
        for each in members[: self._bounds.series]:
            if not self._full:
                known[each] = self._read(each)
        self._set_pace(known)
        if len(known) < len(members):
            told = f"{len(members):,} series are combined, and not all of them can be read here"
        elif not self._walk(known):
            told = f"It takes longer than {span(self._bounds.seconds)}"
        else:
            return ""
        return f"{told}: take a shorter span, or nightowl backtest, which has no such bound."

    @property
    def _full(self) -> bool:
        """Whether no more may be read: half of the time is for walking."""
        late = self._past.clock.monotonic() >= self._until - self._bounds.seconds / 2
        return late or self._samples >= self._bounds.samples

    def _set_pace(self, known: Mapping[Series, Points]) -> None:
        """Begin where there are samples, and go by the shortest step with which there are not too many evaluations."""
        firsts = [points.times[0] for points in known.values() if len(points)]
        self._begin = max(self._begin, min(firsts, default=self._begin))
        most = self._bounds.evaluations / max(1, len(firsts))
        steps = [step for step in STEPS if step >= self._bounds.every]
        fits = (step for step in steps if (self._end - self._begin) / step <= most)
        self._every = next(fits, max(STEPS[-1], self._bounds.every))

    def _read(self, series: Series) -> Points:
        found = self._past.read(self._past.unit, self._rule, series, self._begin, self._end, self._past.strategies)
        self._samples += len(found)
        return found

    def _walk(self, known: Mapping[Series, Points]) -> bool:
        """Walk; False: there was no time for all of it, and what was found of these series does not count."""
        if not any(map(len, known.values())):
            return True
        replay = Replay(self._rule, STEP, self._past.strategies)
        findings: dict[Series, list[Finding]] = {}
        for at in instants(self._begin, self._end, self._every):
            if self._past.clock.monotonic() >= self._until:
                return False
            for found in replay.at(at, known):
                if at >= self._start and self._wanted in (None, found.series):
                    kept = findings.setdefault(found.series, [])
                    if self._traced or not kept:
                        kept.append(found)
        for series, found_of in findings.items():
            self._note(replay, series, found_of, known)
        return True

    def _note(self, replay: Replay, series: Series, found: Sequence[Finding], known: Mapping[Series, Points]) -> None:
        self._tried.add(series)
        opened = [at for at in replay.opened.get(series, ()) if at >= self._start]
        most = max(map(len, self._opened.values()), default=0)
        if opened:
            self._opened[series] = opened
        if moved := [step for step in replay.transitions.get(series, ()) if step.at >= self._start]:
            self._transitions[series] = moved
        if self._traced and (self._best is None or len(opened) > most):
            self._best = (found, known)


def _lead(rule: Rule, strategies: Mapping[str, Strategy]) -> float:
    """Seconds to walk before the span, so that the rule stands at its start where it stood."""
    silence = rule.nodata_after if rule.nodata == "nodata" else 0.0
    combined = looks_back(rule, strategies) if combining.combines(rule) else 0.0
    return rule.for_ + rule.keep_firing + silence + combined + STEP


@contextmanager
def alone() -> Iterator[None]:
    """Let one backtest run at a time in this process. Raises ``Refused`` where others do not end."""
    if not _one.acquire(timeout=_WAIT):
        raise Refused("Another backtest is running: try again in a moment.")
    try:
        yield
    finally:
        _one.release()
