"""Three-valued truths of many rows, and where rounding could have decided them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nightowl.core.condition import Truth
from nightowl.core.limits import Comparison, Limit
from nightowl.core.vector.arrays import Bools, Floats
from nightowl.core.vector.windows import Figure

FALSE, TRUE, UNKNOWN = np.int8(0), np.int8(1), np.int8(2)

CODES = {Truth.FALSE: FALSE, Truth.TRUE: TRUE, Truth.UNKNOWN: UNKNOWN}

WORDS = (Truth.FALSE, Truth.TRUE, Truth.UNKNOWN)
"""The truth by its number."""

_ULP = 2.0**-52


class Truths(NamedTuple):
    """One a row. ``doubt``: so near to the limit that the core must say."""

    truth: NDArray[np.int8]
    doubt: Bools


def truths(broken: Bools, doubt: Bools, known: Bools) -> Truths:
    """The truths of comparisons, where they could be made."""
    return Truths(np.where(known, broken.astype(np.int8), UNKNOWN), doubt & known)


def broken(limits: Sequence[Limit], value: Figure, base: Figure, sigma: Figure | None = None) -> tuple[Bools, Bools]:
    """Whether any limit is broken, and where that is in doubt. ``base`` and ``sigma``: of relative limits."""
    found = [one(limit.comparison, value, bound_of(limit, base, sigma)) for limit in limits]
    return np.any([each for each, _ in found], axis=0), np.any([doubt for _, doubt in found], axis=0)


def one(comparison: Comparison, value: Figure, bound: Figure) -> tuple[Bools, Bools]:
    """Whether ``value`` breaks a limit at ``bound``, and where that is in doubt."""
    compare = _BY_NAME[comparison]
    slack = value.slack + bound.slack
    # not "within the slack": what is no number is in doubt too
    doubt = (slack != 0.0) & ~(np.abs(value.value - bound.value) > slack)
    return compare(value.value, bound.value), doubt


def bound_of(limit: Limit, base: Figure, sigma: Figure | None) -> Figure:
    """Where the limit lies, by the operations of ``Limit.bound`` in their order."""
    if not limit.relative:
        return Figure(np.full_like(base.value, limit.amount), np.zeros_like(base.value), base.known)
    slack = base.slack * (1 + abs(limit.amount) / 100) if limit.unit == "%" else base.slack
    scale: Floats | float = 1.0
    if limit.unit == "%":
        scale = np.abs(base.value) / 100
    elif limit.unit == "sigma" and sigma is not None:
        scale = sigma.value
        slack = slack + abs(limit.amount) * sigma.slack
    value = base.value + limit.amount * scale
    return Figure(
        value, np.where(slack == 0.0, 0.0, slack + 4 * _ULP * (np.abs(base.value) + np.abs(value))), base.known
    )


def all_hold(found: Iterable[Truths]) -> Truths:
    """Kleene's conjunction."""
    truth, doubt = (np.array(each) for each in zip(*found, strict=True))
    together = np.where((truth == FALSE).any(axis=0), FALSE, np.where((truth == UNKNOWN).any(axis=0), UNKNOWN, TRUE))
    return Truths(together, np.asarray(doubt.any(axis=0)))


_BY_NAME: Mapping[Comparison, Callable[[Floats, Floats], Bools]] = {
    "above": np.greater,
    "below": np.less,
    "at_least": np.greater_equal,
    "at_most": np.less_equal,
    "equals": np.equal,
    "not_equals": np.not_equal,
}
