"""Packs lines into datagrams: as many as fit, and none is ever cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def packed(lines: Iterable[str], most: int) -> Iterator[bytes]:
    """Yield datagrams of at most ``most`` bytes, lines joined by line ends; a longer line goes alone."""
    waiting: list[bytes] = []
    size = 0
    for line in lines:
        data = line.encode()
        if waiting and size + 1 + len(data) > most:
            yield b"\n".join(waiting)
            waiting, size = [], 0
        size += len(data) + (1 if waiting else 0)
        waiting.append(data)
    if waiting:
        yield b"\n".join(waiting)
