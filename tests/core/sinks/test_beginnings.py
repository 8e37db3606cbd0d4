from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.sinks.beginnings import Beginnings, begun
from nightowl.core.sinks.selection import relabelled
from nightowl.core.values import Sample

EVERY = 10.0


def failed(value: float, at: float, exception: str = "KeyError", cluster: str = "shop", host: str = "a") -> Sample:
    labels = (("cluster", cluster), ("exception", exception), ("hostname", host))
    return Sample("celery_task_failed_total", labels, at, value)


def told(beginnings: Beginnings, *samples: Sample) -> list[Sample]:
    at = samples[0].time
    found = beginnings.of(samples, at)
    beginnings.taken(samples, at)
    return found


def test_a_counter_that_is_new_among_others_has_a_zero_of_the_snapshot_before() -> None:
    beginnings = Beginnings({}, EVERY)
    assert told(beginnings, failed(3.0, 1000.0)) == []
    assert told(beginnings, failed(3.0, 1008.0), failed(5.0, 1008.0, "TypeError")) == [failed(0.0, 1000.0, "TypeError")]
    assert told(beginnings, failed(3.0, 1018.0), failed(5.0, 1018.0, "TypeError")) == []


def test_the_zero_is_no_older_than_the_time_between_two_snapshots() -> None:
    beginnings = Beginnings({}, EVERY)
    told(beginnings, failed(3.0, 1000.0))
    assert told(beginnings, failed(5.0, 1600.0, "TypeError")) == [failed(0.0, 1590.0, "TypeError")]


def test_of_a_cluster_that_is_new_nothing_is() -> None:
    beginnings = Beginnings({}, EVERY)
    told(beginnings, failed(3.0, 1000.0))
    assert told(beginnings, failed(9.0, 1010.0, cluster="other")) == []


def test_what_is_put_together_with_one_that_is_known_is_known() -> None:
    beginnings = Beginnings({"hostname": False}, EVERY)
    told(beginnings, failed(3.0, 1000.0))
    assert told(beginnings, failed(3.0, 1010.0), failed(4.0, 1010.0, host="b")) == []
    both = (failed(1.0, 1020.0, "TypeError", host="a"), failed(1.0, 1020.0, "TypeError", host="b"))
    [zero] = told(beginnings, *both)
    assert zero == Sample(zero.metric, (("cluster", "shop"), ("exception", "TypeError")), 1010.0, 0.0)


def test_gauges_have_none() -> None:
    beginnings = Beginnings({}, EVERY)
    told(beginnings, failed(3.0, 1000.0))
    assert told(beginnings, Sample("celery_queue_length", (("cluster", "shop"),), 1010.0, 7.0)) == []


Steps = st.lists(
    st.tuples(st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9)), st.booleans()), min_size=1, max_size=12
)


@given(Steps, st.booleans())
def test_what_a_receiver_draws_of_a_new_counter_is_all_of_it(steps, past) -> None:
    """Either way of telling zeros: before the samples, or in place of them in one snapshot."""
    beginnings, at, counted = Beginnings({}, EVERY), 1000.0, dict.fromkeys("_", 1.0)
    received: dict[str, list[float]] = {}
    for rises, arrives in [({}, True), *steps, ({}, True), ({}, True)]:
        at += EVERY
        for name, rise in rises.items():
            counted[name] = counted.get(name, 0.0) + rise
        given_ = [failed(value, at, name) for name, value in counted.items()]
        zeros = beginnings.of(given_, at)
        if arrives:
            beginnings.taken(given_, at)
            for sample in [*zeros, *given_] if past else begun(relabelled(given_, {}), zeros):
                received.setdefault(dict(sample.labels)["exception"], []).append(sample.value)
    for name, values in received.items():
        assert values == sorted(values)
        assert name == "_" or values[-1] - values[0] == counted[name]
