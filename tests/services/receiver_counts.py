"""What each kind of receiver has of a cluster's tasks: counts by stage, task and queue, as its own users would ask."""

from __future__ import annotations

import json
import logging
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

from nightowl.adapters.sources.files import Folder
from nightowl.core.reading import Need
from tests.servers.graphite_server import Graphite
from tests.servers.statsd_server import Statsd

Counts = Counter[tuple[str, str, str]]
"""By stage, task and queue, without those that are 0. Failures are the sum over exceptions."""

STAGES = ("sent", "received", "started", "succeeded", "failed", "retried", "revoked", "rejected")
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "hunter22"}
"""What moto takes for credentials, as variables of the environment."""

REGION = "eu-central-1"
DAY = 86_400
_QUERIES = 500
"""Of one request to CloudWatch at most."""

_METRIC = r"celery_task_([a-z]+)_total"


def safe(text: str) -> str:
    """A text as one part of a dotted path."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)


def tag(text: str) -> str:
    """A text as the value of a tag."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", text)


def ascii_of(text: str) -> str:
    """A text as the value of a dimension."""
    return re.sub(r"[^ -~]", "?", text)


def named(counts: Mapping[tuple[str, str, str], float], name: Any) -> Counts:
    """The same counts, with tasks and queues as ``name`` writes them."""
    found: Counts = Counter()
    for (stage, task, queue), count in counts.items():
        found[stage, name(task), name(queue)] += count
    return +found


def of_statsd(statsd: Statsd, prefix: str = "nightowl") -> Counts:
    """What StatsD has counted at dotted names; tasks and queues are ``safe``."""
    return _at_paths(statsd.counters(), prefix)


def of_tagged_statsd(statsd: Statsd, prefix: str) -> Counts:
    """What StatsD has counted at names with tags; tasks and queues are as tags."""
    found: Counts = Counter()
    for series, count in statsd.counters().items():
        metric, *pairs = series.split(";")
        if stage := re.fullmatch(rf"{prefix}\.{_METRIC}", metric):
            tags = dict(pair.split("=") for pair in pairs)
            found[stage[1], tags["name"], tags["queue_name"]] += count
    return +found


def of_graphite(graphite: Graphite, prefix: str = "nightowl") -> Counts:
    """The last values that graphite-web draws; tasks and queues are ``safe``."""
    values: dict[str, float] = {}
    for end in ("", ".*"):  # that of an exception
        target = quote(f"{prefix}.*.celery_task_*_total.*.*{end}")
        for each in asked(f"{graphite.url}/render?format=json&from=-2min&target={target}"):
            drawn = [value for value, _ in each["datapoints"] if value is not None]
            values[each["target"]] = drawn[-1] if drawn else 0.0
    return _at_paths(values, prefix)


def of_prometheus(url: str, prefix: str = "", queue: str = "queue_name") -> Counts:
    """What the API of Prometheus answers, or of what speaks like it; ``queue`` is the label of queues."""
    found: Counts = Counter()
    query = f'{{__name__=~"{prefix}celery_task_[a-z]+_total"}}'
    answer = asked(f"{url}/api/v1/query?query={quote(query)}")
    for each in answer["data"]["result"]:
        labels = each["metric"]
        if stage := re.fullmatch(prefix + _METRIC, labels["__name__"]):
            found[stage[1], labels["name"], labels[queue]] += float(each["value"][1])
    return +found


def of_files(folder: Path) -> Counts:
    """The last values that a source of files reads."""
    now = time.time()
    needs = [Need(name=s, metric=f"celery_task_{s}_total", windows=((now - 300, now + 300),)) for s in STAGES]
    found: Counts = Counter()
    for need, got in zip(needs, Folder(folder).read(needs, 5.0), strict=True):
        assert not got[""].fault
        for series, points in got[""].series.items():
            labels = dict(series.labels)
            found[need.name, labels["name"], labels["queue_name"]] += points.values[-1]
    return +found


class CloudWatch:
    """What is in moto's CloudWatch, asked by boto3."""

    def __init__(self, url: str) -> None:
        import boto3  # noqa: PLC0415 - an extra

        names = {"aws_access_key_id": KEYS["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": KEYS["AWS_SECRET_ACCESS_KEY"]}
        self._client = boto3.client("cloudwatch", endpoint_url=url, region_name=REGION, **names)

    def counts(self) -> Counts:
        """Sums of all that was sent; tasks and queues are as dimensions."""
        pages = self._client.get_paginator("list_metrics").paginate(Namespace="NightOwl")
        metrics = [each for page in pages for each in page["Metrics"] if re.fullmatch(_METRIC, each["MetricName"])]
        found: Counts = Counter()
        for first in range(0, len(metrics), _QUERIES):
            found += self._sums(metrics[first : first + _QUERIES])
        return found

    def _sums(self, metrics: Sequence[dict[str, Any]]) -> Counts:
        found: Counts = Counter()
        queries = [
            {"Id": f"m{number}", "MetricStat": {"Metric": metric, "Period": DAY, "Stat": "Sum"}}
            for number, metric in enumerate(metrics)
        ]
        now = time.time()
        answer = self._client.get_metric_data(
            MetricDataQueries=queries, StartTime=now - 3600, EndTime=now + 3600, MaxDatapoints=10 * _QUERIES
        )
        for each in answer["MetricDataResults"]:
            metric = metrics[int(each["Id"][1:])]
            labels = {pair["Name"]: pair["Value"] for pair in metric["Dimensions"]}
            stage = metric["MetricName"].removeprefix("celery_task_").removesuffix("_total")
            found[stage, labels["name"], labels["queue_name"]] = sum(each["Values"])
        return found

    def statistic(self, metric: str, kind: str, **labels: str) -> float:
        """One statistic of the last hour, summed."""
        answer = self._client.get_metric_statistics(
            Namespace="NightOwl",
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in sorted(labels.items())],
            StartTime=time.time() - 3600,
            EndTime=time.time() + 3600,
            Period=DAY,
            Statistics=[kind],
        )
        return sum(each[kind] for each in answer["Datapoints"])

    def close(self) -> None:
        """Let connections go."""
        self._client.close()


@contextmanager
def moto() -> Iterator[str]:
    """Serve moto's AWS at this URL, empty: its servers share what this process has.

    Raises ``ImportError`` where it is not installed.
    """
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - may be missing

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        urlopen(Request(f"{url}/moto-api/reset", method="POST"), timeout=10).close()
        yield url
    finally:
        server.stop()


def asked(url: str) -> Any:
    """What stands at a URL, as JSON. Raises ``OSError``."""
    with urlopen(url, timeout=10) as answer:
        return json.load(answer)


def _at_paths(values: Mapping[str, float], prefix: str) -> Counts:
    found: Counts = Counter()
    for path, value in values.items():
        if parts := re.fullmatch(rf"{prefix}\.shop\.{_METRIC}\.([^.]+)\.([^.]+)(\.[^.]+)?", path):
            found[parts[1], parts[2], parts[3]] += value
    return +found
