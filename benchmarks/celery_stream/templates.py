"""A recorded message as a template: what stands in it stays, but for ids, times, and names of tasks and workers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

import msgspec

from benchmarks.celery_stream.recording import Message

_VARYING = re.compile(
    rb'(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})|"timestamp": (?P<time>[0-9.e]+)'
    rb'|"name": "(?P<name>[^"]+)"|"hostname": "(?P<host>[^"]+)"'
)


class Template(msgspec.Struct, frozen=True):
    """One message: ``text`` to be filled by ``%`` with what ``pick`` takes of the ids of a cycle and, last, the time.

    ``ahead``: it is of a client, and so comes while the task waits.
    """

    key: str
    text: bytes
    pick: Callable[[list[bytes]], tuple[bytes, ...]]
    events: int
    ahead: bool


class Templates(msgspec.Struct, frozen=True):
    """The messages of ``ids`` tasks, in their order, with ``events`` in all."""

    messages: list[Template]
    ids: int
    events: int


def templates(recording: list[Message], names: int, workers: int) -> Templates:
    """Make templates; each of the recorded names becomes ``names``, the worker becomes ``workers``."""
    numbers = {each: number for number, each in enumerate(_ids(recording))}
    found = []
    for message in recording:
        events: Any = json.loads(message.body)
        events = events if isinstance(events, list) else [events]
        first = events[0]
        text, fields = _split(
            message.body, [numbers[event["uuid"].encode()] for event in events], names, workers, numbers
        )
        ahead = first["type"] == "task-sent" and not first.get("retries")
        found.append(Template(message.key, text, itemgetter(*fields), len(events), ahead))
    return Templates(found, len(numbers), sum(each.events for each in found))


def _ids(recording: list[Message]) -> dict[bytes, None]:
    return {found["id"]: None for each in recording for found in _VARYING.finditer(each.body) if found["id"]}


def _split(
    body: bytes, tasks: list[int], names: int, workers: int, numbers: Mapping[bytes, int]
) -> tuple[bytes, list[int]]:
    """The text with a place for each id and time, and which of the values belongs there (-1: the time).

    The events of a message are a microsecond apart: the time of all lacks its last digit. An event's name and host
    stand before its time.
    """
    parts, fields, at, event = [], [], 0, 0
    for found in _VARYING.finditer(body):
        kind = found.lastgroup or ""
        parts.append(body[at : found.start(kind)].replace(b"%", b"%%"))
        task, at = tasks[event], found.end(kind)
        if kind == "id":
            fields.append(numbers[found["id"]])
            parts.append(b"%b")
        elif kind == "time":
            fields.append(-1)
            parts.append(b"%%b%d" % min(event, 9))
            event += 1
            tasks = tasks if event < len(tasks) else [*tasks, tasks[-1]]
        elif kind == "name":
            parts.append(b"%b_%d" % (found[kind], task // workers % names))
        else:
            client = found[kind].startswith(b"gen")
            parts.append(found[kind] if client else b"celery@web-%d" % (task % workers))
    return b"".join([*parts, body[at:].replace(b"%", b"%%")]), fields
