"""Whatever lies in the queues, it is refused, counted and told once a kind, and the work goes on."""

from __future__ import annotations

import bz2
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import amqp
import msgspec
import pytest
import redis
from celery import Celery
from kombu import Connection, Consumer

from nightowl.adapters.celery_bus import receiver as receiving
from nightowl.adapters.celery_bus.app import (
    CHECK,
    DROP,
    REPORT,
    BrokerSettings,
    check_queue,
    make_app,
    queue,
    report_queue,
)
from nightowl.adapters.celery_bus.envelope import Envelope
from nightowl.adapters.celery_bus.guarded import LARGEST
from nightowl.adapters.celery_bus.packing import pack_batch, pack_report
from nightowl.core.values import LocationKey, Report
from tests.services.bus_parts import CLOCK, KEY, OTHER_KEY, Intake, acting, batch, directing, ring, wait_for

pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"  # Celery leaves sockets open
)

SECRET = "h0nk-h0nk"

NOW = CLOCK.now()
LASTING = 86_400.0
"""Seconds: a run of all tests takes longer than the ten minutes that a report lasts."""


REPORTED = pack_report(
    Report(actor=SECRET, location="london", sent=NOW), ring(KEY), number=1, issued=NOW, expires=NOW + LASTING
)[0]


BOMB = bz2.compress(bytes(16 << 20))

JUNK = b'{"body": "aA==", "headers": HEADERS, "properties": {"delivery_tag": TAG, "body_encoding": ENCODING}}'


def junk(headers: bytes = b"{}", tag: bytes = b'"1"', encoding: bytes = b'"base64"') -> bytes:
    """A message of kombu's shape with wrong parts, in JSON."""
    return JUNK.replace(b"HEADERS", headers).replace(b"TAG", tag).replace(b"ENCODING", encoding)


@pytest.fixture(
    params=[
        "filesystem",
        "sqlite",
        pytest.param("redis", marks=pytest.mark.redis),
        pytest.param("rabbitmq", marks=pytest.mark.rabbitmq),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ]
)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> BrokerSettings:
    if request.param in ("filesystem", "sqlite"):
        return BrokerSettings(
            url={"filesystem": "filesystem://{}/bus", "sqlite": "sqlite:///{}/bus.db"}[request.param].format(tmp_path)
        )
    return BrokerSettings(url=request.getfixturevalue(f"{request.param}_url"))


def envelope(**changed: Any) -> bytes:
    values = {
        "direction": "jobs", "location": "london", "id": SECRET, "issued": NOW, "expires": NOW + LASTING,
        "body": SECRET.encode(),
    }  # fmt: skip
    return msgspec.msgpack.encode(Envelope(**values | changed))


def sealed(key: LocationKey, **changed: Any) -> bytes:
    readable = msgspec.msgpack.decode(envelope(**changed), type=Envelope)
    return msgspec.msgpack.encode(ring(key).seal(readable)[0])


def envelopes(right: bytes, direction: str) -> list[bytes]:
    """Data of every wrong kind for a direction; ``right`` is an envelope of the other one."""
    return [
        SECRET.encode(),
        b"",
        right,
        sealed(KEY, direction=direction),
        sealed(OTHER_KEY, direction=direction),
        sealed(KEY, direction=direction)[:-1] + b"\x00",
        envelope(version=7),
        envelope(key=SECRET),
        envelope(),
        envelope(direction="report"),
    ]


def litter(app: Celery, name: str, task: str, data: list[bytes]) -> int:
    """Put garbage into a queue; return how many messages."""
    where = queue(name)
    sent = 0
    with app.connection_for_write() as connection:
        producer = app.amqp.Producer(connection)
        strange: list[Callable[[], Any]] = [
            lambda: app.send_task(task, (SECRET,), queue=where, producer=producer, serializer="json"),
            lambda: app.send_task(task, (SECRET,), queue=where, producer=producer, serializer="pickle"),
            lambda: app.send_task(f"{SECRET}.task", (b"x",), queue=where, producer=producer),
            lambda: app.send_task(task, (), queue=where, producer=producer),
            lambda: app.send_task(task, (1, 2), {"a": SECRET}, queue=where, producer=producer),
            lambda: publish(producer, where, SECRET.encode(), "text/plain", {}),
            lambda: publish(producer, where, pickle.dumps(SECRET), "application/x-python-serialize", {"task": task}),
            lambda: publish(producer, where, SECRET.encode(), "application/x-nightowl", {"task": task, "id": "1"}),
            lambda: publish(producer, where, SECRET.encode(), "application/x-nightowl", {"task": [SECRET]}),
            lambda: publish(producer, where, b"", "", {}),
            lambda: publish(producer, where, b"h0nk", "application/x-nightowl", {"compression": "gzip"}),
            lambda: publish(producer, where, b"h0nk", "application/x-nightowl", {"compression": "nonsense"}),
            lambda: publish(producer, where, BOMB, "application/x-nightowl", {"compression": "bzip2"}),
            lambda: publish(producer, where, bytes(LARGEST + 1), "application/x-nightowl", {"task": task, "id": "1"}),
        ]
        strange += [lambda each=each: app.send_task(task, (each,), queue=where, producer=producer) for each in data]
        for send in strange:
            send()
            sent += 1
    return sent


def publish(producer: Any, where: Any, body: bytes, kind: str, headers: dict[str, Any]) -> None:
    producer.publish(
        body, exchange="", routing_key=where.name, declare=[where], headers=headers,
        content_type=kind, content_encoding="binary",
    )  # fmt: skip


