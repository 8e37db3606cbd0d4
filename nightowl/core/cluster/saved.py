"""What a watcher stores for the next one to go on from: what it has counted, and what its detectors remember."""

from __future__ import annotations

import msgspec


class Saved(msgspec.Struct, frozen=True, array_like=True):
    """``figures`` as ``Figures.encode`` gives them, ``memory`` as ``findings.remembered`` does."""

    figures: bytes
    memory: bytes = b""


def packed(figures: bytes, memory: bytes) -> bytes:
    """Return both as bytes."""
    return msgspec.msgpack.encode(Saved(figures, memory))


def unpacked(stored: bytes | None) -> Saved | None:
    """Return what was stored (None: nothing, or nothing that this version can read)."""
    try:
        return msgspec.msgpack.decode(stored, type=Saved) if stored else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
