"""The built-in strategies over many rows: truths only; the core says value, bound, score and sentence where asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType

import numpy as np

from nightowl.core.limits import Limit
from nightowl.core.points import Aggregate
from nightowl.core.rule import Rule
from nightowl.core.strategies import Strategy, absent, fixed, floating, period
from nightowl.core.vector.arrays import Bools, Floats
from nightowl.core.vector.truths import Truths, all_hold, broken, one, truths
from nightowl.core.vector.windows import Figure, Windows

Judge = Callable[[Rule, Sequence[Windows], Bools], Truths]
"""The truths of windows in the order of the strategy's spans; the last argument: where the rule is firing."""


def judge_of(strategy: Strategy) -> Judge | None:
    """How a strategy is judged over many rows (None: only by its own ``judge``, row after row)."""
    return next((judge for module, judge in _JUDGES if module is strategy), None)


def aggregate(how: Aggregate, windows: Windows) -> Figure:
    """One figure of each window."""
    if how == "count":
        return windows.exactly(windows.count.astype(float), np.ones(len(windows.count), bool))
    if how in ("mean", "sum"):
        return windows.mean() if how == "mean" else windows.total()
    exact = {"last": windows.last, "median": windows.median, "min": windows.lowest, "max": windows.highest}
    return windows.exactly(exact[how]())


def current(rule: Rule, windows: Windows) -> Figure:
    """The current figures: a counter's rate, the rule's aggregate, else the newest sample."""
    return windows.rate() if rule.counter else aggregate(rule.aggregate or "last", windows)


def _fixed(rule: Rule, windows: Sequence[Windows], firing: Bools) -> Truths:
    value = current(rule, windows[0])
    found, doubt = broken(rule.limits, value, value)
    if rule.recover is not None and firing.any():
        bound = windows[0].exactly(np.full(len(firing), rule.recover))
        held = [one(limit.comparison, value, bound) for limit in rule.limits]
        found = np.where(firing, np.any([each for each, _ in held], axis=0), found)
        doubt = np.where(firing, np.any([each for _, each in held], axis=0), doubt)
    return truths(found, doubt, value.known)


def _floating(rule: Rule, windows: Sequence[Windows], firing: Bools) -> Truths:  # noqa: ARG001 - all are told
    assert rule.baseline is not None, "a floating rule has a baseline, which its configuration asks for"
    value, before = current(rule, windows[0]), windows[1]
    known = value.known & (before.count >= max(rule.min_points, 1))
    sigma = before.deviation() if any(limit.unit == "sigma" for limit in rule.limits) else None
    if rule.counter or rule.baseline.of != "median":
        base = before.rate() if rule.counter else aggregate(rule.baseline.of, before)
        found, doubt = broken(rule.limits, value, base, sigma)
        return truths(found, doubt, known & base.known)
    near = np.flatnonzero(known & ~_calm(rule.limits, value, sigma, before))
    found, doubt = np.zeros(len(known), bool), np.zeros(len(known), bool)
    if len(near):
        some = before.of(near)
        base = some.exactly(some.median())
        of_some = None if sigma is None else _some(sigma, near)
        found[near], doubt[near] = broken(rule.limits, _some(value, near), base, of_some)
    return truths(found, doubt, known)


def _calm(limits: Sequence[Limit], value: Figure, sigma: Figure | None, before: Windows) -> Bools:
    """Where surely no limit is broken: more than half of the samples lie where the median must for that.

    Counting them costs a fraction of finding the median.
    """
    calm = np.ones(len(value.value), bool)
    for limit in limits:
        edge = _edge(limit, value.value, sigma)
        room = 1e-9 * (np.abs(edge) + np.abs(value.value)) + 2 * value.slack
        if sigma is not None:
            room += abs(limit.amount) * (1e-9 * sigma.value + 2 * sigma.slack)
        strict = (edge == 0.0) & (room == 0.0) & (limit.comparison in ("above", "below"))
        room = np.where(strict, -np.nextafter(0.0, 1.0), room)  # at the limit itself it is not broken
        calm &= before.mostly_above(edge + room) if limit.rising else before.mostly_below(edge - room)
    return calm


