"""Series, as the store keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from nightowl.core.buckets import Buckets
from nightowl.core.frame import Frame, Numbers
from nightowl.core.series import Labels, Series
from nightowl.core.values import (
    Sample,
)


class Refusals(msgspec.Struct, frozen=True):
    """How many times a series was refused as there were too many, and in the step that ended when (0.0: never)."""

    count: int
    at: float


class SeriesStore(Protocol):
    """Samples by metric and labels. Outcomes are series too: ``check_up``, ``check_duration_seconds``.

    A step is what one role saw until a moment (Unix seconds). It is kept as it was written until its hour is
    compacted; whatever is written for that hour later is merged. Of two samples of one series at one time the last
    written wins; NaN and infinities are dropped. A series is known by a number, which is never used again.
    """

    def append(self, role: str, step: float, samples: Sequence[Sample]) -> int:
        """Store what ``role`` saw in the step that ends at ``step``, in place of what it has written for it before.

        Return how many series were refused, as there are as many as there may be (see ``limit``).
        """

    def number(self, series: Sequence[Series]) -> Numbers:
        """Return the numbers of these series, in their order; new ones get one (-1: refused, and counted)."""

    def append_frame(self, role: str, step: float, frame: Frame) -> None:
        """Store a step as ``append`` does, by numbers that ``number`` gave in this transaction; -1 is left out."""

    def limit(self, most: int) -> None:
        """Let the store know at most so many series; those that are known stay."""

    def refused(self) -> Refusals:
        """What was refused, so far, by all roles."""

    def tail(self, after: int, limit: int) -> list[tuple[int, Frame]]:
        """Frames with a greater position, in the order of their commits; none is ever skipped.

        One that was compacted is not there any more: who was away for longer than half an hour reads ``frame`` anew.
        """

    def last(self) -> int:
        """The newest position (0: none)."""

    def names(self, numbers: Iterable[int]) -> dict[int, Series]:
        """The series with these numbers; those that are forgotten are left out."""

    def window(self, metric: str, where: Mapping[str, str], start: float, end: float) -> list[Sample]:
        """Samples in ``(start, end]`` of all series that carry these labels, by series, then time."""

    def frame(self, metric: str, where: Mapping[str, str], start: float, end: float) -> Frame:
        """What ``window`` says as columns, by number, then time. Series of checks have no numbers: ``check_frame``."""

    def check_frame(
        self, metric: str, where: Mapping[str, str], start: float, end: float
    ) -> tuple[list[Series], Frame]:
        """Read a metric of checks as ``frame`` does; a number is the place of its series in the list."""

    def range(
        self, metric: str, where: Mapping[str, str], start: float, end: float, every: float
    ) -> dict[Series, Buckets]:
        """Return buckets of ``every`` seconds of all series that carry these labels.

        A bucket ends at a multiple of ``every`` and holds ``(its end - every, its end]``: all of those that
        ``(start, end]`` touches, whole. Where only rollups are left, what is shorter than their buckets gets those that
        end in it.
        """

    def latest(self, since: float) -> list[Sample]:
        """The newest sample of each appended series, where it is newer than ``since``."""

    def compact(self, now: float, limit: int) -> int:
        """Pack up to ``limit`` blocks of series of hours that have ended a few minutes ago; how many were packed."""


class SeriesNames(Protocol):
    """Which series there are, whenever they last had a sample."""

    def metrics(self) -> list[str]:
        """All names of metrics, in order."""

    def labels(self, metric: str) -> list[Labels]:
        """The labels of each series of a metric, in order."""
