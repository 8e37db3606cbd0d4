"""Brokers that go away in the middle, and strangers who publish to the channels of events."""

from __future__ import annotations

import json
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from kombu import Connection

from nightowl.adapters.celery_cluster.events import overflow
from nightowl.adapters.celery_cluster.events import rabbitmq as of_rabbitmq
from nightowl.adapters.celery_cluster.events import redis as of_redis
from tests.end_to_end.proxy import Proxy
from tests.servers.server import Server
from tests.services.intake_parts import Taken, celery, send, taking

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Celery leaves sockets open

OwnServer = Callable[[], Server]


def goes_on(taken: Taken, app: Any, lost: float) -> None:
    """One gap is told, around the loss, and events come again."""
    taken.until(lambda: taken.gaps, "gap")
    (gap,) = taken.gaps
    assert lost - 10 < gap.start <= lost + 0.5
    assert lost <= gap.end <= time.time()
    assert gap.reason.startswith("the connection was lost: the broker at 127.0.0.1")
    assert taken.source.fault == ""
    send(app, "task-sent", uuid="after")
    taken.until(lambda: any(event.uuid == "after" for event in taken.events))
    assert len(taken.gaps) == 1


@pytest.mark.redis
def test_a_killed_subscription_is_a_gap(redis_url: str) -> None:
    with celery(redis_url) as app, taking(redis_url) as taken, redis.Redis.from_url(redis_url) as client:
        taken.ready(app)
        mine = max(client.client_list(_type="pubsub"), key=lambda each: int(each["id"]))  # others use this server, too
        lost = time.time()
        client.client_kill_filter(_id=mine["id"])
        goes_on(taken, app, lost)


@pytest.mark.rabbitmq
def test_closed_connections_are_a_gap(rabbitmq_url: str, rabbitmq_administrator: dict[str, str]) -> None:
    with taking(rabbitmq_url) as taken:
        with celery(rabbitmq_url) as app:
            taken.ready(app)
        lost = time.time()
        vhost, why = rabbitmq_url.rpartition("/")[2], "an administrator's whim"
        command = ["rabbitmqctl", "close_all_connections", "-p", vhost, why]
        subprocess.run(command, env=rabbitmq_administrator, check=True, capture_output=True, timeout=120)
        with celery(rabbitmq_url) as app:
            goes_on(taken, app, lost)
        assert f"gives no events: CONNECTION_FORCED - {why}" in taken.gaps[0].reason


@pytest.mark.redis
def test_a_restarted_redis_is_a_gap(own_redis: OwnServer) -> None:
    server = own_redis()
    url = f"redis://127.0.0.1:{server.port}/3"
    with taking(url) as taken:
        with celery(url) as app:
            taken.ready(app)
        lost = time.time()
        server.kill()
        taken.until(lambda: "does not answer: Connection refused" in taken.source.fault)
        assert not taken.gaps
        assert taken.source.since is None
        server.start()
        with celery(url) as app:
            goes_on(taken, app, lost)
        assert taken.source.since == taken.gaps[0].end


