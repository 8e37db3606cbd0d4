"""Celery's remote control as its workers understand it: a command by fanout, answers into a queue of our own.

kombu's own ``Mailbox`` waits for every single answer as long as for all, tries for ever while a broker is away, and
keeps answers to earlier commands.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Collection, Iterator
from functools import cache
from typing import Any

from kombu import Exchange, Producer, Queue
from kombu.pidbox import Mailbox

from nightowl.adapters.celery_cluster.control.lines import Lines
from nightowl.core.cluster.command import Answer, Command

FIRST_LOOK = 0.005
LONGEST_LOOK = 0.05
"""Seconds between two looks for answers: soon after the command, then ever less often."""

MOST_ANSWERS = 10_000
LARGEST = 32 * 1024 * 1024
"""Bytes of an answer at most. That to ``registered`` or ``scheduled`` may have some megabytes."""

KEPT = 10.0
"""Seconds for which RabbitMQ keeps a queue of answers that nobody asks any more."""

_GARBAGE = object()
_TYPED = {"__type__", "__value__"}


class Pidbox:
    """The mailboxes of a cluster's workers. ``namespace`` is their ``control_exchange``."""

    def __init__(self, lines: Lines, namespace: str) -> None:
        self._lines = lines
        box = Mailbox(namespace, type="fanout")
        self._commands: Exchange = box.exchange
        self._replies: Exchange = box.reply_exchange

    def tell(self, command: Command) -> None:
        """Send a command, and wait for nothing."""
        with self._lines.channel(self._commands.bind) as exchange:
            exchange.declare()
            _publish(exchange, _message(command))

    def ask(self, command: Command, timeout: float, awaited: Collection[str]) -> list[Answer]:
        """Send a command; return what came within ``timeout`` seconds, or until all of ``awaited`` have answered."""
        deadline = time.monotonic() + timeout
        ticket = uuid.uuid4().hex
        with self._lines.channel(lambda channel: self._reply_queue(channel, ticket)) as queue:
            try:
                exchange = self._commands.bind(queue.channel)
                exchange.declare()
                reply_to = {"exchange": self._replies.name, "routing_key": ticket}
                _publish(exchange, _message(command) | {"ticket": ticket, "reply_to": reply_to})
                answers = list(_answers(queue, ticket, set(awaited), deadline))
            finally:
                queue.delete()
        heard = {answer.worker for answer in answers}
        return answers + [Answer(worker=name, silent=True) for name in dict.fromkeys(awaited) if name not in heard]

    def _reply_queue(self, channel: Any, ticket: str) -> Any:
        queue = Queue(
            f"{ticket}.{self._replies.name}",
            exchange=self._replies,
            routing_key=ticket,
            durable=False,
            exclusive=True,
            auto_delete=True,
            expires=KEPT,
        ).bind(channel)
        queue.declare()
        if hasattr(channel, "Message") and not issubclass(channel.Message, _Unpacked):
            channel.Message = _unpacked(channel.Message)
        return queue


class _Unpacked:
    """A message of a polled transport that is not decompressed: no worker compresses an answer.

    kombu unpacks whatever says that it is packed, into as much memory as that takes.
    """

    def __init__(self, payload: dict[str, Any], **kwargs: Any) -> None:
        packed = payload["headers"].get("compression")
        super().__init__(payload | {"headers": {}} if packed else payload, **kwargs)  # type: ignore[call-arg]


@cache
def _unpacked(message: type) -> type:
    return type("Message", (_Unpacked, message), {})


def _message(command: Command) -> dict[str, Any]:
    destination = list(command.workers) or None
    return {
        "method": command.name,
        "arguments": command.arguments,
        "destination": destination,
        "pattern": None,
        "matcher": None,
    }


def _publish(exchange: Any, message: dict[str, Any]) -> None:
    producer = Producer(exchange.channel, auto_declare=False)
    headers = {"clock": 0, "expires": 0}
    producer.publish(message, exchange=exchange.name, serializer="json", headers=headers, retry=False)


def _answers(queue: Any, ticket: str, awaited: set[str], deadline: float) -> Iterator[Answer]:
    """Yield answers as they come. It is asked for them, as a polled broker would not say that there are any."""
    whole = bool(awaited)
    wait = FIRST_LOOK
    for _ in range(MOST_ANSWERS):
        while (message := _next(queue)) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(wait, left))
            wait = min(wait * 1.5, LONGEST_LOOK)
        for answer in _read(message, ticket):
            yield answer
            awaited.discard(answer.worker)
        if whole and not awaited:
            return


def _next(queue: Any) -> Any:
    """Return the next message as it is (None: there is none now), ``_GARBAGE`` for one that cannot be taken apart."""
    try:
        return queue.channel.basic_get(queue=queue.name, no_ack=True)
    except (ValueError, TypeError, LookupError, AttributeError):
        return _GARBAGE


def _read(message: Any, ticket: str) -> Iterator[Answer]:
    """Yield what a message says; nothing where it is no answer to this command."""
    headers, body = getattr(message, "headers", None), getattr(message, "body", None)
    if not isinstance(headers, dict) or headers.get("ticket") != ticket or not isinstance(body, (str, bytes)):
        return
    if message.content_type != "application/json" or len(body) > LARGEST:
        return
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return
    if isinstance(said, dict):
        for worker, value in said.items():
            yield _answer(worker, value)


def _answer(worker: str, value: Any) -> Answer:
    """Celery's own commands say ``{"ok": text}`` or ``{"error": text}``; looks give the value as it is."""
    match value:
        case {"error": error} if len(value) == 1:
            return Answer(worker=worker, error=str(error) or "it refused")
        case {"ok": said} if len(value) == 1:
            return Answer(worker=worker, value=_plain(said))
        case _:
            return Answer(worker=worker, value=_plain(value))


def _plain(value: Any, depth: int = 100) -> Any:
    """The value without kombu's marks of types that JSON does not have."""
    if depth == 0:
        return None
    if isinstance(value, dict):
        if value.keys() == _TYPED:
            return _plain(value["__value__"], depth - 1)
        return {key: _plain(each, depth - 1) for key, each in value.items()}
    return [_plain(each, depth - 1) for each in value] if isinstance(value, list) else value
