"""What strangers may put into a cluster's event channel on Redis, and how it gets there."""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import Iterator
from typing import Any

import redis

SCRIPT = "<script>alert(1)</script>"
NAMES = (
    SCRIPT,
    f'"><img src=x onerror={SCRIPT}>',
    "a/b/../../c?d=e&f=g#h%2F",
    "größe/日本語\u2028☠\u202e",
    'quote" back\\slash new\nline tab\t{{7*7}}',
    "' OR 1=1; DROP TABLE tasks; --",
    "\ud800 alone",
    "x" * 300,
    ".",
    "",
)
MOMENTS: tuple[Any, ...] = (0, -1, 4e9, 1e18, 1e308, "soon", None, [], True)


def tasks(now: float) -> Iterator[dict[str, Any]]:
    """Events that might nearly be true: names of all kinds, at times that cannot be."""
    for number, name in enumerate(NAMES):
        for node in (f"evil{number}@{name}", "evil@web/1&2"):
            own = {"hostname": node, "uuid": f"{name[:40]}{number}", "timestamp": now, "pid": 1, "clock": 2}
            said = {"name": name, "args": f"({SCRIPT!r},)", "kwargs": "{'__import__': 'os'}", "root_id": name}
            yield {**own, **said, "type": "task-sent", "queue": name, "routing_key": name, "exchange": name}
            yield {**own, **said, "type": "task-received", "retries": 0, "eta": name, "parent_id": name}
            yield {**own, "type": "task-started", "timestamp": now + 1}
            yield {**own, "type": "task-failed", "exception": f"{name}('x')", "traceback": f"{name}\n{SCRIPT}: x"}
            yield {**own, "type": "worker-heartbeat", "active": 10**20, "processed": -1, "freq": 0, "sw_ident": name}
    for moment in MOMENTS:
        yield {
            "type": "task-received",
            "hostname": "evil@time",
            "uuid": f"at {moment}",
            "timestamp": moment,
            "name": "n",
        }
    yield {"type": "task-received", "hostname": "threads@web-1", "uuid": "future", "timestamp": now + 1e6, "name": "n"}


def strange() -> Iterator[Any]:
    """What is JSON and no event, or none that anybody foresaw."""
    yield from (None, 1, "text", [], {}, [[]], [None, 1, {}], {"type": 1}, {"type": ""}, {"type": "x" * 10_000})
    yield from ({"type": f"task-{SCRIPT}", "uuid": "u"}, {"type": "task-", "uuid": {}}, {"type": "worker-\ud800"})
    yield {"type": "task-received", "uuid": "u", "retries": 10**30, "runtime": "1", "args": {"a": [1]}, "queue": []}
    yield [{"type": "task-succeeded", "uuid": f"{number}"} for number in range(10_001)]
    yield {"type": "task-succeeded", "uuid": "huge", "result": "x" * 3_000_000}
    for number in range(300):
        yield {"type": f"task-unknown-{number}", "uuid": "u", "hostname": "evil@web"}


def garbage() -> Iterator[bytes]:
    """What is no message at all."""
    chance = random.Random(1)
    yield from (b"", b"\x00", b"{", b"\xff" * 100, b"[" * 100_000, b'{"body": 1}', b'{"body": "!!!"}', b"null", b"[]")
    yield from (chance.randbytes(chance.randrange(200)) for _ in range(200))
    yield envelope(b"[" * 100_000)
    yield envelope(b"\x80\x04K\x01.", "application/x-python-serialize")
    yield envelope(b'{"type": "task-sent", "timestamp": NaN, "uuid": "\\u0000"}')


def envelope(body: bytes, content_type: str = "application/json") -> bytes:
    """A message as kombu puts it on Redis."""
    properties = {"body_encoding": "base64", "delivery_info": {"exchange": "celeryev", "routing_key": SCRIPT}}
    whole = {"body": base64.b64encode(body).decode(), "content-type": content_type, "content-encoding": "utf-8"}
    return json.dumps({**whole, "headers": {"hostname": SCRIPT}, "properties": properties}).encode()


def publish(url: str) -> None:
    """Put all of it into the channels of the cluster on this Redis."""
    number = url.rpartition("/")[2]
    channels = [f"/{number}.celeryev/task.received", f"/{number}.celeryev/{SCRIPT}", f"/{number}.celeryev/"]
    events = [json.dumps(each).encode() for each in (*tasks(time.time()), *strange())]
    messages = [*map(envelope, events), *garbage()]
    with redis.Redis.from_url(url) as client:
        for place, message in enumerate(messages):
            client.publish(channels[place % len(channels)], message)
