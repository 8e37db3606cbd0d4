"""What the dashboard for CloudWatch asks for is what the sink sends: names, dimensions and statistics."""

from __future__ import annotations

import re

from tests.deploy.queries import models, named, targets

(MODEL,) = models("cloudwatch")
SENT_BY_THE_SINK_ALONE = {"QueueStatus"}
ASKED = dict(targets(MODEL))


def test_metrics_are_those_of_our_other_dashboards():
    single = {target["metricName"] for target in ASKED.values() if "metricName" in target}
    sought = {
        name for target in ASKED.values() for name in re.findall(r'MetricName="(\w+)"', target.get("expression", ""))
    }
    assert single | sought <= named() | SENT_BY_THE_SINK_ALONE
    assert len(sought) == 8


def test_dimensions_are_the_cluster_and_the_queue():
    assert all(
        set(target["dimensions"]) == {"cluster", "queue_name"} for target in ASKED.values() if "dimensions" in target
    )
    searches = [
        search
        for target in ASKED.values()
        for search in re.findall(r"SEARCH\('\{(.*?)\}", target.get("expression", ""))
    ]
    assert set(searches) == {"NightOwl,cluster,queue_name"}


def test_counts_are_summed_and_gauges_are_not():
    kinds = {
        re.search(r"', '(\w+)', \d+\)", target["expression"])[1] for target in ASKED.values() if "expression" in target
    }
    assert kinds == {"Sum"}
    assert {target["statistic"] for target in ASKED.values() if "statistic" in target} == {"Maximum", "Minimum"}
