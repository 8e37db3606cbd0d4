"""What a real prefork worker and its client send over Redis, as it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import redis
from celery import Celery

TASKS = 400
"""Of twenty one fails with a traceback and one is retried once."""

PROGRAM = """
from celery import Celery

app = Celery("shop", broker={url!r}, set_as_current=False)
app.conf.update(task_send_sent_event=True, worker_prefetch_multiplier=4)

class CardRefused(Exception):
    pass

@app.task(name="shop.charge")
def charge(order, amount, *, currency, customer):
    return {{"order": order, "charged": amount, "currency": currency}}

@app.task(name="shop.refund")
def refund(order):
    raise CardRefused(f"the card of order {{order}} was refused")

@app.task(bind=True, name="shop.notify", max_retries=3)
def notify(self, order, address):
    if self.request.retries == 0:
        raise self.retry(exc=ConnectionError("the mail server does not answer"), countdown=0)
    return "sent"
"""


class Message(msgspec.Struct, frozen=True):
    """One message: its routing key, its JSON body, and how many events that is."""

    key: str
    body: bytes
    events: int


def record(url: str) -> list[Message]:
    """What is sent of ``TASKS`` tasks until all of them have ended."""
    with tempfile.TemporaryDirectory() as name, redis.Redis.from_url(url) as client, client.pubsub() as channel:
        channel.psubscribe("*.celeryev/task*")
        with _worker(Path(name), url):
            _send(url)
            return list(_heard(channel))


def _send(url: str) -> None:
    app = Celery("client", broker=url, set_as_current=False)
    app.conf.task_send_sent_event = True
    for number in range(TASKS):
        if number % 20 == 0:
            app.send_task("shop.refund", (number,))
        elif number % 20 == 10:
            app.send_task("shop.notify", (number, f"customer-{number}@example.org"))
        else:
            customer = {"name": f"Customer {number}", "city": "Köln", "since": 2019}
            app.send_task("shop.charge", (number, 19.9), {"currency": "EUR", "customer": customer})
    app.close()


def _heard(channel: redis.client.PubSub) -> Iterator[Message]:
    ended = 0
    while ended < TASKS:
        told = channel.get_message(timeout=1.0)
        if told is None or told["type"] != "pmessage":
            continue
        body = b64decode(json.loads(told["data"])["body"])
        found = json.loads(body)
        events = found if isinstance(found, list) else [found]
        ended += sum(event["type"] in ("task-succeeded", "task-failed") for event in events)
        yield Message(told["channel"].decode().partition("/")[2].partition("/")[2], body, len(events))


@contextmanager
def _worker(folder: Path, url: str) -> Iterator[None]:
    (folder / "shop.py").write_text(PROGRAM.format(url=url))
    command = [sys.executable, "-m", "celery", "-A", "shop", "worker", "-E", "-P", "prefork", "-c", "2", "-l", "ERROR"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=os.environ)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def save(messages: list[Message], path: Path) -> None:
    """Write a recording, for ``load``."""
    path.write_bytes(msgspec.json.encode([(each.key, b64encode(each.body).decode(), each.events) for each in messages]))


def load(path: Path) -> list[Message]:
    """Read a recording."""
    return [Message(key, b64decode(body), count) for key, body, count in json.loads(path.read_bytes())]