def test_garbage_is_refused_counted_and_told_once(settings: BrokerSettings, caplog: pytest.LogCaptureFixture) -> None:
    stranger = make_app(settings)
    with acting(settings) as actor, directing(settings) as bus:
        for _ in range(2):
            to_actor = litter(stranger, check_queue("london"), CHECK, envelopes(REPORTED, "jobs"))
            to_director = litter(stranger, REPORT, REPORT, envelopes(pack_batch(batch(SECRET), ring(KEY))[0], "report"))
        elsewhere = pack_batch(batch("1.9", "tokyo"), ring(KEY))[0]
        stranger.send_task(CHECK, (elsewhere,), queue=queue(check_queue("london")))
        receiver = bus.brokers[0]._receiver
        assert receiver is not None
        wait_for(lambda: actor.garbage.count >= 2 * to_actor + 1, what=lambda: actor.garbage.kinds)
        wait_for(lambda: receiver.garbage.count >= 2 * to_director - 4, what=lambda: receiver.garbage.kinds)
        bus.dispatch(batch("1.1"))
        Intake(bus).wait_for(outcomes=3)
        told = [each.getMessage() for each in caplog.records if "refused a message" in each.getMessage()]
        assert len(told) == len(actor.garbage.kinds) + len(receiver.garbage.kinds)
        assert actor.garbage.kinds["a batch for a location that is not served here"] == 1
        for garbage in (actor.garbage, receiver.garbage):
            assert garbage.kinds["a compressed message"] == 6
            assert garbage.kinds["a message that is too large"] == 2
    assert SECRET not in caplog.text
    assert "Traceback" not in caplog.text
    stranger.close()


@pytest.mark.redis
@pytest.mark.parametrize(
    "raw",
    [
        b"h0nk",
        b"\xff",
        b"{}",
        b"[1]",
        b'{"body": 1, "properties": {}}',
        b"[" * 100_000,
        junk(headers=b"5"),
        junk(tag=b"null"),
        junk(tag=b"[1]"),
        junk(encoding=b'"zz"'),
    ],
    ids=lambda raw: raw[:100].decode(errors="replace"),
)
def test_what_no_celery_program_has_sent_stops_nobody(raw: bytes, redis_url: str) -> None:
    settings = BrokerSettings(url=redis_url)
    with acting(settings) as actor, directing(settings) as bus, redis.Redis.from_url(redis_url) as client:
        client.lpush(check_queue("london"), raw)
        client.lpush(REPORT, raw)
        bus.dispatch(batch("1.1"))
        Intake(bus).wait_for(outcomes=3)
        wait_for(lambda: not (bus.fault or actor.fault))


@pytest.mark.redis
def test_what_was_not_acknowledged_goes_back_to_the_queue_that_it_came_from(redis_url: str) -> None:
    elsewhere = {"exchange": "", "routing_key": check_queue("london")}
    message = {"body": "aA==", "headers": {}, "properties": {"delivery_tag": "1", "delivery_info": elsewhere}}
    taken: list[Any] = []
    app = make_app(BrokerSettings(url=redis_url))
    with redis.Redis.from_url(redis_url) as client:
        client.lpush(REPORT, json.dumps(message))
        with app.connection_for_read() as connection:
            consumer = Consumer(connection.channel(), [report_queue(redis_url)], on_message=taken.append)
            consumer.consume()
            connection.drain_events(timeout=30)
        assert len(taken) == 1
        assert (client.llen(REPORT), client.llen(check_queue("london"))) == (1, 0)
    app.close()


@pytest.mark.rabbitmq
def test_properties_that_are_no_text_stop_nobody(rabbitmq_url: str) -> None:
    settings = BrokerSettings(url=rabbitmq_url)
    with acting(settings) as actor, directing(settings) as bus, Connection(rabbitmq_url) as connection:
        bus.dispatch(batch("1.1"))
        intake = Intake(bus)
        intake.wait_for(outcomes=3)
        for exchange, key in ((DROP, REPORT), ("", check_queue("london"))):
            strange = amqp.Message(b"h0nk", content_type=b"\xff\xfe", application_headers={"task": b"\xff"})
            connection.default_channel.basic_publish(strange, exchange=exchange, routing_key=key)
        receiver = bus.brokers[0]._receiver
        assert receiver is not None
        wait_for(lambda: actor.garbage.count and receiver.garbage.count)
        bus.dispatch(batch("1.2"))
        intake.wait_for(outcomes=6)
        assert (actor.garbage.count, receiver.garbage.count) == (1, 1)


def test_large_reports_wait_on_the_broker_while_none_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "HELD", 1 << 20)
    settings = BrokerSettings(url=f"filesystem://{tmp_path}/bus")
    large = Report(actor="alice", location="london", sent=NOW, holding=("x" * (1 << 18),))
    stranger = make_app(settings)
    for number in range(12):
        data = pack_report(large, ring(KEY), number=number, issued=NOW, expires=NOW + LASTING)
        stranger.send_task(REPORT, data, queue=queue(REPORT))
    with directing(settings) as bus:
        held: list[Any] = []
        receiver = bus.brokers[0]._receiver
        assert receiver is not None
        wait_for(lambda: held.extend(bus.receive(100)) or len(held) == 4)
        assert len(list((tmp_path / "bus" / "messages").iterdir())) == 8
        stored = 0

        def all_stored() -> bool:
            nonlocal stored
            for each in [*held, *bus.receive(100)]:
                each.done()
                stored += 1
            held.clear()
            return stored == 12

        wait_for(all_stored)
    stranger.close()
