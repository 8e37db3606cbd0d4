"""The celery probe against real brokers and a real worker, and against what is no broker."""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import amqp
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from nightowl.adapters.probes import canary as canaries
from nightowl.core.values import Policy, State, Warn

APP = """
import os
from celery import Celery
app = Celery("shop", broker=os.environ["BROKER"])
app.conf.update(
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
    task_routes=json.loads(os.environ["ROUTES"]),
)
"""


@pytest.fixture
def worker(tmp_path):
    """Start a worker of a fleet whose code knows nothing of canaries."""
    workers = []

    def start(url, routes=None):
        (tmp_path / "shop.py").write_text("import json\n" + APP)
        options = ["-A", "shop", "worker", "-P", "solo", "--without-mingle", "--without-gossip", "-l", "error"]
        environ = {**os.environ, "BROKER": url, "ROUTES": json.dumps(routes)}
        with (tmp_path / "worker.log").open("w") as log:
            started = subprocess.Popen(
                [sys.executable, "-m", "celery", *options], cwd=tmp_path, env=environ, stdout=log, stderr=log
            )
        workers.append(started)
        return started

    yield start
    for started in workers:
        started.kill()
        started.wait()


@pytest.fixture
def fly(attempt):
    def run(url, policy=Policy(reach="any"), **target):  # noqa: B008  a frozen value
        return attempt(url, policy, kind="celery", **target)

    return run


def flown(fly, url, **target):
    """The first attempt that a worker answers, of those until it is there."""
    until = time.monotonic() + 60
    while (result := fly(url, **target)).state is State.DOWN and time.monotonic() < until:
        time.sleep(0.2)
    return result


@pytest.mark.redis
def test_a_canary_through_redis_comes_back_and_leaves_nothing_behind(redis_url, worker, fly):
    started = worker(redis_url, routes={"*": {"queue": "elsewhere"}})

    result = flown(fly, redis_url, timeout=2.0)

    assert (result.state, result.reason, result.address) == (State.UP, "", "127.0.0.1")
    assert 0 < result.phases.first_byte <= result.duration
    assert flown(fly, redis_url, warn=Warn(duration=0.0)).reason == "assert.latency"

    started.kill()
    started.wait()
    result = fly(redis_url, timeout=0.5)

    assert (result.state, result.reason) == (State.DOWN, "celery.no_worker")
    assert result.detail == "no worker took a canary from the queue celery"
    with redis.Redis.from_url(redis_url) as client:
        assert client.llen("celery") == 0
        left = [key for key in client.keys("*nightowl*") if client.ttl(key) < 0]
        assert left == []


@pytest.mark.redis
def test_a_canary_that_was_taken_and_not_answered_is_a_timeout(redis_url, fly):
    with redis.Redis.from_url(redis_url) as client, ThreadPoolExecutor(1) as pool:
        flying = pool.submit(fly, redis_url, timeout=2.0)
        client.brpop("celery", timeout=10)  # as a worker that is then killed

        assert flying.result().reason == "celery.timeout"


@pytest.mark.redis
def test_what_redis_refuses_is_told(redis_url, fly):
    parts = urlsplit(redis_url)

    result = fly(f"redis://:hunter22@{parts.netloc}/0")

    assert (result.state, result.reason) == (State.DOWN, "celery.broker")
    assert "hunter22" not in result.detail + result.excerpt


@pytest.mark.redis
def test_a_queue_without_a_worker_is_told_with_its_length_where_that_is_more_than_canaries(redis_url, fly):
    with redis.Redis.from_url(redis_url) as client:
        client.lpush("celery", *range(canaries.FEW))
        assert fly(redis_url, timeout=1.5).detail == "no worker took a canary from the queue celery"
        client.lpush("celery", "one more")
        assert fly(redis_url, timeout=1.5).detail.endswith(f"the queue celery, where {canaries.FEW + 1} messages wait")


