"""What strategies share: a figure against limits, and the words for it."""

from __future__ import annotations

from collections.abc import Sequence

from nightowl.core.condition import Condition, truth
from nightowl.core.limits import COMPARISONS, Limit, score

NO_SAMPLE = "no current sample"


def judged(limits: Sequence[Limit], value: float, base: float = 0.0, sigma: float = 0.0, origin: str = "") -> Condition:
    """The condition of a figure: true where any of the limits is broken.

    It tells the broken limit, else the one that is nearest to that. ``origin`` says in words what relative limits are
    relative to.
    """
    broken, reached, bound, limit = nearest(limits, value, base, sigma)
    return Condition(
        truth=truth(broken),
        value=value,
        bound=bound,
        score=reached,
        sentence=comparison(value, limit, bound, broken=broken) + (f" = {origin}{_shift(limit)}" if origin else ""),
    )


def nearest(
    limits: Sequence[Limit], value: float, base: float = 0.0, sigma: float = 0.0
) -> tuple[bool, float | None, float, Limit]:
    """The limit that is broken, else the one nearest to that: whether it is, the score, the bound, and itself."""

    def weighed(limit: Limit) -> tuple[bool, float | None, float, Limit]:
        bound = limit.bound(base, sigma)
        return limit.broken(value, bound), score(limit, value, bound, base if limit.relative else 0.0), bound, limit

    return max(map(weighed, limits), key=lambda each: (each[0], -1.0 if each[1] is None else each[1]))


def comparison(value: float, limit: Limit, bound: float, *, broken: bool) -> str:
    """How a figure and a bound compare: ``412 > 380``, or where it does not break the limit ``300 is not > 380``."""
    sign = COMPARISONS[limit.comparison][1]
    return f"{number(value)} {'' if broken else 'is not '}{sign} {number(bound)}"


def number(value: float) -> str:
    """A figure with six digits that count, as people write it."""
    return f"{value:.6g}"


def _shift(limit: Limit) -> str:
    """What is added to the base: `` + 20 %``."""
    sign = "+" if limit.amount >= 0 else "-"
    unit = f" {limit.unit}" if limit.unit else ""
    return f" {sign} {number(abs(limit.amount))}{unit}"
