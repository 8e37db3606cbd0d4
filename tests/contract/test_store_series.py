"""Samples, and checks as series."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest

from nightowl.adapters.store_sql import open_store
from nightowl.core.series import Series
from nightowl.core.values import Attempt, Outcome, Phases, Sample, State
from nightowl.ports import Store

NOW = 1_790_000_000.25


def sample(time: float, value: float = 1.0, *, queue: str = "mail", metric: str = "queue_length") -> Sample:
    return Sample(metric, (("cluster", "shop"), ("queue", queue)), time, value)


def test_a_window_has_the_samples_of_all_series_with_these_labels(store: Store) -> None:
    samples = [sample(time, queue=queue) for queue in ("ünï", "mail") for time in (NOW, NOW + 0.1, NOW + 0.2)]
    with store.transaction() as unit:
        unit.series.append("test", NOW, [*samples, sample(NOW + 0.1, metric="other")])
    with store.read() as unit:
        assert unit.series.window("queue_length", {}, NOW, NOW + 0.2) == [*samples[4:], *samples[1:3]]
        assert unit.series.window("queue_length", {"queue": "mail"}, 0, NOW) == [samples[3]]
        assert unit.series.window("queue_length", {"queue": "sms"}, 0, NOW) == []
        assert unit.series.window("queue_length", {"que": "mail"}, 0, NOW) == []


def test_of_two_samples_at_one_time_the_last_written_wins(store: Store) -> None:
    with store.transaction() as unit:
        unit.series.append("test", NOW, [sample(NOW, 1.0), sample(NOW, 2.0), sample(NOW + 1, 5.0)])
        unit.series.append("test", NOW + 1, [sample(NOW + 1, 6.0)])
        unit.series.append(
            "test", NOW + 2, [sample(NOW + 2, math.nan), sample(NOW + 3, math.inf), sample(NOW + 4, -math.inf)]
        )
    with store.read() as unit:
        assert [item.value for item in unit.series.window("queue_length", {}, 0, NOW + 9)] == [2.0, 6.0]


def test_the_latest_sample_of_each_series_is_known(store: Store) -> None:
    with store.transaction() as unit:
        unit.series.append("test", NOW, [sample(NOW), sample(NOW + 1, 7.0), sample(NOW - 1, queue="sms")])
    with store.read() as unit:
        assert unit.series.latest(NOW - 1) == [sample(NOW + 1, 7.0)]
        assert unit.series.latest(NOW - 2) == [sample(NOW + 1, 7.0), sample(NOW - 1, queue="sms")]


def test_checks_are_series_too(store: Store) -> None:
    phases = Phases(dns=0.001, connect=0.002)
    states = {"oslo": State.DEGRADED, "london": State.DOWN, "paris": State.UNKNOWN}
    with store.transaction() as unit:
        for check in ("shop", "cart"):
            unit.rounds.add_outcomes(
                [
                    Outcome(
                        check=check,
                        due=NOW,
                        location=location,
                        state=state,
                        attempts=(Attempt(state=state, started=NOW, duration=0.5, phases=phases),),
                        kept=0,
                    )
                    for location, state in states.items()
                ]
            )
    with store.read() as unit:
        ups = unit.series.window("check_up", {"check": "shop"}, NOW - 1, NOW)
        assert [(dict(item.labels)["location"], item.value, item.time) for item in ups] == [
            ("london", 0.0, NOW),
            ("oslo", 1.0, NOW),
        ]
        assert len(unit.series.window("check_up", {}, NOW - 1, NOW)) == 4
        assert unit.series.window("check_up", {}, NOW, NOW + 1) == []
        durations = unit.series.window("check_duration_seconds", {"location": "oslo", "check": "shop"}, 0, NOW)
        assert [(dict(item.labels)["phase"], item.value) for item in durations] == [
            ("connect", 0.002),
            ("dns", 0.001),
            ("total", 0.5),
        ]
        assert len(unit.series.window("check_duration_seconds", {"phase": "dns"}, 0, NOW)) == 4


def test_a_step_that_is_written_again_replaces_what_was_written(store: Store) -> None:
    with store.transaction() as unit:
        unit.series.append("watcher", NOW, [sample(NOW, 1.0), sample(NOW + 1, 2.0)])
        unit.series.append("director", NOW, [sample(NOW + 2, 3.0)])
        unit.series.append("watcher", NOW + 9, [sample(NOW + 3, 5.0)])
        unit.series.append("director", NOW + 9, [sample(NOW + 3, 6.0)])
        unit.series.append("watcher", NOW + 9, [sample(NOW + 3, 7.0)])
    with store.transaction() as unit:
        unit.series.append("watcher", NOW, [sample(NOW + 1, 4.0)])
        positions = [position for position, _ in unit.series.tail(2, 9)]
        [(last, frame)] = unit.series.tail(4, 9)
        assert (positions, last, unit.series.last()) == ([3, 4, 5], 5, 5)
        assert unit.series.names(frame.numbers.tolist()) == {1: Series("queue_length", sample(NOW).labels)}
    with store.read() as unit:
        assert [(item.time, item.value) for item in unit.series.window("queue_length", {}, 0, NOW + 9)] == [
            (NOW + 1, 4.0),
            (NOW + 2, 3.0),
            (NOW + 3, 7.0),
        ]


def test_numbers_stay_and_a_transaction_that_fails_gives_none(store: Store) -> None:
    first, second, third = (Series("m", (("n", str(n)),)) for n in range(3))

    def fail() -> None:
        with store.transaction() as unit:
            assert unit.series.number([first]).tolist() == [1]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with store.transaction() as unit:
        assert unit.series.number([second, second]).tolist() == [1, 1]
        assert len(unit.series.frame("m", {"n": "1"}, 0, NOW)) == 0
    with store.transaction() as unit:
        assert unit.series.number([first, third, second]).tolist() == [2, 3, 1]
        assert unit.series.names([1, 2, 3, 4]) == {1: second, 2: first, 3: third}


def test_what_another_process_forgot_gets_another_number(lasting_url: str) -> None:
    here, there = open_store(lasting_url, migrate=True), open_store(lasting_url)
    series = Series("queue_length", sample(NOW).labels)
    with here.transaction() as unit:
        unit.series.append("test", NOW, [sample(NOW)])
        assert unit.series.compact(NOW + 7200, 9) == 1
    with there.transaction() as unit:
        assert unit.series.number([series]).tolist() == [1]
        for kind in ("series", "rollups", "rollups"):
            unit.retention.prune(kind, NOW + 2 * 86_400, 999)
    with here.transaction() as unit:
        assert unit.series.number([series]).tolist() == [2]
        assert unit.series.names([1, 2]) == {2: series}
        unit.series.append("test", NOW + 1, [sample(NOW + 1)])
    with there.read() as unit:
        assert unit.series.window("queue_length", {"queue": "mail"}, 0, NOW + 9) == [sample(NOW + 1)]
    here.close()
    there.close()


def test_who_follows_the_tail_misses_nothing_however_many_write(lasting_url: str) -> None:
    store = open_store(lasting_url, migrate=True)
    failures: list[BaseException] = []

    def write(role: str) -> None:
        try:
            for step in range(10):
                with store.transaction() as unit:
                    unit.series.append(
                        role, NOW + step, [sample(NOW + step, queue=f"{role}-{step}"), sample(NOW + step)]
                    )
        except BaseException as error:  # noqa: BLE001  # told to the test below
            failures.append(error)

    writers = [threading.Thread(target=write, args=(role,)) for role in "abcd"]
    for writer in writers:
        writer.start()
    seen: list[int] = []
    while any(writer.is_alive() for writer in writers) or len(seen) < store_last(store):
        with store.read() as unit:
            seen += [position for position, _ in unit.series.tail(seen[-1] if seen else 0, 7)]
    assert failures == []
    assert seen == list(range(1, len(seen) + 1))
    with store.read() as unit:
        assert len(unit.series.window("queue_length", {}, 0, NOW + 99)) == 40 + 10
    store.close()


def store_last(store: Store) -> int:
    with store.read() as unit:
        return unit.series.last()


def test_samples_come_back_exactly_after_their_hour_is_compacted(store: Store) -> None:
    values = [0.1 + 0.2, -0.0, 1e-308, 1.7e308, 2.0**63, 123456789.000001, 1.0, -5.0] * 40
    times = [NOW + n / 7 for n in range(len(values))]
    with store.transaction() as unit:
        unit.series.append("test", times[-1], [sample(*pair) for pair in zip(times, values, strict=True)])
        assert unit.series.compact(times[-1] + 7200, 9) == 1
        assert unit.series.tail(0, 9) == []
        found = unit.series.frame("queue_length", {}, 0, times[-1])
    assert found.times.tobytes() == np.array(times).tobytes()
    assert found.values.tobytes() == np.array(values).tobytes()


def test_checks_have_frames_and_buckets(store: Store) -> None:
    attempt = Attempt(state=State.UP, started=NOW, duration=0.5)
    with store.transaction() as unit:
        for n in range(4):
            outcome = Outcome(
                check="shop", due=NOW + 100 * n, location="oslo", state=State.UP, attempts=(attempt,), kept=0
            )
            unit.rounds.add_outcomes([outcome])
    labels = (("check", "shop"), ("location", "oslo"))
    with store.read() as unit:
        [series], frame = unit.series.check_frame("check_up", {}, NOW, NOW + 400)
        assert (series, frame.times.tolist()) == (Series("check_up", labels), [NOW + 100, NOW + 200, NOW + 300])
        [(series, buckets)] = unit.series.range("check_duration_seconds", {}, NOW, NOW + 400, 200).items()
        assert series.labels == (*labels, ("phase", "total"))
        assert (buckets.means.tolist(), buckets.counts.tolist()) == ([0.5, 0.5], [2, 2])
