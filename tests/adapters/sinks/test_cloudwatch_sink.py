"""What CloudWatch is sent again, and what not. A server that throttles cannot be had, so the client is scripted."""

from __future__ import annotations

import time
from typing import Any

import pytest

from nightowl.adapters.sinks.cloudwatch import CloudWatch
from nightowl.core.errors import DeliveryFailed
from nightowl.core.sinks.settings import SinkSettings
from nightowl.core.values import Sample

exceptions = pytest.importorskip("botocore.exceptions")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of boto3


class Client:
    """Raises what stands next in the script, or takes the data."""

    def __init__(self, script: list[Exception | None]) -> None:
        self.script = script
        self.taken: list[list[dict[str, Any]]] = []

    def put_metric_data(self, **request: Any) -> None:
        answer = self.script.pop(0) if self.script else None
        if answer is not None:
            raise answer
        self.taken.append(request["MetricData"])

    def close(self) -> None:
        """Nothing to do."""


def answered(code: str, status: int) -> Exception:
    answer = {"Error": {"Code": code, "Message": "x"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return exceptions.ClientError(answer, "PutMetricData")


@pytest.fixture
def scripted(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")

    def make(*script: Exception | None) -> tuple[CloudWatch, Client]:
        options = {"region": "eu-central-1", "dimensions": ["cluster", "queue_name"]}
        sink = CloudWatch(SinkSettings(name="c", kind="cloudwatch", options=options))
        sink.close()
        client = sink._client = Client(list(script))
        return sink, client

    return make


def snapshot(at: float, count: float = 0.0, queues: int = 1_500) -> list[Sample]:
    shop = ("cluster", "shop")
    lengths = [Sample("celery_queue_length", (shop, ("queue_name", str(n))), at, 1.0) for n in range(queues)]
    return [*lengths, Sample("jobs_total", (shop,), at, count)]


def test_what_throttling_kept_back_is_sent_again_and_nothing_twice(scripted) -> None:
    sink, client = scripted(None, answered("Throttling", 400))
    at = time.time()
    with pytest.raises(DeliveryFailed, match="Throttling") as told:
        sink.emit(snapshot(at), at)
    assert not told.value.permanent
    assert sink.emit(snapshot(at), at) == {}
    assert len(client.taken) == 2
    names = [datum["Dimensions"][1]["Value"] for batch in client.taken for datum in batch]
    assert len(names) == len(set(names)) == 1_500


def test_what_is_refused_for_good_is_dropped_and_counted(scripted) -> None:
    sink, client = scripted(answered("InvalidParameterValue", 400))
    at = time.time()
    dropped = sink.emit(snapshot(at), at)
    assert dropped == {"refused": 1_500 - len(client.taken[0])}
    assert len(client.taken) == 1


def test_where_all_is_refused_that_is_told_and_counts_are_sent_later(scripted) -> None:
    sink, client = scripted(None, answered("AccessDenied", 403))
    at = time.time()
    sink.emit(snapshot(at, 5.0, queues=1), at)
    with pytest.raises(DeliveryFailed, match="AccessDenied") as told:
        sink.emit(snapshot(at + 1, 7.0, queues=1), at + 1)
    assert told.value.permanent
    sink.emit(snapshot(at + 2, 9.0, queues=1), at + 2)
    assert [datum["Value"] for datum in client.taken[-1] if datum["MetricName"] == "jobs_total"] == [4.0]


def test_what_is_beyond_the_limits_is_left_out_and_counted(scripted) -> None:
    sink, client = scripted()
    at = time.time()
    odd = [Sample("celery_queue_length", (("queue_name", "odd"),), at, 2.0**361)]
    assert sink.emit(snapshot(at, queues=2) + odd, at) == {"unfit": 1}
    assert [len(batch) for batch in client.taken] == [2]


def test_an_endpoint_that_does_not_answer_is_tried_again(scripted) -> None:
    sink, _ = scripted(exceptions.EndpointConnectionError(endpoint_url="https://secret.example"))
    with pytest.raises(DeliveryFailed) as told:
        sink.emit(snapshot(time.time()), time.time())
    assert not told.value.permanent
    assert "secret" not in str(told.value)


@pytest.fixture
def nothing_set(monkeypatch, tmp_path) -> None:
    for name in ("REGION", "DEFAULT_REGION", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.usefixtures("nothing_set")
def test_what_is_missing_is_told_with_what_to_set(monkeypatch) -> None:
    settings = SinkSettings(name="c", kind="cloudwatch", url="http://127.0.0.1:9")
    with pytest.raises(DeliveryFailed, match="NoRegionError: set region, or AWS_REGION"):
        CloudWatch(settings)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    sink = CloudWatch(settings)
    with pytest.raises(DeliveryFailed, match="NoCredentialsError: set AWS_ACCESS_KEY_ID"):
        sink.emit(snapshot(time.time(), queues=1), time.time())
    sink.close()


def test_that_credentials_were_found_is_not_logged_at_each_start(scripted, caplog) -> None:
    with caplog.at_level("INFO"):
        scripted()
    assert "credentials" not in caplog.text
