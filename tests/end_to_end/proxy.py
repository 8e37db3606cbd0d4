"""A TCP proxy before a server: a network that passes everything on, goes silent, or resets what it carries."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self


class Proxy:
    """Listens on ``port`` of loopback, for the server on port ``to``."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._ready = threading.Event()
        self._cut = False
        self._lines: set[asyncio.StreamWriter] = set()
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Keep connections, accept new ones, and let no byte through."""
        self._loop.call_soon_threadsafe(self._open.clear)
        yield
        self._loop.call_soon_threadsafe(self._open.set)

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Reset all connections, and each new one."""
        self._cut = True
        self._loop.call_soon_threadsafe(self._reset)
        yield
        self._cut = False

    def _reset(self) -> None:
        for line in self._lines:
            line.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not self._cut:
                await self._connect(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._open.wait()
        behind, ahead = await asyncio.open_connection("127.0.0.1", self._to)
        lines = {writer, ahead}
        self._lines |= lines
        try:
            ways = [asyncio.ensure_future(self._pump(*way)) for way in ((reader, ahead), (behind, writer))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            ahead.transport.abort()
            self._lines -= lines

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._open.wait()
                writer.write(data)
                await writer.drain()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._open = asyncio.Event()
        self._open.set()
        server = self._loop.run_until_complete(asyncio.start_server(self._carry, "127.0.0.1", 0, backlog=1024))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._reset()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()
