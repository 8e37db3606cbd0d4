"""What a watcher stores for the next one to go on from: what it has counted, and what its detectors remember."""

from __future__ import annotations

from math import inf

import msgspec

SHAPE = 1
"""The shape of what is stored; another is not read."""


class Saved(msgspec.Struct, frozen=True, array_like=True):
    """``figures`` as ``Figures.encode`` gives them, ``memory`` as ``findings.remembered`` does.

    ``sure`` is up to when all that the broker has told is stored (Unix seconds). ``shape`` is 0 where it was stored
    before shapes were numbered.
    """

    figures: bytes
    memory: bytes = b""
    sure: float = inf
    shape: int = 0


def packed(figures: bytes, memory: bytes, sure: float = inf) -> bytes:
    """Return all of it as bytes."""
    return msgspec.msgpack.encode(Saved(figures, memory, sure, SHAPE))


def unpacked(stored: bytes | None) -> Saved | None:
    """Return what was stored (None: nothing, or nothing that this version can read)."""
    try:
        saved = msgspec.msgpack.decode(stored, type=Saved) if stored else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return saved if saved and saved.shape == SHAPE else None
