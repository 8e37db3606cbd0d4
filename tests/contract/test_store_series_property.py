"""Whatever is appended, compacted and forgotten in whatever order: the store says what a plain reference says."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from nightowl.adapters.store_sql import SqlStore, open_store
from nightowl.adapters.store_sql.schema import HOURS, ROLLUPS, STEPS
from nightowl.core.frame import joined
from nightowl.core.series import Series
from nightowl.core.values import Sample

HOUR = 3600
START = 1_790_006_400  # midnight, UTC
SERIES_OF = [Series("m", (("q", "a"),)), Series("m", (("q", "b"),)), Series("n")]

Point = tuple[int, float, float]
"""A series by its place, a time and a value."""


def hour_of(time: float) -> int:
    return math.ceil(time / HOUR) - 1


def end_of(time: float, every: float) -> float:
    return math.ceil(time / every) * every


class Reference:
    """Steps as they were written, the samples of each series and hour that was compacted, and those rolled up."""

    def __init__(self) -> None:
        self.steps: dict[tuple[str, float], list[Point]] = {}
        self.packed: dict[tuple[int, int], dict[float, float]] = {}
        self.rolled: dict[tuple[int, int], dict[float, float]] = {}

    def append(self, role: str, step: float, points: Sequence[Point]) -> None:
        self.steps.pop((role, step), None)
        self.steps[role, step] = [point for point in points if math.isfinite(point[2])]

    def compact(self, now: float, limit: int) -> None:
        ended = (now - 300) // HOUR * HOUR
        for _ in range(limit):
            due = [step <= ended + 300 or step > now + HOUR for _, step in self.steps]
            waiting = [min((time for _, time, _ in points), default=math.inf) for points in self.steps.values()]
            if not any(is_due and oldest <= ended for is_due, oldest in zip(due, waiting, strict=True)):
                return
            hour = hour_of(min(waiting))
            moved = defaultdict(dict)
            for key, points in self.steps.items():
                for series, time, value in points:
                    if hour_of(time) == hour:
                        moved[series, hour][time] = value
                self.steps[key] = [point for point in points if hour_of(point[1]) > hour]
            for key, samples in moved.items():
                if key in self.packed or key not in self.rolled:
                    self.packed[key] = self.packed.get(key, {}) | samples
                    self.rolled[key] = self.packed[key]

    def prune(self, kind: str, before: float) -> None:
        """Forget samples; rollups, which are kept as long at least, with them."""
        self.packed = {key: each for key, each in self.packed.items() if key[1] >= before // HOUR}
        newest = {key: max((time for _, time, _ in points), default=0) for key, points in self.steps.items()}
        self.steps = {key: points for key, points in self.steps.items() if newest[key] >= before}
        if kind == "rollups":
            self.rolled = {key: each for key, each in self.rolled.items() if key[1] // 24 >= before // (24 * HOUR)}

    def waiting(self) -> list[Point]:
        return [point for points in self.steps.values() for point in points]

    def samples(self, series: int) -> dict[float, float]:
        """All raw samples of a series by time."""
        found = {time: value for (one, _), each in self.packed.items() if one == series for time, value in each.items()}
        found |= {time: value for one, time, value in self.waiting() if one == series}
        return dict(sorted(found.items()))

    def buckets(self, series: int, start: float, end: float, every: float) -> dict[float, tuple[float, ...]]:
        """End: low, high, total, count."""
        late = {key for key in self.rolled if key not in self.packed}
        found = defaultdict(list)
        for time, value in self.samples(series).items():
            if (series, hour_of(time)) not in late:
                found[end_of(time, every)].append(value)
        for key in late:
            for time, value in self.rolled[key].items() if key[0] == series else ():
                found[end_of(end_of(time, 300), every)].append(value)
        first, last = start // every * every, end_of(end, every)
        return {
            at: (min(values), max(values), math.fsum(values), len(values))
            for at, values in sorted(found.items())
            if first < at <= last
        }


MOMENTS = [START + hour * HOUR + offset for hour, offset in product((0, 1, 24), (0, 10, 301.5, 3590.123456789))]
STEPS_OF = [START + hour * HOUR + offset for hour, offset in product((0, 1, 25), (10, 3600))]
"""Few, so that what is written meets what is there."""

NOWS = [START + hours * HOUR + 300 for hours in (1, 2, 30)]

points = st.tuples(
    st.integers(0, 2),
    st.sampled_from(MOMENTS),
    st.sampled_from([0.0, -0.0, 1.0, 2.0, 2.5, -7.1, 1e300, 3e-9, 2.0**60, math.nan, math.inf]),
)
VALUES = [[5.0] * 40, [float(n) for n in range(60)], [n * 0.1 for n in range(50)], [2.0**0.5 * n for n in range(90)]]
runs = st.builds(
    lambda place, start, every, values: [(place, start + every * n, value) for n, value in enumerate(values)],
    st.integers(0, 2),
    st.sampled_from(MOMENTS),
    st.sampled_from([1.0, 10.0, 97.3]),
    st.sampled_from(VALUES),
)
"""What is long enough to be worth compressing."""

appends = st.tuples(
    st.just("append"),
    st.sampled_from("xy"),
    st.sampled_from(STEPS_OF),
    st.one_of(st.lists(points, min_size=1, max_size=6), runs),
)
compactions = st.tuples(st.just("compact"), st.sampled_from(NOWS), st.sampled_from([1, 9]))
prunings = st.tuples(
    st.just("prune"),
    st.sampled_from(["series", "series", "rollups"]),
    st.sampled_from([START + hours * HOUR for hours in (1, 2, 24, 48)]),
)
operations = st.one_of(appends, appends, compactions, compactions, prunings, st.just(("reopen",)))


def emptied(store: SqlStore) -> None:
    """Take out what the example before left there."""
    with store._engines.writer.begin() as connection:
        for table in (STEPS, HOURS, ROLLUPS):
            connection.execute(delete(table))


def agree(store: SqlStore, reference: Reference) -> None:
    with store.read() as unit:
        for place, series in enumerate(SERIES_OF):
            every = dict(series.labels)
            samples = reference.samples(place)
            for start, end in ((0.0, math.inf), (START + HOUR, START + 2 * HOUR)):
                wanted = [Sample(*series, time, value) for time, value in samples.items() if start < time <= end]
                assert unit.series.window(series.metric, every, start, end) == wanted
                frame = unit.series.frame(series.metric, every, start, end)
                assert list(zip(frame.times, frame.values, strict=True)) == [(each.time, each.value) for each in wanted]
            for width, start, end in (
                (300.0, 0.0, 9e9),
                (7200.0, START, START + 9000),
                (70.0, START + 400, START + 8000),
            ):
                wanted_buckets = reference.buckets(place, start, end, width)
                found = unit.series.range(series.metric, every, start, end, width).get(series)
                assert (found.ends.tolist() if found else []) == list(wanted_buckets)
                if found:
                    columns = (found.lows, found.highs, found.totals, found.counts)
                    assert np.allclose(np.array(columns).T, list(wanted_buckets.values()), rtol=1e-12, atol=0)
        assert len(unit.series.window("m", {}, 0.0, math.inf)) == sum(len(reference.samples(place)) for place in (0, 1))
        newest = [
            Sample(*series, *list(reference.samples(place).items())[-1])
            for place, series in enumerate(SERIES_OF)
            if reference.samples(place)
        ]
        assert unit.series.latest(0.0) == newest
        tail = unit.series.tail(0, 1000)
        assert [position for position, _ in tail] == sorted({position for position, _ in tail})
        rows = joined([frame for _, frame in tail])
        names = unit.series.names(rows.numbers.tolist())
        told = {
            (names[number], time): value
            for number, time, value in zip(rows.numbers.tolist(), rows.times, rows.values, strict=True)
        }
        assert told == {(SERIES_OF[place], time): value for place, time, value in reference.waiting()}


def follow(store: SqlStore, url: str, steps: Sequence[tuple[Any, ...]]) -> SqlStore:
    """Do these steps and compare; return the store, which may have been opened anew."""
    reference = Reference()
    emptied(store)
    for kind, *arguments in steps:
        if kind == "reopen":
            store.close()
            store = open_store(url)
            continue
        getattr(reference, kind)(*arguments)
        with store.transaction() as unit:
            if kind == "append":
                role, step, points = arguments
                unit.series.append(role, step, [Sample(*SERIES_OF[at], time, value) for at, time, value in points])
            elif kind == "compact":
                unit.series.compact(*arguments)
            else:
                unit.retention.prune("series", arguments[1], 10_000)
                unit.retention.prune(arguments[0], arguments[1], 10_000)
    agree(store, reference)
    return store


PHASES = [phase for phase in Phase if phase is not Phase.shrink]
"""What SQLite finds is small enough to be understood, and a server would take minutes to make it smaller."""

MERGED = [
    ("append", "x", STEPS_OF[0], [(0, START + 10.0 * n, float(n)) for n in range(60)]),
    ("compact", NOWS[0], 9),
    ("append", "x", STEPS_OF[1], [(0, START + 300.0, -1.0), (1, START + 300.0, -1.0)]),
    ("compact", NOWS[1], 9),
    ("prune", "series", START + HOUR),
    ("append", "y", STEPS_OF[2], [(0, START + 5.0, 9.0)]),
]
ON_THE_EDGE = [("append", "x", STEPS_OF[0], [(0, START + HOUR, 1.0)]), ("compact", NOWS[0], 9)]

EXAMPLES = {"sqlite": 60, "postgresql": 5, "mariadb": 5}


@pytest.mark.parametrize(
    "back_end",
    [
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.postgresql),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ],
)
def test_the_store_says_what_the_reference_says(request: pytest.FixtureRequest, tmp_path: Path, back_end: str) -> None:
    url = f"sqlite:///{tmp_path / 'owl.db'}" if back_end == "sqlite" else request.getfixturevalue(f"{back_end}_url")
    stores = [open_store(url, migrate=True)]

    @settings(max_examples=EXAMPLES[back_end], deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
    @example(MERGED)
    @example(ON_THE_EDGE)
    @given(st.lists(operations, min_size=5, max_size=16))
    def check(steps: list[tuple[Any, ...]]) -> None:
        stores[0] = follow(stores[0], url, steps)

    check()
    stores[0].close()
