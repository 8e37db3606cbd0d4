"""Servers on free loopback ports, all on one event loop in a thread of their own."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable

ADDRESS = "127.0.0.1"


class Loopback:
    """The loop and the thread; ``start`` and ``stop`` are for one use each.

    A protocol without a task of its own keeps its open transports in ``connections``, to be ended by ``stop``.
    """

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name=name, daemon=True)
        self.connections: set[asyncio.Transport] = set()
        self._servers: list[asyncio.Server] = []

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def listen(self, protocol: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None = None) -> int:
        """Serve a protocol, over TLS where a context is given, on a free port, and return the port."""
        return asyncio.run_coroutine_threadsafe(self._listen(protocol, tls), self.loop).result()

    def stop(self) -> None:
        """Close all ports, end all connections and the thread."""
        asyncio.run_coroutine_threadsafe(self._close(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    async def _listen(self, protocol: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None) -> int:
        server = await self.loop.create_server(protocol, ADDRESS, 0, ssl=tls)
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def _close(self) -> None:
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.sleep(0)  # a task that is cancelled before its first step closes nothing
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for server in self._servers:  # only now: a connection that is being accepted needs its server open
            server.close()
        for connection in tuple(self.connections):
            connection.abort()
        await asyncio.sleep(0)  # they let go of their sockets in the loop's next turn