@pytest.mark.rabbitmq
def test_a_canary_through_rabbitmq_comes_back_and_leaves_nothing_behind(rabbitmq_url, worker, fly):
    assert fly(rabbitmq_url).detail == "there is no queue named celery"
    started = worker(rabbitmq_url)

    result = flown(fly, rabbitmq_url)

    assert (result.state, result.reason) == (State.UP, "")
    assert result.phases.first_byte > 0

    started.kill()
    started.wait()
    while (result := fly(rabbitmq_url, timeout=1.0)).reason != "celery.no_worker":
        time.sleep(0.1)  # until the broker has noticed
    assert result.detail == "no worker consumes the queue celery"
    parts = urlsplit(rabbitmq_url)
    with amqp.Connection(f"127.0.0.1:{parts.port}", virtual_host=parts.path[1:]) as connection:
        channel = connection.channel()
        until = time.monotonic() + 20  # a canary that nobody took has its time to live
        while channel.queue_declare(queue="celery", passive=True).message_count and time.monotonic() < until:
            time.sleep(0.1)
        assert channel.queue_declare(queue="celery", passive=True).message_count == 0


@pytest.mark.rabbitmq
def test_what_rabbitmq_refuses_is_told(rabbitmq_url, fly):
    wrong = fly(rabbitmq_url.replace("guest:guest", "guest:hunter22"))
    nowhere = fly(rabbitmq_url.rpartition("/")[0] + "/no-such-host")

    assert (wrong.reason, nowhere.reason) == ("celery.broker", "celery.broker")
    assert "hunter22" not in wrong.detail


@pytest.mark.redis
@pytest.mark.rabbitmq
@pytest.mark.parametrize("broker", ["redis_tls", "rabbitmq_tls"])
def test_a_broker_over_tls_wants_the_certificate_of_the_check(broker, request, fly):
    url, shown = request.getfixturevalue(broker)
    trusted = {"ca": shown.ca.read_text(), "timeout": 1.0}
    identity = {"client_certificate": shown.client.read_text(), "client_key": shown.client_key.read_text()}

    known, stranger = fly(url, **trusted, **identity), fly(url, **trusted)

    assert (known.reason, known.certificate.problem) == ("celery.no_worker", "")
    assert stranger.reason == "tls.client_cert"


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("silent", "celery.broker"),
        ("drip", "celery.broker"),
        ("empty", "celery.broker"),
        ("reset", ""),
        ("banner", "celery.broker"),
        ("endless", ""),
    ],
)
def test_what_is_no_broker_ends_with_the_attempt(scheme, behaviour, reason, faults, fly):
    faults.behaviours.drip_noise = lambda peer, request: faults.behaviours.drip(peer, b"$900000000\r\n")
    port = faults.serve("drip_noise" if behaviour == "drip" else behaviour, speaks_first=True)

    result = fly(f"{scheme}://127.0.0.1:{port}", timeout=1.0)

    assert (result.state, result.reason.startswith(reason)) == (State.DOWN, True)
    assert result.duration < 4.0


@pytest.mark.parametrize("scheme", ["rediss", "amqps"])
def test_the_certificate_of_a_broker_is_judged_and_reported(scheme, faults, certificates, fly):
    port = faults.serve("silent", certificates.expired())

    result = fly(f"{scheme}://127.0.0.1:{port}", ca=certificates.authority)

    assert (result.reason, result.certificate.problem) == ("tls.expired", "tls.expired")


def test_the_guard_stands_before_the_broker(faults, fly):
    port = faults.serve("silent")

    assert fly(f"redis://127.0.0.1:{port}", Policy()).reason == "policy.address"
    assert fly(f"amqp://localhost:{port}", Policy()).reason == "policy.address"


@pytest.mark.parametrize("url", ["http://h", "redis://h:1/shop", "redis://"])
def test_what_is_no_url_of_a_broker_says_nothing_of_it(url, faults, fly):
    result = fly(url.replace("h:1", f"127.0.0.1:{faults.serve('silent')}"))

    assert (result.state, result.reason) == (State.UNKNOWN, "own.target")


@given(st.text(min_size=1, max_size=30))
def test_each_canary_is_told_from_every_other(queue):
    one, other = canaries.new(queue), canaries.new(queue)

    assert canaries.answers(one, {"root_id": one.id})
    assert not canaries.answers(one, {"root_id": other.id})
    assert json.loads(canaries.body(one.reply, one.reply))[2]["callbacks"][0]["options"]["routing_key"] == one.reply
