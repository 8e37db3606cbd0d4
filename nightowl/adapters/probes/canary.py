"""A canary: a task that any Celery worker can run, whose result comes back to us though nobody keeps results.

``celery.accumulate`` is a part of every Celery app and returns its arguments. The canary carries a callback (Celery's
``link``) that is routed to an exchange and a queue of our own, so that the worker which ran it publishes the callback
there. The task of that callback does not exist: nobody is to run it. Messages follow Celery's message protocol 2.
"""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

TASK = "celery.accumulate"
CALLBACK = "nightowl.canary"
CONTENT_TYPE = "application/json"
EXPIRES = 600.0
"""Seconds after which a worker that has taken a canary drops it. Workers judge this by their own clocks, so it is long;
a canary that is still in the queue is taken back, or dropped by the broker, when its attempt ends."""

FEW = 100
"""Messages of a queue that are not told of: they may all be canaries, of other locations or of attempts before."""


class Canary(msgspec.Struct, frozen=True):
    """One canary: the task's ``id``, the ``queue`` it goes to, and the name of what is only there for its ``reply``."""

    id: str
    queue: str
    reply: str


class Lane(Protocol):
    """The way of a canary through a broker, and back."""

    def open(self, canary: Canary) -> None:
        """Make what the reply needs."""

    def send(self, canary: Canary) -> None:
        """Put the canary into its queue."""

    def wait(self, canary: Canary, deadline: float) -> bool:
        """Wait for the reply: whether it came by the deadline (monotonic)."""

    def close(self, canary: Canary, answered: bool) -> str:
        """Leave nothing behind; in words, what became of a canary that was not answered, if nobody took it."""


def new(queue: str) -> Canary:
    """A canary that no other is like, and whose reply nobody can foresee."""
    return Canary(id=secrets.token_hex(16), queue=queue, reply=f"nightowl.canary.{secrets.token_hex(16)}")


def headers(canary: Canary) -> dict[str, Any]:
    """The headers of the task's message."""
    return {
        "lang": "py",
        "task": TASK,
        "id": canary.id,
        "root_id": canary.id,
        "parent_id": None,
        "group": None,
        "retries": 0,
        "eta": None,
        "expires": (datetime.now(UTC) + timedelta(seconds=EXPIRES)).isoformat(),
        "timelimit": [None, None],
        "argsrepr": "()",
        "kwargsrepr": "{}",
        "origin": "nightowl",
        "ignore_result": True,
    }


def body(exchange: str, routing_key: str) -> bytes:
    """The body of the task's message, with the callback that goes to ``exchange``."""
    callback: dict[str, Any] = {
        "task": CALLBACK,
        "args": [],
        "kwargs": {},
        "options": {"exchange": exchange, "routing_key": routing_key, "ignore_result": True},
        "subtask_type": None,
        "immutable": True,
    }
    embedded = {"callbacks": [callback], "errbacks": None, "chain": None, "chord": None}
    return json.dumps([[], {}, embedded]).encode()


def backlog(waiting: int) -> str:
    """The end of a sentence about a queue, where more messages wait in it than canaries would."""
    return f", where {waiting} messages wait" if waiting > FEW else ""


def answers(canary: Canary, found: Any) -> bool:
    """Whether headers are those of the callback that a canary led to."""
    return isinstance(found, dict) and found.get("root_id") == canary.id
