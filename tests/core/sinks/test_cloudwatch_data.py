from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightowl.core.series import labels
from nightowl.core.sinks.cloudwatch import GREATEST, LARGEST, MOST, batches, gauges, size_of, statuses, timers
from nightowl.core.sinks.timers import Spread
from nightowl.core.values import Sample

NOW = 1_700_000_000.0
DAY = 86400.0


def sample(value: float = 1.0, at: float = NOW, metric: str = "celery_queue_length", **pairs: str) -> Sample:
    return Sample(metric, labels(pairs.items()), at, value)


def test_a_datum_has_labels_as_dimensions_and_the_time() -> None:
    assert list(gauges([sample(4.0, cluster="shop", queue_name="emails")], NOW, "owl_")) == [
        {
            "MetricName": "owl_celery_queue_length",
            "Dimensions": [{"Name": "cluster", "Value": "shop"}, {"Name": "queue_name", "Value": "emails"}],
            "Timestamp": NOW,
            "Value": 4.0,
        }
    ]


@pytest.mark.parametrize(
    "unfit",
    [
        sample(nan),
        sample(inf),
        sample(-inf),
        sample(GREATEST * 2),
        sample(-GREATEST * 2),
        sample(at=NOW - 15 * DAY),
        sample(at=NOW + 3 * 3600),
        sample(**{f"l{number}": "x" for number in range(31)}),
    ],
)
def test_what_cloudwatch_would_refuse_is_left_out(unfit) -> None:
    assert list(gauges([unfit], NOW)) == [None]


def test_limits_themselves_are_kept() -> None:
    good = [sample(GREATEST), sample(-GREATEST), sample(at=NOW - 13 * DAY), sample(at=NOW + 3600)]
    good.append(sample(**{f"l{number}": "x" for number in range(30)}))
    assert None not in list(gauges(good, NOW))


def test_dimensions_are_never_empty_and_of_plain_letters() -> None:
    [datum] = gauges([sample(cluster="", queue_name="  ", name="é\n", check="x" * 2000)], NOW)
    assert datum["Dimensions"] == [{"Name": "check", "Value": "x" * 1024}, {"Name": "name", "Value": "??"}]


def test_a_spread_is_a_statistic_set_whose_count_and_sum_are_right() -> None:
    spread = Spread("celery_task_runtime", (), ((0.1, 0.0), (1.0, 3.0), (inf, 1.0)), 12.0)
    [datum] = timers([spread], NOW, NOW)
    found = datum["StatisticValues"]
    assert (found["SampleCount"], found["Sum"]) == (4.0, 12.0)
    assert 0.1 <= found["Minimum"] <= 3.0 <= found["Maximum"]
    assert datum["Unit"] == "Seconds"


def test_a_queue_is_critical_from_its_threshold_on() -> None:
    samples = [sample(999.0, queue_name="emails"), sample(1000.0, queue_name="emails", cluster="b")]
    samples += [sample(5000.0, queue_name="other"), sample(5000.0, metric="celery_queue_unacked", queue_name="emails")]
    found = list(statuses(samples, {"emails": 1000.0}))
    assert [(each.metric, each.value) for each in found] == [("QueueStatus", 0.0), ("QueueStatus", 1.0)]


@given(st.lists(st.integers(0, 30), max_size=60), st.integers(1, 1000))
@settings(max_examples=30)
def test_no_request_is_larger_than_may_be_and_nothing_is_lost(dimensions, length) -> None:
    data = []
    for number in dimensions:
        data += [*gauges([sample(**{f"l{each}": "x" * length for each in range(number)})], NOW)] * 40
    found = list(batches(data))
    assert [datum for batch in found for datum in batch] == data
    assert all(len(batch) <= MOST for batch in found)
    assert all(sum(map(size_of, batch)) <= LARGEST for batch in found)


def test_a_thousand_metrics_are_one_request_and_one_more_is_two() -> None:
    data = list(gauges([sample(queue_name=str(number)) for number in range(MOST + 1)], NOW))
    assert [len(batch) for batch in batches(data)] == [MOST, 1]


def test_the_estimate_of_a_size_is_never_below_what_boto3_sends() -> None:
    boto3 = pytest.importorskip("boto3")
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "eu-central-1"}
    client = boto3.client("cloudwatch", endpoint_url="http://127.0.0.1:9", **keys)
    sizes = []

    class Enough(Exception):
        pass

    def sent(request, **_):
        sizes.append(len(request.body))
        raise Enough

    client.meta.events.register("before-send.cloudwatch.PutMetricData", sent)
    data = list(gauges([sample(queue_name='&"%' * 50, cluster="shop", n=str(n)) for n in range(500)], NOW))
    data += timers([Spread("celery_task_runtime", (("name", "x"),), ((1.0, 3.0),), 1.5)] * 200, NOW, NOW)
    for batch in batches(data):
        with pytest.raises(Enough):
            client.put_metric_data(Namespace="NightOwl", MetricData=batch)
        assert 0 < sizes[-1] <= sum(map(size_of, batch)) <= 1_000_000
    client.close()
