"""Targets that are up and down on a known script, and write every hit into a ledger before they answer."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, inf
from pathlib import Path
from typing import Any, Self

from tests.end_to_end.ledger import Ledger

OVER = "HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
LOCATION = re.compile(r"^user-agent: NightOwl/\S+ \((.+)\)\r$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Target:
    """A check's target: out of every ``cycle`` seconds it is broken for the first ``broken`` ones (0: never).

    ``every`` is the period of its check, ``offset`` the seconds by which its cycle is ahead of the others'.
    """

    name: str
    every: float
    cycle: float = 0.0
    broken: float = 0.0
    offset: float = 0.0

    def well(self, elapsed: float) -> bool:
        """Whether it answers well, so many seconds after the script began."""
        return not self.broken or (elapsed + self.offset) % self.cycle >= self.broken

    def outages(self, elapsed: float) -> list[tuple[float, float]]:
        """From when to when it was broken, in seconds after the script began, until ``elapsed``."""
        if not self.broken:
            return []
        first, last = floor(self.offset / self.cycle), ceil((elapsed + self.offset) / self.cycle)
        starts = [number * self.cycle - self.offset for number in range(first, last)]
        found = [(max(0.0, start), min(start + self.broken, elapsed)) for start in starts]
        return [(start, end) for start, end in found if start < end]


class Targets:
    """One server for all targets; the path is the target's name. ``begun`` and ``healed`` are Unix seconds."""

    def __init__(self, folder: Path, targets: Iterable[Target]) -> None:
        self.all = {target.name: target for target in targets}
        self.ledger = Ledger(folder / "targets.ledger")
        self.begun = time.time()
        self.healed = inf
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="targets", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self.ledger.close()

    def heal(self) -> None:
        """Let every target answer well from now on."""
        self.healed = time.time()

    def outages(self, name: str) -> list[tuple[float, float]]:
        """When a target was broken (Unix seconds)."""
        until = min(self.healed, time.time()) - self.begun
        return [(self.begun + start, self.begun + end) for start, end in self.all[name].outages(until)]

    def hits(self) -> list[dict[str, Any]]:
        """Every hit: ``at``, ``name``, ``location`` and whether it was answered ``well``."""
        return self.ledger.read()

    def _answer(self, head: str) -> bytes:
        name = head.split(" ", 2)[1].removeprefix("/")
        now = time.time()
        well = now >= self.healed or self.all[name].well(now - self.begun)
        found = LOCATION.search(head)
        self.ledger.write(name=name, location=found[1] if found else "", well=well)
        return OVER.format(status="200 OK" if well else "500 Broken").encode()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            writer.write(self._answer(head.decode()))
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _run(self) -> None:
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=4096))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()
