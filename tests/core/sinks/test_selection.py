from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.sinks.names import labels_left
from nightowl.core.sinks.selection import Selection, is_counter, keeping, relabelled
from nightowl.core.values import Sample

NAMES = st.sampled_from(["cluster", "name", "queue_name", "worker"])
LABELS = st.dictionaries(NAMES, st.sampled_from(["a", "b"])).map(lambda pairs: tuple(sorted(pairs.items())))
SAMPLES = st.lists(
    st.builds(
        Sample,
        st.sampled_from(["jobs_total", "queue_length"]),
        LABELS,
        st.just(1000.0),
        st.integers(0, 50).map(float),
    ),
    unique_by=lambda sample: (sample.metric, sample.labels),
)
CHANGES = st.dictionaries(
    st.sampled_from(["env", "cluster", "name", "queue"]),
    st.sampled_from(["prod", "{queue_name}", "{worker}", "{nothing}", False]),
)


def sample(metric: str, value: float = 1.0, **labels: str) -> Sample:
    return Sample(metric, tuple(sorted(labels.items())), 1000.0, value)


def test_metrics_are_chosen_by_shell_patterns_of_which_one_fits() -> None:
    chosen = Selection(["celery_*", "check_up"])
    samples = [sample("celery_queue_length"), sample("check_up"), sample("check_up_total"), sample("nightowl_x")]
    assert [each.metric for each in chosen(samples)] == ["celery_queue_length", "check_up"]
    assert [each.metric for each in chosen(samples)] == ["celery_queue_length", "check_up"]


def test_counters_are_told_by_their_names_and_gauges_that_end_like_them_are_not_taken_for_one() -> None:
    assert all(map(is_counter, ["check_attempts_total", "celery_task_runtime_bucket", "celery_task_runtime_sum"]))
    assert is_counter("celery_task_queue_wait_time_count")
    assert not any(map(is_counter, ["celery_active_worker_count", "celery_queue_length", "check_up"]))


def test_labels_are_added_renamed_and_dropped() -> None:
    [found] = relabelled(
        [sample("x", cluster="shop", hostname="h", queue_name="mail")],
        {"env": "prod", "queue": "{queue_name}", "hostname": False, "team": "{nothing}"},
    )
    assert dict(found.labels) == {"env": "prod", "queue": "mail", "cluster": "shop"}


def test_two_labels_change_places() -> None:
    [found] = relabelled([sample("x", a="1", b="2")], {"a": "{b}", "b": "{a}"})
    assert dict(found.labels) == {"a": "2", "b": "1"}


def test_series_that_become_one_are_summed_where_they_count_and_the_highest_where_they_measure() -> None:
    samples = [sample("jobs_total", 3.0, worker="a"), sample("jobs_total", 4.0, worker="b")]
    samples += [sample("queue_length", 3.0, worker="a"), sample("queue_length", 4.0, worker="b")]
    assert [each.value for each in relabelled(samples, {"worker": False})] == [7.0, 4.0]
    assert [each.value for each in keeping(samples, ["cluster"])] == [7.0, 4.0]


@given(SAMPLES, CHANGES)
def test_no_series_is_there_twice_and_what_is_counted_stays(samples, changes) -> None:
    found = relabelled(samples, changes)
    assert len({(each.metric, each.labels) for each in found}) == len(found)
    assert all(each.labels == tuple(sorted(each.labels)) for each in found)
    counted = [sum(each.value for each in some if is_counter(each.metric)) for some in (samples, found)]
    assert counted[0] == counted[1]


@given(SAMPLES, CHANGES)
def test_no_sample_has_a_label_that_is_not_among_those_that_are_left(samples, changes) -> None:
    left = labels_left(changes)
    assert all(name in left for sample in relabelled(samples, changes) for name, _ in sample.labels)
