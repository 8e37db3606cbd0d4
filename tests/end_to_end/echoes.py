"""Targets and receivers that say back whatever they were told, in every form, and refuse it."""

from __future__ import annotations

import html
import json
import socketserver
import ssl
import threading
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self
from urllib.parse import quote, quote_plus, unquote

ENCODINGS: tuple[Callable[[str], str], ...] = (
    str,
    lambda text: b64encode(text.encode()).decode(),
    lambda text: urlsafe_b64encode(b"." + text.encode()).decode(),
    lambda text: b64encode(b".." + text.encode()).decode(),
    lambda text: quote(text, safe=""),
    quote_plus,
    json.dumps,
    html.escape,
    repr,
    lambda text: text.encode().hex(),
)
"""How a request is said back, in turn."""


class Echoes:
    """Servers on loopback. ``calls`` counts by what was called; ``notices`` are the bodies that ``/good`` was sent."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.calls: Counter[str] = Counter()
        self.notices: list[bytes] = []
        self._turn = 0
        self._servers = {
            "http": self._server(self._answer_http),
            "https": self._server(lambda peer: self._answer_tls(peer, tls)),
            "tcp": self._server(self._answer_tcp),
            "smtp": self._server(self._answer_smtp),
        }

    def __enter__(self) -> Self:
        for server in self._servers.values():
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    def port(self, kind: str) -> int:
        """Where ``http``, ``https``, ``tcp`` or ``smtp`` is served."""
        return int(self._servers[kind].server_address[1])

    def _server(self, answer: Callable[[Any], None]) -> socketserver.ThreadingTCPServer:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.settimeout(10)
                with suppress(OSError):
                    answer(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True
            request_queue_size = 100

        return Server(("127.0.0.1", 0), Handler)

    def _answer_tls(self, peer: Any, tls: ssl.SSLContext) -> None:
        with tls.wrap_socket(peer, server_side=True) as secured:
            self._answer_http(secured)

    def _answer_http(self, peer: Any) -> None:
        head, body = _request(peer)
        first, *lines = head.decode("latin-1").split("\r\n")
        path = first.split()[1]
        kind = path.split("?")[0].split("/")[1]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        self.calls[kind] += 1
        if kind == "good":
            self.notices.append(body)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            return
        told = _told(path, headers, body)
        if kind == "redirect":
            place = quote(told, safe="")
            peer.sendall(
                f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://169.254.169.254/?{place}\r\n\r\n".encode()
            )
        elif kind == "source":
            said = json.dumps({"status": "error", "errorType": "bad_data", "error": told}).encode()
            peer.sendall(f"HTTP/1.1 400 Bad\r\nContent-Length: {len(said)}\r\n\r\n".encode() + said)
        elif kind == "garbage":
            peer.sendall(f"{told}\r\n\r\n".encode())
        else:
            self._turn += 1
            said = ENCODINGS[self._turn % len(ENCODINGS)](told).encode()
            shown = headers.get("authorization", "none")
            head = f"HTTP/1.1 500 {shown}\r\nX-Echo: {shown}\r\nSet-Cookie: a={shown}\r\n"
            peer.sendall(f"{head}Content-Length: {len(said)}\r\n\r\n".encode() + said)

    def _answer_tcp(self, peer: Any) -> None:
        self.calls["tcp"] += 1
        said = peer.recv(65536)
        self._turn += 1
        peer.sendall(b"-ERR " + said + ENCODINGS[self._turn % len(ENCODINGS)](said.decode()).encode())

    def _answer_smtp(self, peer: Any) -> None:
        """Take no account, and say so with what was given, in clear and in base64."""
        peer.sendall(b"220 mail.example\r\n")
        with peer.makefile("rb") as lines:
            for line in lines:
                word = line.split()[0].upper()
                if word == b"EHLO":
                    peer.sendall(b"250-mail.example\r\n250 AUTH PLAIN LOGIN\r\n")
                elif word == b"AUTH":
                    self.calls["smtp"] += 1
                    given = line.split()[-1]
                    peer.sendall(b"535 wrong: " + given + b" " + b64decode(given).split(b"\0")[-1] + b"\r\n")
                elif word == b"QUIT":
                    peer.sendall(b"221 bye\r\n")
                    return
                else:
                    peer.sendall(b"250 ok\r\n")


def _request(peer: Any) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += peer.recv(65536) or b"\r\n\r\n"
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += peer.recv(65536)
    return head, body


def _told(path: str, headers: dict[str, str], body: bytes) -> str:
    """What a request told that may be secret: headers, the account in clear, path, query and body."""
    own = ("host", "user-agent", "accept", "accept-encoding", "content-length", "content-type", "connection")
    told = [value for name, value in headers.items() if name not in own]
    scheme, _, account = headers.get("authorization", "").partition(" ")
    if scheme == "Basic":
        told.append(b64decode(account).decode())
    return " | ".join([*told, path, unquote(path), body.decode(errors="replace")])
