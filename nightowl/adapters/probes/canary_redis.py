"""The way of a canary through Redis, as kombu keeps queues there: lists of messages, and sets of bindings.

Everything that is made for the reply has a time to live, so that it vanishes by itself even if we are killed, or if
the reply comes after we have gone. To that end the reply's list has an end stone: a list keeps its time to live as long
as it exists.
"""

from __future__ import annotations

import json
from base64 import b64encode
from time import monotonic, sleep
from typing import Any
from urllib.parse import SplitResult, unquote

import hiredis

from nightowl.adapters.probes import canary as canaries
from nightowl.adapters.probes.canary import Canary
from nightowl.adapters.probes.failure import TARGET, Failure
from nightowl.adapters.probes.stream import Stream

LASTING = 900_000
"""Milliseconds after which what was made for a reply vanishes: longer than a canary can take."""
MAX_REPLY = 1 << 20
"""Bytes of one answer of Redis."""

_STONE = b"nightowl"
_SEPARATOR = "\x06\x16"
_FIRST_LOOK = 0.002
_PART = 0.05
"""The time between two looks, as a part of the time that has passed: so exact is what is measured."""


class RedisLane:
    """An implementation of ``canary.Lane`` on a connection to Redis."""

    def __init__(self, stream: Stream, url: SplitResult) -> None:
        """Sign in as the URL says."""
        self._stream = stream
        self._reader = hiredis.Reader()
        self._sent = b""
        database = url.path.strip("/") or "0"
        if not database.isdecimal():
            raise Failure(TARGET, "the path of a redis URL is the number of a database")
        if url.password:
            words = [unquote(each) for each in (url.username, url.password) if each]
            self._ask(("AUTH", *words))
        self._ask(("SELECT", database))

    def open(self, canary: Canary) -> None:
        """Bind the reply's exchange, which has its name, to its list."""
        binding = _binding(canary)
        self._ask(
            ("SADD", binding, _SEPARATOR.join((canary.reply, "", canary.reply))),
            ("PEXPIRE", binding, LASTING),
            ("RPUSH", canary.reply, _STONE),
            ("PEXPIRE", canary.reply, LASTING),
        )

    def send(self, canary: Canary) -> None:
        """Put the canary into its queue."""
        self._sent = _message(canary)
        self._ask(("LPUSH", canary.queue, self._sent))

    def wait(self, canary: Canary, deadline: float) -> bool:
        """Look for the reply, ever less often; to block for it would take the end stone."""
        began = monotonic()
        while True:
            if self._came(canary):
                return True
            now = monotonic()
            if now >= deadline:
                return False
            sleep(min(max(_FIRST_LOOK, _PART * (now - began)), deadline - now))

    def close(self, canary: Canary, answered: bool) -> str:
        """Remove what was made, or take the canary back; a late reply has its time to live."""
        if answered:
            self._ask(("DEL", _binding(canary), canary.reply))
            return ""
        taken_back, waiting = self._ask(("LREM", canary.queue, 1, self._sent), ("LLEN", canary.queue))
        if not taken_back:
            return ""
        return f"no worker took a canary from the queue {canary.queue}{canaries.backlog(waiting)}"

    def _came(self, canary: Canary) -> bool:
        (found,) = self._ask(("LINDEX", canary.reply, 0))
        if not isinstance(found, bytes) or found == _STONE:
            return False
        try:
            return canaries.answers(canary, json.loads(found)["headers"])
        except (ValueError, TypeError, KeyError):
            return False

    def _ask(self, *commands: tuple[Any, ...]) -> list[Any]:
        """Send commands at once; their answers. Raises ``celery.broker`` for a refusal."""
        self._stream.send(b"".join(hiredis.pack_command(command) for command in commands))
        return [self._answer() for _ in commands]

    def _answer(self) -> Any:
        room = MAX_REPLY
        try:
            while (answer := self._reader.gets()) is False:
                data = self._stream.receive()
                room -= len(data)
                if not data:
                    raise ConnectionResetError
                if room < 0:
                    raise Failure("limit.body", "the broker answered more than 1 MiB")
                self._reader.feed(data)
        except hiredis.ProtocolError:
            raise Failure("celery.broker", "what answers is no Redis") from None
        if isinstance(answer, hiredis.ReplyError):
            raise Failure("celery.broker", f"the broker refused: {answer}")
        return answer


def _binding(canary: Canary) -> str:
    return f"_kombu.binding.{canary.reply}"


def _message(canary: Canary) -> bytes:
    """A task's message as kombu lays it into a list."""
    message = {
        "body": b64encode(canaries.body(canary.reply, canary.reply)).decode(),
        "content-encoding": "utf-8",
        "content-type": canaries.CONTENT_TYPE,
        "headers": canaries.headers(canary),
        "properties": {
            "correlation_id": canary.id,
            "delivery_mode": 1,
            "delivery_info": {"exchange": "", "routing_key": canary.queue},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": canary.id,
        },
    }
    return json.dumps(message).encode()
