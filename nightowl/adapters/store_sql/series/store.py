"""Series as a whole: steps, hours and rollups put together, and the series of checks beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nightowl.adapters.store_sql.series.blocks import FAR, HOUR, ROLLUP, blocks, hours, keys
from nightowl.adapters.store_sql.series.catalogue import Catalogue
from nightowl.adapters.store_sql.series.checks import CheckSeries
from nightowl.adapters.store_sql.series.compaction import Compaction
from nightowl.adapters.store_sql.series.hours import Hours
from nightowl.adapters.store_sql.series.numbers import SeriesNumbers
from nightowl.adapters.store_sql.series.rollups import Rollups
from nightowl.adapters.store_sql.series.steps import Steps
from nightowl.adapters.store_sql.session import Session
from nightowl.core import buckets as core
from nightowl.core.buckets import Buckets
from nightowl.core.frame import EMPTY, Floats, Frame, Numbers, joined, runs, settled
from nightowl.core.measures import OF_CHECKS
from nightowl.core.series import Series
from nightowl.core.values import Sample
from nightowl.ports import Refusals


class SqlSeries:
    """See ``ports.SeriesStore``."""

    def __init__(self, session: Session, catalogue: Catalogue) -> None:
        self._numbers = SeriesNumbers(session, catalogue)
        self._steps = Steps(session)
        self._hours = Hours(session)
        self._rollups = Rollups(session)
        self._step = 0.0
        self._checks = CheckSeries(session)
        self._compaction = Compaction(session, self._steps, self._hours, self._rollups)

    # -- writing ---------------------------------------------------------------------------------------------------

    def append(self, role: str, step: float, samples: Sequence[Sample]) -> int:
        """Store a step; how many series were refused."""
        places: dict[Series, int] = {}
        which = [places.setdefault(Series(each.metric, each.labels), len(places)) for each in samples]
        numbers = self.number(list(places))
        times, values = ([getattr(each, name) for each in samples] for name in ("time", "value"))
        self.append_frame(role, step, Frame(numbers[which], np.array(times, np.float64), np.array(values, np.float64)))
        return int((numbers < 0).sum())

    def number(self, series: Sequence[Series]) -> Numbers:
        """The numbers of these series; new ones get one (-1: refused)."""
        return self._numbers.give(series)

    def append_frame(self, role: str, step: float, frame: Frame) -> None:
        """Store a step; what is no number, or at no time that can be meant, is dropped."""
        good = np.isfinite(frame.values) & (frame.times > 0) & (frame.times < FAR) & (frame.numbers >= 0)
        self._step = max(self._step, step)
        self._steps.put(role, step, settled(frame.only(good)))

    def limit(self, most: int) -> None:
        """Let there be at most so many series."""
        self._numbers.limit(most)

    def compact(self, now: float, limit: int) -> int:
        """Compact up to ``limit`` blocks and hours; how many there were."""
        return self._compaction.run(now, limit)

    def flush(self) -> None:
        """Write what is pending, at the end of the transaction."""
        self._steps.flush()
        self._numbers.flush(self._step)

    def share(self) -> None:
        """The transaction was committed."""
        self._numbers.share()

    # -- reading ---------------------------------------------------------------------------------------------------

    def refused(self) -> Refusals:
        """What was refused, so far."""
        return self._numbers.refused()

    def tail(self, after: int, limit: int) -> list[tuple[int, Frame]]:
        """Frames with a greater position, in order."""
        return self._steps.tail(after, limit)

    def last(self) -> int:
        """The newest position (0: none)."""
        return self._steps.last()

    def names(self, numbers: Iterable[int]) -> dict[int, Series]:
        """The series with these numbers."""
        return self._numbers.names(numbers)

    def window(self, metric: str, where: Mapping[str, str], start: float, end: float) -> list[Sample]:
        """Samples in ``(start, end]`` of all series that carry these labels, by series, then time."""
        if metric in OF_CHECKS:
            found, frame = self.check_frame(metric, where, start, end)
            return _samples(dict(enumerate(found)), frame)
        frame = self.frame(metric, where, start, end)
        return _samples(self.names(np.unique(frame.numbers).tolist()), frame)

    def frame(self, metric: str, where: Mapping[str, str], start: float, end: float) -> Frame:
        """What ``window`` says of appended series as columns, by number, then time."""
        numbers = self._numbers.select(metric, where)
        held = blocks(numbers)
        found = joined([self._hours.between(numbers, held, start, end), self._steps.between(held, start, end)])
        return settled(found.only(_inside(found.times, start, end) & np.isin(found.numbers, numbers)))

    def check_frame(
        self, metric: str, where: Mapping[str, str], start: float, end: float
    ) -> tuple[list[Series], Frame]:
        """A metric of checks as columns; a number is the place of its series in the list."""
        return self._checks.frame(metric, where, start, end)

    def latest(self, since: float) -> list[Sample]:
        """The newest sample of each appended series, where it is newer than ``since``."""
        found = joined([self._hours.since(since), self._steps.since(since)])
        frame = settled(found.only(found.times > since))
        newest = frame.only(np.flatnonzero(np.diff(frame.numbers, append=-1)))
        return _samples(self.names(newest.numbers.tolist()), newest)

    def range(
        self, metric: str, where: Mapping[str, str], start: float, end: float, every: float
    ) -> dict[Series, Buckets]:
        """Buckets of ``every`` seconds of all series that carry these labels."""
        first, last = float(np.floor(start / every) * every), float(np.ceil(end / every) * every)
        if metric in OF_CHECKS:
            found, frame = self.check_frame(metric, where, first, last)
            return {found[number]: each for number, each in core.by_series(core.of_samples(frame, every))}
        numbers = self._numbers.select(metric, where)
        whole = core.coarser(self._buckets(numbers, first, last, every), every)
        names = self.names(np.unique(whole.numbers).tolist())
        return dict(sorted((names[number], each) for number, each in core.by_series(whole)))

    def _buckets(self, numbers: Numbers, start: float, end: float, every: float) -> Buckets:
        """Samples or rollups: of each series and hour either, samples where that hour is not all in rollups."""
        held = blocks(numbers)
        waiting = self._steps.between(held, start, end)
        waiting = waiting.only(_inside(waiting.times, start, end) & np.isin(waiting.numbers, numbers))
        spans = _spans(waiting, start, end) if every % ROLLUP == 0 else [(start, end)]
        packed = joined([EMPTY, *(self._hours.between(numbers, held, *span) for span in spans)])
        rolled = self._rollups.between(numbers, held, start, end)
        rolled = rolled.only(~np.isin(keys(rolled.numbers, rolled.ends), keys(packed.numbers, packed.times)))
        late = np.isin(keys(waiting.numbers, waiting.times), keys(rolled.numbers, rolled.ends))
        fresh = joined([packed.only(_inside(packed.times, start, end)), waiting.only(~late)])
        rolled = rolled.only(_inside(rolled.ends, start, end))
        return core.joined([rolled, core.of_samples(settled(fresh), every)])


def _inside(times: Floats, start: float, end: float) -> NDArray[np.bool_]:
    return (times > start) & (times <= end)


def _spans(frame: Frame, start: float, end: float) -> Iterator[tuple[float, float]]:
    """The parts of ``(start, end]`` that are hours in which a frame has samples."""
    for hour in np.unique(hours(frame.times)).tolist():
        yield max(start, hour * HOUR), min(end, (hour + 1) * HOUR)


def _samples(names: Mapping[int, Series], frame: Frame) -> list[Sample]:
    """The samples of a settled frame, by series, then time."""
    by_name = sorted((names[number], where) for number, where in runs(frame.numbers) if number in names)
    return [
        Sample(series.metric, series.labels, time, value)
        for series, where in by_name
        for time, value in zip(frame.times[where].tolist(), frame.values[where].tolist(), strict=True)
    ]