def _edge(limit: Limit, value: Floats, sigma: Figure | None) -> Floats:
    """The base at which ``value`` would lie just at the limit; NaN where the core is asked instead.

    A base above it (for a limit that is rising; else below it) has its limit above the value (else below it).
    """
    if limit.comparison not in ("above", "at_least", "below", "at_most") or not limit.relative:
        return np.full_like(value, np.nan)
    if limit.unit == "sigma" and sigma is not None:
        return value - limit.amount * sigma.value
    if limit.unit != "%":
        return value - limit.amount
    share = limit.amount / 100
    if -1 < share < 1:
        return np.where(value >= 0, value / (1 + share), value / (1 - share))
    if share >= 1 and limit.rising:
        return np.where(value >= 0, value / (1 + share), np.nan)
    return np.full_like(value, np.nan)


def _period(rule: Rule, windows: Sequence[Windows], firing: Bools) -> Truths:  # noqa: ARG001 - all are told
    value, *before = (_mean(rule, each) for each in windows)
    return all_hold(_since(rule, value, past) for past in before)


def _since(rule: Rule, value: Figure, past: Figure) -> Truths:
    size, least = np.abs(past.value), np.full_like(past.value, rule.min_base)
    base = Figure(size, past.slack, past.known)
    small, doubt_small = one("at_most", base, Figure(least, np.zeros_like(least), past.known))
    known = value.known & past.known
    change = (value.value - past.value) / size * 100
    # of the quotient: what the slacks of both sides come to, and that of the operations where there is any
    loose = (value.slack + past.slack * (1 + np.abs(change) / 100)) / size * 200
    slack = np.where((value.slack == 0.0) & (past.slack == 0.0), 0.0, loose + 1e-14 * (np.abs(change) + 100))
    shift = Figure(change, slack, known)
    found = [one(limit.comparison, shift, _level(limit.amount, shift)) for limit in rule.limits]
    truth, doubt = np.any([each for each, _ in found], axis=0), np.any([each for _, each in found], axis=0)
    if rule.on_zero == "breach_if_changed":
        changed, doubt_changed = one(
            "above", Figure(np.abs(value.value), value.slack, known), _level(rule.min_base, shift)
        )
    else:
        changed, doubt_changed = np.zeros(len(known), bool), np.zeros(len(known), bool)
    truth, doubt = np.where(small, changed, truth), np.where(small, doubt_changed, doubt) | doubt_small
    # an unknown zero is in doubt as any comparison is: the core says
    unsure = doubt & known
    if rule.on_zero == "unknown":
        known = known & ~small
    return Truths(truths(truth, doubt, known).truth, unsure)


def _mean(rule: Rule, windows: Windows) -> Figure:
    value, slack, known = windows.rate() if rule.counter else windows.mean()
    return Figure(value, slack, known & (windows.count >= rule.min_points))


def _absent(rule: Rule, windows: Sequence[Windows], firing: Bools) -> Truths:  # noqa: ARG001 - all are told
    count = windows[0].count
    return truths(count == 0, np.zeros(len(count), bool), np.ones(len(count), bool))


def _level(amount: float, like: Figure) -> Figure:
    return Figure(np.full_like(like.value, amount), np.zeros_like(like.value), like.known)


def _some(figure: Figure, rows: Floats | np.typing.NDArray[np.int64]) -> Figure:
    return Figure(figure.value[rows], figure.slack[rows], figure.known[rows])


_JUDGES: Sequence[tuple[ModuleType, Judge]] = (
    (fixed, _fixed),
    (floating, _floating),
    (period, _period),
    (absent, _absent),
)
