"""Events of a watched cluster taken from a full buffer, beside Celery's own receiver on the same stream.

``python -m benchmarks.intake [--events N] [BROKER...]`` records what a real prefork worker sends over Redis, then, for
each broker and each consumer, publishes that over and over while the consumer is subscribed and does not read, and lets
it read. Celery's receiver has a handler that counts. Columns: events a second, and CPU microseconds of the consumer an
event, best of three.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import tempfile
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import amqp
import redis
from celery import Celery

from nightowl.adapters.celery_cluster.events import source
from nightowl.adapters.clock import SystemClock
from tests.servers.programs import missing
from tests.servers.redis_server import Redis
from tests.servers.run import Run, shared
from tests.services.intake_parts import worker

TASKS = 400
ROUNDS = 3

Message = tuple[str, bytes, int]
"""A routing key, a body, and how many events that is."""

Read = Callable[[int], None]
"""Reads until that many events have come."""


def record(url: str) -> list[Message]:
    """What a prefork worker sends of ``TASKS`` tasks."""
    found: list[Message] = []
    ended = 0
    app = Celery("sender", broker=url, set_as_current=False)
    with tempfile.TemporaryDirectory() as folder, redis.Redis.from_url(url) as client, client.pubsub() as channel:
        channel.psubscribe("*.celeryev/task*")
        with worker(Path(folder), url, "prefork"):
            for number in range(TASKS):
                app.send_task("shop.add", (number, 1))
            while ended < TASKS:
                told = channel.get_message(timeout=1.0)
                if told is None or told["type"] != "pmessage":
                    continue
                body = b64decode(json.loads(told["data"])["body"])
                events = json.loads(body)
                events = events if isinstance(events, list) else [events]
                ended += sum(event["type"] == "task-succeeded" for event in events)
                found.append((told["channel"].decode().partition("/")[2].partition("/")[2], body, len(events)))
    app.close()
    return found


def fill(url: str, stream: list[Message], count: int) -> int:
    """Publish at least ``count`` events as workers do; return how many."""
    return (_fill_redis if url.startswith("redis") else _fill_rabbitmq)(url, stream, count)


def _fill_redis(url: str, stream: list[Message], count: int) -> int:
    number = url.rpartition("/")[2]
    envelopes = [
        (f"/{number}.celeryev/{key}", json.dumps({
            "body": b64encode(body).decode(), "content-encoding": "utf-8", "content-type": "application/json",
            "headers": {"hostname": "w1@host"},
            "properties": {
                "delivery_mode": 1, "delivery_info": {"exchange": "celeryev", "routing_key": key}, "priority": 0,
                "body_encoding": "base64", "delivery_tag": "7d7e2c6e-9cf1-4a4e-8f0c-2f2b4f7a6c10",
            },
        }), size)
        for key, body, size in stream
    ]  # fmt: skip
    done = 0
    with redis.Redis.from_url(url) as client, client.pipeline(transaction=False) as pipe:
        for channel, payload, size in cycle(envelopes):
            pipe.publish(channel, payload)
            done += size
            if len(pipe) >= 500 or done >= count:
                pipe.execute()
            if done >= count:
                return done
    raise AssertionError


def _fill_rabbitmq(url: str, stream: list[Message], count: int) -> int:
    host, _, vhost = url.rpartition("@")[2].partition("/")
    done = 0
    patience = {socket.TCP_USER_TIMEOUT: 60_000}  # a broker that is full slows publishers down
    with amqp.Connection(host, virtual_host=vhost, socket_settings=patience) as connection:
        channel = connection.channel()
        for key, body, size in cycle(stream):
            message = amqp.Message(
                body,
                content_type="application/json",
                content_encoding="utf-8",
                application_headers={"hostname": "w1@host"},
                delivery_mode=1,
            )
            channel.basic_publish(message, "celeryev", key)
            done += size
            if done >= count:
                return done
    raise AssertionError


@contextmanager
def ours(url: str) -> Iterator[Read]:
    """The intake, subscribed."""
    found = source(url, clock=SystemClock())
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        found.read(0.1)

    def read(count: int) -> None:
        while count > 0:
            intake = found.read(1.0)
            assert not intake.gaps, intake.gaps
            count -= len(intake.events)

    try:
        yield read
    finally:
        found.close()


@contextmanager
def celerys(url: str) -> Iterator[Read]:
    """Celery's receiver, subscribed."""
    app = Celery("receiver", broker=url, set_as_current=False)
    app.conf.event_queue_ttl = 3600  # by default what has waited for 5 s is dropped
    seen = 0

    def count_one(_: object) -> None:
        nonlocal seen
        seen += 1

    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": count_one})
        with receiver.consumer_context(wakeup=False) as (active, _, _):

            def read(count: int) -> None:
                while seen < count:
                    active.drain_events(timeout=10)

            try:
                active.drain_events(timeout=0.5)
            except TimeoutError:
                seen = 0
            yield read
    app.close()


def measure(consumer: Callable[[str], object], url: str, stream: list[Message], count: int) -> tuple[float, float]:
    """Events a second and CPU microseconds an event, best of ``ROUNDS``."""
    rates, costs = [], []
    for _ in range(ROUNDS):
        with consumer(url) as read:  # type: ignore[attr-defined]
            sent = fill(url, stream, count)
            began, before = time.monotonic(), time.process_time()
            read(sent)
            rates.append(sent / (time.monotonic() - began))
            costs.append((time.process_time() - before) / sent * 1e6)
    return max(rates), min(costs)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("brokers", nargs="*", default=["redis", "rabbitmq"])
    options = parser.parse_args()
    if why := missing("redis"):
        sys.exit(f"left out, {why}")
    run = Run()
    try:
        recorder = shared(run.folder, "redis")
        assert isinstance(recorder, Redis)
        stream = record(recorder.fresh_url())
        events, size = sum(each[2] for each in stream), sum(len(each[1]) for each in stream)
        print(f"{events:,} events of {TASKS} tasks in {len(stream):,} messages, {size / events:.0f} bytes each as JSON")
        with redis.Redis(port=recorder.port) as client:  # the buffer is to be full, and the consumer not to be dropped
            client.config_set("client-output-buffer-limit", "pubsub 0 0 0")
        for kind in options.brokers:
            if why := missing(kind):
                print(f"{kind:9} left out: {why}")
                continue
            url = shared(run.folder, kind).fresh_url()
            for name, consumer in (("nightowl", ours), ("celery", celerys)):
                rate, cost = measure(consumer, url, stream, options.events)
                print(f"{kind:9} {name:9} {rate:10,.0f} events/s {cost:7.2f} us CPU an event", flush=True)
    finally:
        run.end()


if __name__ == "__main__":
    main()
