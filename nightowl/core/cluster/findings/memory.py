"""What the detectors of one cluster remember, so that a restart neither pages again nor forgets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from nightowl.core.cluster.finding import Finding
from nightowl.core.cluster.findings.usual import Usual

MOST_NAMES = 2000
"""Names of tasks of which it is known what is usual; those that were not heard longest are forgotten."""

VERSION = 1

T = TypeVar("T")


def make_room(table: dict[str, T], most: int, moment: Callable[[T], float]) -> None:
    """Forget the older half of what is in a full table, at once: names without end must not cost a search each."""
    if len(table) >= most:
        for key in sorted(table, key=lambda key: moment(table[key]))[: most // 2]:
            del table[key]


class Failed(msgspec.Struct):
    """Failures of one task with one exception at one place. ``told``: there is or was an incident of them."""

    task: str
    exception: str
    place: str
    first: float
    last: float
    count: int = 0
    uuid: str = ""
    error: str = ""
    details: str = ""
    told: bool = False


class Lost(msgspec.Struct):
    """Tasks of one name that went away with one worker: the ids of the newest, of which nothing was heard since."""

    task: str
    worker: str
    first: float
    last: float
    count: int = 0
    uuids: dict[str, None] = {}


class Level(msgspec.Struct, gc=False):
    """How full a queue was ``at`` a moment."""

    at: float
    ready: int


class Stage(msgspec.Struct, gc=False):
    """How many tasks of a name had been received and not finished ``at`` a moment, and how many ended since before."""

    at: float
    open: int
    ended: int


class Held(msgspec.Struct):
    """A sign that has been there ``since`` then; ``told`` is the finding that it has become (None: not yet)."""

    since: float
    told: Finding | None = None


class Memory(msgspec.Struct):
    """All of it. ``judged`` is when ``judge`` was called last, ``deaf`` when a gap ended last (Unix seconds)."""

    version: int = VERSION
    usual: dict[str, Usual] = {}
    failures: dict[str, Failed] = {}
    counted: dict[str, None] = {}
    lost: dict[str, Lost] = {}
    levels: dict[str, list[Level]] = {}
    stages: dict[str, list[Stage]] = {}
    ended: dict[str, int] = {}
    held: dict[str, dict[str, Held]] = {}
    judged: float = 0.0
    deaf: float = 0.0
    swept: float = 0.0

    def of(self, name: str) -> Usual:
        """Return what is usual for a task, a new one where nothing is known."""
        found = self.usual.get(name)
        if found is None:
            make_room(self.usual, MOST_NAMES, lambda usual: usual.heard)
            found = self.usual[name] = Usual()
        return found


_decoder = msgspec.msgpack.Decoder(Memory)


def remembered(memory: Memory) -> bytes:
    """Return a memory as bytes."""
    return msgspec.msgpack.encode(memory)


def recalled(stored: bytes | None) -> Memory:
    """Return the memory that was stored; an empty one where there is none, or one that this version cannot read."""
    if not stored:
        return Memory()
    try:
        memory = _decoder.decode(stored)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Memory()
    return memory if memory.version == VERSION else Memory()
