"""Samples, and checks as series."""

from __future__ import annotations

import math

from nightowl.core.values import Attempt, Outcome, Phases, Sample, State
from nightowl.ports import Store

NOW = 1_790_000_000.25


def sample(time: float, value: float = 1.0, *, queue: str = "mail", metric: str = "queue_length") -> Sample:
    return Sample(metric, (("cluster", "shop"), ("queue", queue)), time, value)


def test_a_window_has_the_samples_of_all_series_with_these_labels(store: Store) -> None:
    samples = [sample(time, queue=queue) for queue in ("ünï", "mail") for time in (NOW, NOW + 0.1, NOW + 0.2)]
    with store.transaction() as unit:
        unit.series.append([*samples, sample(NOW + 0.1, metric="other")])
    with store.read() as unit:
        assert unit.series.window("queue_length", {}, NOW, NOW + 0.2) == [*samples[4:], *samples[1:3]]
        assert unit.series.window("queue_length", {"queue": "mail"}, 0, NOW) == [samples[3]]
        assert unit.series.window("queue_length", {"queue": "sms"}, 0, NOW) == []
        assert unit.series.window("queue_length", {"que": "mail"}, 0, NOW) == []


def test_of_two_samples_at_one_time_the_last_written_wins(store: Store) -> None:
    with store.transaction() as unit:
        unit.series.append([sample(NOW, 1.0), sample(NOW, 2.0), sample(NOW + 1, 5.0)])
        unit.series.append([sample(NOW + 1, 6.0)])
        unit.series.append([sample(NOW + 2, math.nan), sample(NOW + 3, math.inf), sample(NOW + 4, -math.inf)])
    with store.read() as unit:
        assert [item.value for item in unit.series.window("queue_length", {}, 0, NOW + 9)] == [2.0, 6.0]


def test_the_latest_sample_of_each_series_is_known(store: Store) -> None:
    with store.transaction() as unit:
        unit.series.append([sample(NOW), sample(NOW + 1, 7.0), sample(NOW - 1, queue="sms")])
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
