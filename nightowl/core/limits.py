"""Limits of rules: a comparison and an amount, which may be relative to a base."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Literal

import msgspec

Unit = Literal["", "%", "sigma"]

Comparison = Literal["above", "below", "at_least", "at_most", "equals", "not_equals"]

COMPARISONS: dict[Comparison, tuple[Callable[[float, float], bool], str]] = {
    "above": (operator.gt, ">"),
    "below": (operator.lt, "<"),
    "at_least": (operator.ge, ">="),
    "at_most": (operator.le, "<="),
    "equals": (operator.eq, "="),
    "not_equals": (operator.ne, "!="),
}
"""What breaks a limit, as a function of (value, bound), and its sign."""

_UNITS: dict[str | None, Unit] = {None: "", "%": "%", "sigma": "sigma"}
_RELATIVE = re.compile(r"([+-])\s*(\d{1,15}(?:\.\d{1,9})?)\s*(%|sigma)?", re.ASCII)


class Limit(msgspec.Struct, frozen=True):
    """A comparison with an amount. ``relative``: the amount is added to a base.

    ``unit``: of the amount itself, ``%`` of the base's absolute value, ``sigma`` population standard deviations.
    """

    comparison: Comparison
    amount: float
    relative: bool = False
    unit: Unit = ""

    def bound(self, base: float, sigma: float) -> float:
        """The value at which the limit lies, ``base`` and ``sigma`` being those of the baseline."""
        if not self.relative:
            return self.amount
        scale = {"": 1.0, "%": abs(base) / 100, "sigma": sigma}[self.unit]
        return base + self.amount * scale

    def broken(self, value: float, bound: float) -> bool:
        """Whether ``value`` breaks the limit at ``bound``."""
        return COMPARISONS[self.comparison][0](value, bound)

    @property
    def rising(self) -> bool:
        """Whether larger values are nearer to a breach than smaller ones."""
        return self.comparison in ("above", "at_least")


def relative_limit(comparison: Comparison, text: str) -> Limit:
    """Read a relative amount: ``+20%``, ``-5``, ``+3 sigma``.

    Raises:
        ValueError: it has no sign, or another unit.
    """
    found = _RELATIVE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no relative amount")
    sign, digits, unit = found.groups()
    return Limit(comparison, float(f"{sign}{digits}"), relative=True, unit=_UNITS[unit])


def score(limit: Limit, value: float, bound: float, base: float = 0.0) -> float | None:
    """The way from ``base`` to ``value`` as a ratio of that to ``bound``; for a floor above zero, bound to value.

    None where there is no way to measure by: the bound is the base, or the two lie on different sides of it.
    """
    if base == 0.0 and not limit.relative and not limit.rising:
        return bound / value if value > 0 and bound > 0 else None
    way = bound - base
    return (value - base) / way if way else None
