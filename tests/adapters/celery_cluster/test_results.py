"""Results of tasks in a real result backend, written by a real worker."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import redis

from nightowl.adapters.celery_cluster.control.remote import control
from nightowl.adapters.celery_cluster.control.results import Results
from nightowl.core.cluster.result import TaskResult
from nightowl.core.errors import Refused, Unavailable
from tests.adapters.celery_cluster.watched import until, workers
from tests.conftest import fresh_url

pytestmark = [
    pytest.mark.redis,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # Celery leaves sockets open
]


@pytest.fixture(scope="module")
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    for url in fresh_url(request.config, "redis"):
        with workers(tmp_path_factory.mktemp("fleet"), url, ("-P", "threads", "-c", "2", "-n", "a@shop"), backend=url):
            yield url


@pytest.fixture
def results(url: str) -> Iterator[Results]:
    made = Results(url)
    yield made
    made.close()


def run(url: str, task: str, *args: object) -> str:
    remote = control(url)
    sent = remote.send(task, args=args, kwargs={}, options={})
    remote.close()
    return sent


def test_a_result_is_waited_for(url: str, results: Results) -> None:
    assert results.get(run(url, "shop.add", 1, 2), timeout=60.0) == TaskResult(state="SUCCESS", value=3)


def test_an_exception_stays_text(url: str, results: Results) -> None:
    failed = results.get(run(url, "shop.fail"), timeout=60.0)
    assert (failed.state, failed.error) == ("FAILURE", "ValueError('no stock')")
    assert failed.traceback.startswith("Traceback")


def test_an_unknown_task_is_pending_and_is_waited_for_no_longer_than_asked(results: Results) -> None:
    began = time.monotonic()
    assert results.get("nobody-sent-this", timeout=0.2) == TaskResult(state="PENDING")
    assert 0.2 <= time.monotonic() - began < 20


def test_an_abortable_task_ends_when_told(url: str, results: Results) -> None:
    sent = run(url, "shop.patient")
    results.abort(sent)  # once, for as in Celery itself it could be written over the result
    until(lambda: results.get(sent).value == "ended early")


@pytest.mark.parametrize("kept", [b"\x80\x04N.", b"[]", b"[" * 100_000, b'{"status": 1}'])
def test_what_is_no_result_is_refused(url: str, results: Results, kept: bytes) -> None:
    with redis.Redis.from_url(url) as client:
        client.set("celery-task-meta-odd", kept)
    with pytest.raises(Refused, match="cannot be read"):
        results.get("odd")


def test_a_class_that_a_result_names_is_not_looked_up(url: str, results: Results) -> None:
    kept = b'{"status": "FAILURE", "result": {"exc_type": "system", "exc_module": "os", "exc_message": ["true"]}}'
    with redis.Redis.from_url(url) as client:
        client.set("celery-task-meta-odd", kept)
    assert results.get("odd") == TaskResult(state="FAILURE", error="system('true')")


def test_a_backend_that_keeps_pickles_is_not_read() -> None:
    with pytest.raises(Refused, match="kept as JSON") as error:
        Results("db+postgresql://owl:hunter22@db/owl").get("any")
    assert "hunter22" not in str(error.value)


def test_a_backend_that_is_away_is_said_to_be() -> None:
    with pytest.raises(Unavailable, match=r"the result backend at 127\.0\.0\.1:1 does not answer") as error:
        Results("redis://:hunter22@127.0.0.1:1/0").get("any")
    assert "hunter22" not in str(error.value)