@pytest.mark.parametrize(
    "kind", [pytest.param(each, marks=getattr(pytest.mark, each)) for each in ("redis", "rabbitmq")]
)
def test_a_connection_that_fell_silent_is_noticed(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr({"redis": of_redis, "rabbitmq": of_rabbitmq}[kind], "SILENCE", 2.0)
    url = str(request.getfixturevalue(f"{kind}_url"))
    port = int(url.rpartition(":")[2].partition("/")[0])
    with Proxy(port) as proxy, celery(url) as app, taking(url.replace(f":{port}/", f":{proxy.port}/")) as taken:
        taken.ready(app)
        lost = time.time()
        with proxy.silent():
            taken.until(lambda: taken.source.fault)
        goes_on(taken, app, lost)


@pytest.mark.redis
def test_a_reader_that_is_too_slow_is_dropped_and_told(own_redis: OwnServer) -> None:
    server = own_redis()
    url = f"redis://127.0.0.1:{server.port}/0"
    with celery(url) as app, taking(url) as taken, redis.Redis.from_url(url) as client:
        taken.ready(app)
        stalled = time.time()
        envelope = json.dumps({"body": b64encode(b'{"type": "task-sent", "args": "' + b"x" * 60_000 + b'"}').decode()})
        while client.client_list(_type="pubsub"):
            with client.pipeline(transaction=False) as pipe:
                for _ in range(100):
                    pipe.publish("/0.celeryev/task.sent", envelope)
                pipe.execute()
        taken.until(lambda: taken.gaps)
        assert taken.of("task-sent")  # what had arrived before is not thrown away
        assert taken.gaps[0].start <= stalled + 0.1


@pytest.mark.redis
def test_a_message_that_redis_drops_its_readers_for_is_a_gap(redis_url: str) -> None:
    with celery(redis_url) as app, taking(redis_url) as taken, redis.Redis.from_url(redis_url) as client:
        taken.ready(app)
        lost = time.time()
        client.publish(f"/{redis_url.rpartition('/')[2]}.celeryev/task.sent", bytes(40_000_000))
        goes_on(taken, app, lost)


@pytest.mark.rabbitmq
def test_a_queue_that_overflows_is_told(rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overflow, "WAITING", 100)
    monkeypatch.setattr(of_rabbitmq, "WAITING", 100)
    with celery(rabbitmq_url) as app, taking(rabbitmq_url) as taken, Connection(rabbitmq_url) as connection:
        taken.ready(app)
        number = 0
        for _ in range(3):  # on a busy machine the queue may be empty again before its length is looked at
            taken.until(lambda: taken.source._stream._asked is None)  # the next look is after the stall
            stalled, enough = time.time(), number + 400
            with published(connection) as publish:
                while number < enough or time.time() < stalled + 1.5 * of_rabbitmq.LOOK:
                    number += 1
                    publish(b'{"type": "task-sent", "clock": %d, "args": "%s"}' % (number, b"x" * 60_000))
            end = time.monotonic() + 15
            while not taken.gaps and time.monotonic() < end:
                taken.read()
            if taken.gaps:
                break
        assert taken.gaps
        assert "messages waited in the queue of events on the broker" in taken.gaps[0].reason
        assert stalled - 10 < taken.gaps[0].start <= stalled + 0.1
        taken.until(lambda: [event.clock for event in taken.of("task-sent")][-1:] == [number])
        clocks = [event.clock for event in taken.of("task-sent")]
        assert clocks == sorted(clocks)  # in order, the oldest missing
        assert len(clocks) < number
        assert taken.source.fault == ""


def hostile(event: bytes) -> list[bytes]:
    """Bodies that no Celery sends."""
    deep = b"[" * 200_000 + b"]" * 200_000
    return [
        b"",
        b"\0\xff\xfe garbage",
        b"null",
        b"[]",
        b"[[[[]]]]",
        deep,
        b'{"type": "task-sent", "x": ' + deep + b"}",
        b'{"type": 5}',
        b'{"type": ""}',
        b'{"type": "' + b"t" * 5000 + b'"}',
        b'{"type": "task-sent", "uuid": "' + b"u" * 5000 + b'"}',
        b'{"type": "task-sent", "args": "' + b"x" * 3_000_000 + b'"}',
        b"[" + b",".join([event] * 12_000) + b"]",
        b'{"type": "task-sent"',
        b"9" * 10_000,
    ]


KEPT = [
    b'{"type": "task-sent", "uuid": "nan", "timestamp": NaN, "runtime": Infinity}',
    b'{"type": "task-sent", "uuid": "huge", "clock": ' + b"9" * 6000 + b', "timestamp": 1e400, "retries": "3"}',
    b'{"type": "task-sent", "uuid": "list", "args": [1, "a"], "kwargs": {"b": 2}, "timestamp": "12.5"}',
    '{"type": "task-sent", "uuid": "ünïcode 🦉", "result": "\\ud800 half, \\u0000 none"}'.encode(),
    b'{"type": "task-teleported", "uuid": "future", "where": {"x": [1]}}',
    b'{"type": "task-progress", "uuid": "progress", "current": 3, "total": "10"}',
]


@pytest.mark.redis
def test_strangers_on_redis_do_no_harm(redis_url: str) -> None:
    channel = f"/{redis_url.rpartition('/')[2]}.celeryev/task.sent"
    with celery(redis_url) as app, taking(redis_url) as taken, redis.Redis.from_url(redis_url) as client:
        taken.ready(app)
        bare = [
            b"",
            b"{}",
            b"garbage",
            b'{"body": 5}',
            b'{"body": "!"}',
            b"[" * 100_000,
            b'{"body": "' + b"A" * 4_000_000,
        ]
        bare += [json.dumps({"body": "e30=", "headers": 5}).encode(), b'{"body": "", "properties": []}']
        for payload in bare:
            client.publish(channel, payload)
        bodies = hostile(b'{"type": "task-sent"}')
        for body in [*bodies, *KEPT]:
            client.publish(channel, json.dumps({"body": b64encode(body).decode()}))
        bomb = {"body": b64encode(b"x").decode(), "headers": {"compression": "application/x-gzip"}}
        client.publish(channel, json.dumps(bomb))
        _check(taken, app, len(bare) + len(bodies) + 1)


@pytest.mark.rabbitmq
def test_strangers_on_rabbitmq_do_no_harm(rabbitmq_url: str) -> None:
    with celery(rabbitmq_url) as app, taking(rabbitmq_url) as taken, Connection(rabbitmq_url) as connection:
        taken.ready(app)
        bodies = hostile(b'{"type": "task-sent"}')
        with published(connection) as publish:
            for body in [*bodies, *KEPT]:
                publish(body, content_type="application/json")
            publish(b"x" * 9_000_000, content_type="application/json")
            publish(b"x", headers={"compression": "application/x-gzip"}, content_type="application/json")
            publish(b"x", content_type="text/html")
        _check(taken, app, len(bodies) + 3)


@contextmanager
def published(connection: Connection) -> Iterator[Callable[..., None]]:
    producer = connection.Producer()

    def publish(body: bytes, **properties: Any) -> None:
        producer.publish(body, exchange="celeryev", routing_key="x", content_encoding="binary", **properties)

    yield publish


def test_strangers_in_a_folder_do_no_harm(tmp_path: Path) -> None:
    folders = {name: str(tmp_path / name) for name in ("control_folder", "data_folder_in", "data_folder_out")}
    (tmp_path / "data_folder_in").mkdir()
    folders["data_folder_out"] = folders["data_folder_in"]
    with (
        celery("filesystem://", broker_transport_options=folders) as app,
        taking("filesystem://", transport_options=folders) as taken,
    ):
        taken.ready(app)
        ((_, _, queue),) = json.loads((tmp_path / "control_folder" / "celeryev.exchange").read_text())
        whole = {"properties": {"delivery_tag": "t", "delivery_info": {}, "body_encoding": "base64"}, "headers": {}}
        odd = [b"garbage", b"{}", b"[]", b"5", b"[" * 100_000, json.dumps(whole | {"body": 5}).encode()]
        odd += [json.dumps(whole | {"body": "eA==", "headers": {"compression": "application/x-gzip"}}).encode()]
        odd += [json.dumps(whole | {"body": b64encode(body).decode()}).encode() for body in (b"", b"null", b"{}")]
        for number, payload in enumerate(odd):
            part = tmp_path / "part"
            part.write_bytes(payload)
            part.rename(tmp_path / "data_folder_in" / f"0{number}.{queue}.msg")
        taken.until(lambda: sum(taken.refused.values()) == len(odd))
        send(app, "task-sent", uuid="last")
        taken.until(lambda: taken.of("task-sent"))
        assert not taken.gaps


def _check(taken: Taken, app: Any, refused: int) -> None:
    send(app, "task-sent", uuid="last")
    taken.until(lambda: any(event.uuid == "last" for event in taken.events))
    kept = {event.uuid: event for event in taken.events if event.type != "worker-probe"}
    # An empty list holds no event, and nothing to refuse.
    assert sum(taken.refused.values()) == refused - 1, taken.refused
    assert set(kept) == {"nan", "huge", "list", "ünïcode 🦉", "future", "progress", "last"}
    assert (kept["nan"].timestamp, kept["nan"].runtime) == (0.0, None)
    assert (kept["huge"].clock, kept["huge"].timestamp, kept["huge"].retries) == (None, 0.0, 3)
    assert (kept["list"].args, kept["list"].kwargs, kept["list"].timestamp) == ("[1, 'a']", "{'b': 2}", 12.5)
    assert kept["ünïcode 🦉"].result == "? half, \ufffd none"
    assert (kept["progress"].current, kept["progress"].total) == (3.0, 10.0)
    assert not taken.gaps
