"""The metrics of a cluster: names, labels and figures of celery-exporter and of Flower, and samples of series."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.cluster.exposition import Exposition, Style
from nightowl.core.cluster.figures import REJECTED, SUCCEEDED, Figures
from nightowl.core.cluster.flower_metrics import flower_metrics
from nightowl.core.cluster.sampling import Sampling
from nightowl.core.cluster.state import Broker, ClusterState, Worker
from tests.core.exposition_reader import read, value
from tests.core.sample_cluster import AT, some_figures, state


def page(figures=None, **options):
    return Exposition(Style(**options)).render([(figures or some_figures(), state())])


def test_families_have_the_names_and_types_of_celery_exporter():
    kinds = read(page())[1]
    for kind in ("sent", "received", "started", "succeeded", "failed", "rejected", "revoked", "retried"):
        assert kinds[f"celery_task_{kind}_total"] == "counter"
        assert kinds[f"celery_task_{kind}_created"] == "gauge"
    assert kinds["celery_task_runtime"] == kinds["celery_task_queue_wait_time"] == "histogram"
    assert kinds["celery_worker_up"] == kinds["celery_queue_length"] == kinds["celery_active_process_count"] == "gauge"


@pytest.mark.parametrize(
    ("metric", "labels", "expected"),
    [
        ("celery_task_succeeded_total", {"name": "shop.charge", "hostname": "web", "queue_name": "mail"}, 5),
        ("celery_task_succeeded_total", {"worker": "b@web", "cluster": "shop"}, 2),
        ("celery_task_failed_total", {"exception": "Boom", "worker": "a@web"}, 1),
        ("celery_task_failed_total", {"exception": ""}, 0),
        ("celery_task_sent_total", {"hostname": "one"}, 1),
        ("celery_task_received_total", {"hostname": "one"}, None),
        ("celery_task_runtime_bucket", {"worker": "a@web", "le": "0.25"}, 0),
        ("celery_task_runtime_bucket", {"worker": "a@web", "le": "0.5"}, 3),
        ("celery_task_runtime_bucket", {"worker": "a@web", "le": "+Inf"}, 3),
        ("celery_task_runtime_count", {"worker": "a@web"}, 3),
        ("celery_task_queue_wait_time_bucket", {"worker": "a@web", "le": "0.05"}, 1),
        ("celery_task_succeeded_created", {"worker": "a@web"}, AT),
        ("celery_worker_up", {"worker": "a@web", "hostname": "web"}, 1),
        ("celery_worker_up", {"worker": "b@web"}, 0),
        ("celery_worker_tasks_active", {"worker": "b@web"}, 0),
        ("celery_queue_length", {"queue_name": "mail"}, 7),
        ("celery_queue_length", {"queue_name": "empty"}, None),
        ("celery_queue_unacked", {"queue_name": "mail"}, 3),
        ("celery_queue_oldest_age_seconds", {"queue_name": "mail"}, 1.5),
        ("nightowl_task_events_total", {"cluster": "shop", "type": "task-sent"}, 2),
        ("nightowl_events_refused_total", {"reason": "garbage"}, 1),
        ("nightowl_events_lost_total", {"cluster": "shop"}, 0),
    ],
)
def test_what_is_shown(metric, labels, expected):
    assert value(page(), metric, **labels) == expected


def test_prefix_labels_and_hostnames_can_be_chosen():
    shown = page(prefix="fleet_", labels=(("env", "live"),), generic_hostnames=True)
    assert value(shown, "fleet_task_sent_total", hostname="generic", env="live") == 2
    assert value(shown, "celery_task_sent_total") is None
    assert value(shown, "fleet_worker_up", env="live", cluster="shop") == 1


def test_the_page_of_one_cluster_has_no_label_for_it():
    shown = Exposition().render([(some_figures(), state())], labelled=False)
    series = read(shown)[0]
    assert not [key for key in series if key[0].startswith("celery_") and "cluster" in dict(key[1])]
    assert value(shown, "nightowl_task_events_total", cluster="shop") == 2


def test_a_failure_that_is_new_since_the_last_scrape_is_shown_at_zero_once():
    exposition, figures = Exposition(), some_figures()

    def failures(exception, at):
        return value(exposition.render([(figures, state(at))]), "celery_task_failed_total", exception=exception)

    assert failures("Boom", AT) == 1
    cell = figures.cell("shop.charge", "a@web", "mail", AT)
    figures.count_failed(cell, "Late", AT + 5)
    figures.count_failed(cell, "Boom", AT + 5)
    assert (failures("Late", AT + 15), failures("Late", AT + 30), failures("Boom", AT + 45)) == (0, 1, 2)
    figures.count_failed(cell, "Unwatched", AT + 50)
    assert failures("Unwatched", AT + 3600) == 1


@given(st.text(), st.text(), st.text())
def test_any_text_is_a_label(name, queue, worker):
    figures = Figures()
    figures.cell(name, worker, queue, AT).counts[REJECTED] = 1
    carried = {"name": name[:200], "queue_name": queue[:200], "worker": worker[:200]}
    assert value(page(figures), "celery_task_rejected_total", **carried) == 1


def test_flowers_families_have_its_labels():
    shown = flower_metrics(some_figures(), state())
    series, kinds = read(shown)
    assert {name for name in kinds if not name.endswith("_created")} == {
        "flower_events_total",
        "flower_task_runtime_seconds",
        "flower_task_prefetch_time_seconds",
        "flower_worker_prefetched_tasks",
        "flower_worker_online",
        "flower_worker_number_of_currently_executing_tasks",
    }
    labels = {key[0]: {name for name, _ in key[1]} for key in series}
    assert labels["flower_events_total"] == {"worker", "type", "task"}
    assert labels["flower_task_runtime_seconds_count"] == {"worker", "task"}
    assert labels["flower_worker_online"] == {"worker"}
    assert value(shown, "flower_events_total", type="task-succeeded", worker="a@web", task="shop.charge") == 3
    assert value(shown, "flower_events_total", type="task-failed") == 1
    assert value(shown, "flower_worker_online", worker="b@web") == 0


def test_flower_counts_what_one_host_sends_to_several_queues_together():
    figures = some_figures()
    figures.count_sent("shop.charge", "one", "other", AT + 5)
    shown = flower_metrics(figures, state())
    assert value(shown, "flower_events_total", type="task-sent", worker="one") == 2
    assert value(shown, "flower_events_created", type="task-sent", worker="one") == AT


@given(
    st.lists(
        st.tuples(*(st.sampled_from(texts) for texts in (("add", "pay", "x" * 300), ("a@web", "b@web"), ("q", "r")))),
        min_size=1,
    ),
    st.lists(st.sampled_from(["Boom", "Late"])),
    st.booleans(),
)
def test_no_series_comes_twice_on_a_page(tasks, exceptions, generic):
    figures = Figures()
    for at, (name, worker, queue) in enumerate(tasks):
        figures.count_sent(name, f"client-{at % 3}", queue, AT)
        cell = figures.cell(name, worker, queue, AT)
        cell.counts[SUCCEEDED] += 1
        figures.observe_runtime(cell, at / 3)
        figures.observe_wait(cell, at)
        for exception in exceptions:
            figures.count_failed(cell, exception, AT)
    of_flower = flower_metrics(figures, state())
    series = read(page(figures, generic_hostnames=generic) + of_flower)[0]  # which refuses what comes twice
    assert sum(value for key, value in series.items() if key[0] == "celery_task_sent_total") == len(tasks)
    assert value(of_flower, "flower_events_total", type="task-sent") == len(tasks)
    assert value(of_flower, "flower_events_total", type="task-succeeded") == len(tasks)


def test_samples_are_summed_over_workers_and_told_when_they_change():
    sampling, figures = Sampling(), some_figures()
    first = {
        (sample.metric, sample.labels, sample.time): sample.value for sample in sampling.step(figures, state(), AT + 5)
    }
    labels = (("cluster", "shop"), ("name", "shop.charge"), ("queue_name", "mail"))
    assert first["celery_task_succeeded_total", labels, AT + 5] == 5
    assert first["celery_task_succeeded_total", labels, AT] == 0
    assert first["celery_task_runtime_count", labels, AT + 5] == 5
    assert first["celery_queue_length", (("cluster", "shop"), ("queue_name", "mail")), AT + 5] == 7
    figures.cell("shop.charge", "a@web", "mail", AT).counts[SUCCEEDED] += 1
    told = [sample for sample in sampling.step(figures, state(), AT + 10) if sample.metric.startswith("celery_task")]
    assert [(sample.metric, sample.value) for sample in told] == [("celery_task_succeeded_total", 6)]
    figures.retire(["a@web", "b@web"])
    told = [sample for sample in sampling.step(figures, state(), AT + 15) if sample.metric.startswith("celery_task")]
    assert told == []
    assert "celery_task_succeeded_total" in {sample.metric for sample in sampling.step(figures, state(), AT + 75)}


def test_a_counter_that_is_new_is_told_at_zero_at_the_step_before():
    sampling, figures = Sampling(), some_figures()
    sampling.step(figures, state(), AT + 5)
    figures.observe_runtime(figures.cell("shop.charge", "a@web", "mail", AT), 25.0)
    told = sampling.step(figures, state(), AT + 200)
    narrow = [(each.time, each.value) for each in told if each.metric == "celery_task_runtime_narrow_sum"]
    assert narrow == [(AT + 200, 1.5), (AT + 200, 25.0)]
    figures.observe_runtime(figures.cell("shop.charge", "a@web", "mail", AT), 3.0)
    told = sampling.step(figures, state(), AT + 210)
    narrow = [(each.time, each.value) for each in told if each.metric == "celery_task_runtime_narrow_count"]
    assert narrow == [(AT + 200, 0.0), (AT + 210, 1.0)]


def test_what_is_known_of_brokers_and_workers_is_measured_and_what_is_not_is_left_out():
    broker = Broker(kind="redis", url="redis://h", memory=1024, clients=3)
    worker = Worker(name="a@web", up=True, heard=AT, since=AT, concurrency=4, memory=2048, skew=-0.5)
    known = ClusterState(name="shop", at=AT, since=AT, broker=broker, workers=(worker,))
    shown = Exposition().render([(Figures(), known)])
    samples = {sample.metric: sample.value for sample in Sampling().step(Figures(), known, AT)}
    assert samples["celery_worker_memory_bytes"] == 2048
    assert value(shown, "celery_broker_memory_bytes", cluster="shop") == 1024
    assert value(shown, "celery_broker_alarms", cluster="shop") == 0
    assert "celery_broker_pubsub_buffer_bytes" not in shown
    assert value(shown, "celery_worker_processes", worker="a@web") == 4
    assert value(shown, "celery_worker_clock_skew_seconds", worker="a@web") == -0.5
    assert "celery_worker_prefetch_count" not in shown
