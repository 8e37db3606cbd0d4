"""A real HTTP server that answers as a test says, and keeps what it was asked."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest


class Asked(msgspec.Struct):
    """A request: its path with the query, its body, its headers (names in lower case)."""

    path: str
    body: bytes
    headers: dict[str, str]
    connection: tuple[str, int]


class Server(ThreadingHTTPServer):
    """Says nothing of clients that hang up, which is what some tests are about."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Leave it."""


class Scripted:
    """A server; ``answer`` makes status, media type and body of a request (None: the connection is reset)."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer: Callable[[Asked], tuple[int, str, bytes] | None] = lambda _: (200, "application/json", b"[]")
        self._server = Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def says(self, body: bytes | str, status: int = 200, media_type: str = "application/json") -> None:
        data = body.encode() if isinstance(body, str) else body
        self.answer = lambda _: (status, media_type, data)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(scripted: Scripted) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.path, body, headers, self.client_address)
            scripted.asked.append(asked)
            said = scripted.answer(asked)
            if said is None:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            status, media_type, data = said
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Location", "http://169.254.169.254/")
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def finish(self) -> None:
            with suppress(OSError, ValueError):
                super().finish()

    return Handler


@pytest.fixture
def server() -> Iterator[Scripted]:
    made = Scripted()
    yield made
    made.stop()
