"""What a real prefork worker and its client send over a broker, as it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from celery import Celery
from celery.events.event import get_exchange
from kombu import Connection, Queue
from kombu.message import Message as Delivered

TASKS = 400
"""Of twenty one fails with a traceback and one is retried once."""

PROCESSES = "4"
"""Processes of the worker: the more of them end at once, the more events it sends in one message."""

PATIENCE = 30.0
"""Seconds in which something must be heard."""

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
    found: list[Message] = []

    def hear(_: object, message: Delivered) -> None:
        key = message.delivery_info["routing_key"]
        if key.startswith("task"):
            found.append(_message(key, message.body))

    with tempfile.TemporaryDirectory() as name, Connection(url) as connection:
        queue = Queue("recording", get_exchange(connection), routing_key="#", exclusive=True, auto_delete=True)
        with connection.Consumer(queue, callbacks=[hear], no_ack=True):
            with suppress(TimeoutError):  # over Redis it is the first look that subscribes
                connection.drain_events(timeout=1.0)
            with _worker(Path(name), url):
                _send(url)
                while _ended(found) < TASKS:
                    connection.drain_events(timeout=PATIENCE)
    return found


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


def _ended(messages: list[Message]) -> int:
    return sum(each.body.count(b'"task-succeeded"') + each.body.count(b'"task-failed"') for each in messages)


def _message(key: str, body: bytes | str) -> Message:
    raw = body.encode() if isinstance(body, str) else body
    told = json.loads(raw)
    return Message(key, raw, len(told) if isinstance(told, list) else 1)


@contextmanager
def _worker(folder: Path, url: str) -> Iterator[None]:
    (folder / "shop.py").write_text(PROGRAM.format(url=url))
    how = ["-E", "-P", "prefork", "-c", PROCESSES, "-l", "ERROR"]
    command = [sys.executable, "-m", "celery", "-A", "shop", "worker", *how]
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
