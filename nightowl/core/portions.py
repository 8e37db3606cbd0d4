"""Rules on sources, in portions: what goes out to evaluators, and what they say.

A portion is a rule for one of its identifiers, or the whole of a rule that has none. A batch has the portions of one
instant that travel together; nothing in it says where a source is or what is asked of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from nightowl.core.batches import split
from nightowl.core.condition import Condition, Truth
from nightowl.core.series import Series

EVALUATORS = ".evaluators"
"""What stands for evaluators where the bus is told of a location; no location can be called that."""


class Portion(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """A rule by name, for an identifier (empty: the rule has none). ``firing``: series for which it fires now."""

    rule: str
    identifier: str = ""
    firing: tuple[Series, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from the others of an instant."""
        return self.rule, self.identifier


class PortionBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Portions of rules on one source, to be evaluated at the instant ``at``, in the term ``epoch``.

    All moments are director time.
    """

    id: str
    source: str
    epoch: int
    at: float
    issued: float
    expires: float
    portions: tuple[Portion, ...]


class Judged(msgspec.Struct, frozen=True, array_like=True):
    """What was found of a series; see ``Condition``."""

    series: Series
    truth: Truth
    value: float | None = None
    bound: float | None = None
    score: float | None = None
    sentence: str = ""

    @property
    def condition(self) -> Condition:
        """The condition that was found."""
        return Condition(truth=self.truth, value=self.value, bound=self.bound, score=self.score, sentence=self.sentence)


def judged(series: Series, condition: Condition) -> Judged:
    """A condition on its way."""
    return Judged(series, condition.truth, condition.value, condition.bound, condition.score, condition.sentence)


class PortionResult(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """What came of a portion: the condition of each series that the source has, or why there is none (``fault``).

    ``away``: the fault is the source's, from which nothing came, and not the rule's.
    """

    rule: str
    identifier: str = ""
    fault: str = ""
    series: tuple[Judged, ...] = ()
    away: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Which portion it is of."""
        return self.rule, self.identifier


class PortionReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an evaluator says: the batches that it holds, and the results of one.

    ``batch`` empty: it is alive, and that is all. ``leaving``: it ends, and says no more.
    """

    evaluator: str
    holding: tuple[str, ...] = ()
    batch: str = ""
    epoch: int = 0
    at: float = 0.0
    results: tuple[PortionResult, ...] = ()
    leaving: bool = False


def batches(
    source: str,
    portions: Iterable[Portion],
    new_id: Callable[[], str],
    *,
    epoch: int,
    at: float,
    issued: float,
    expires: float,
) -> Iterator[PortionBatch]:
    """Put portions of rules on a source into batches that every broker carries, in order."""
    for run in split(portions):
        yield PortionBatch(id=new_id(), source=source, epoch=epoch, at=at, issued=issued, expires=expires, portions=run)


def reports(
    batch: PortionBatch, results: Iterable[PortionResult], evaluator: str, holding: tuple[str, ...]
) -> Iterator[PortionReport]:
    """Put the results of a batch into reports that every broker carries."""
    for run in split(results):
        yield PortionReport(
            evaluator=evaluator, holding=holding, batch=batch.id, epoch=batch.epoch, at=batch.at, results=run
        )
