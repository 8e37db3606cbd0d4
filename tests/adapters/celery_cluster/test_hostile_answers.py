"""Answers of no worker's: none of them ends a command, or is taken for an answer."""

from __future__ import annotations

import json
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kombu import Connection, Exchange, Producer, Queue

from nightowl.adapters.celery_cluster.control.remote import control
from nightowl.core.cluster.command import Answer, Command
from tests.conftest import fresh_url

TYPE = "application/json"


@pytest.fixture(
    params=[
        "memory",
        pytest.param("redis", marks=pytest.mark.redis),
        pytest.param("rabbitmq", marks=pytest.mark.rabbitmq),
    ]
)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "memory":
        yield "memory://"
    else:
        yield from fresh_url(request.config, request.param)


def bodies(ticket: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Bodies and how they are sent; the last alone is an answer."""
    headers = {"ticket": ticket}
    good = json.dumps({"evil@shop": {"ok": "taken"}})
    yield good, {"headers": {"ticket": "another"}, "content_type": TYPE}
    yield good, {"headers": {}, "content_type": TYPE}
    yield b"\x80\x04N.", {"headers": headers, "content_type": "application/x-python-serialize"}
    yield "[" * 100_000, {"headers": headers, "content_type": TYPE}
    yield "{", {"headers": headers, "content_type": TYPE}
    yield "[1, 2]", {"headers": headers, "content_type": TYPE}
    packed = zlib.compress(json.dumps({"packed@shop": {"ok": "unpacked"}}).encode())
    yield packed, {"headers": headers | {"compression": "application/x-gzip"}, "content_type": TYPE}
    yield '{"a@shop": {"__type__": "x", "__value__": [{"deep": 1}]}}', {"headers": headers, "content_type": TYPE}


@contextmanager
def stranger(url: str) -> Iterator[None]:
    """Somebody who takes the command off a mailbox, and answers in many ways."""
    ready, stop = threading.Event(), threading.Event()

    def run() -> None:
        with Connection(url) as connection:
            channel = connection.channel()
            box = Exchange("celery.pidbox", type="fanout", durable=False, delivery_mode="transient")
            mailbox = Queue("stranger.pidbox", exchange=box, durable=False, auto_delete=True, exclusive=True)
            with connection.Consumer([mailbox(channel)], accept=["json"], callbacks=[answer(connection)]):
                ready.set()
                while not stop.is_set():
                    try:
                        connection.drain_events(timeout=0.1)
                    except TimeoutError:
                        continue

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait(30)
    try:
        yield
    finally:
        stop.set()
        thread.join(30)


def answer(connection: Connection) -> Any:
    def on_message(command: dict[str, Any], message: Any) -> None:
        message.ack()
        way, ticket = command["reply_to"], command["ticket"]
        producer = Producer(connection.channel(), auto_declare=False)
        for body, sent in bodies(ticket):
            producer.publish(
                body, exchange=way["exchange"], routing_key=way["routing_key"], content_encoding="utf-8", **sent
            )

    return on_message


def test_only_an_answer_is_taken(url: str) -> None:
    remote = control(url)
    with stranger(url):
        deadline = time.monotonic() + 60
        answers: list[Answer] = []
        while not answers and time.monotonic() < deadline:
            answers = [each for each in remote.ask(Command(name="ping"), 5.0, ["a@shop"]) if not each.silent]
    remote.close()
    assert answers == [Answer(worker="a@shop", value=[{"deep": 1}])]


@pytest.mark.redis
def test_what_is_no_message_at_all_is_passed_over(redis_url: str) -> None:
    remote = control(redis_url)
    coded = '{"body": "?", "headers": {}, "properties": {"body_encoding": "base64"}}'
    junk = ["", "{", "[]", "1", "null", "{}", '{"headers": 1, "properties": {}}', coded]

    def fill() -> None:
        with Connection(redis_url) as connection:
            client = connection.default_channel.client
            while not stop.is_set():
                for member in client.smembers("_kombu.binding.reply.celery.pidbox"):
                    client.rpush(member.split(b"\x06\x16")[-1], *junk)
                time.sleep(0.01)

    stop = threading.Event()
    thread = threading.Thread(target=fill)
    thread.start()
    try:
        assert [each.silent for each in remote.ask(Command(name="ping"), 1.0, ["a@shop"])] == [True]
    finally:
        stop.set()
        thread.join(30)
    remote.close()
