"""Receivers of notices, by webhook and by mail, that log each notice with its key and are moody until calmed."""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
from email import message_from_bytes
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote

from aiosmtpd.controller import Controller

from tests.end_to_end.ledger import Ledger
from tests.servers.server import free_ports

WEBHOOK_MOODS = ("error", "busy", "reset", "hang", "lost")
MAIL_MOODS = ("later", "lost")


class Receivers:
    """A webhook and a mail server. ``moodiness``: the share of deliveries that go wrong (0 to 1).

    A receipt has the ``channel``, the ``key``, a ``digest`` of what must be the same in each repeat, and whether it was
    ``taken``: answered with a yes, which in the mood *lost* nobody hears.
    """

    def __init__(self, folder: Path, seed: int, moodiness: float) -> None:
        self.ledger = Ledger(folder / "receivers.ledger")
        self._random = random.Random(seed)
        self._moodiness = moodiness
        self._calm = threading.Event()
        self._webhook = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._webhook.daemon_threads = True
        self._webhook.handle_error = lambda *_: None  # a notifier that is killed hangs up
        self._mail = Controller(self, hostname="127.0.0.1", port=free_ports(1)[0])

    def __enter__(self) -> Self:
        threading.Thread(target=self._webhook.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self._mail.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.calm()
        self._mail.stop()
        self._webhook.shutdown()
        self._webhook.server_close()
        self.ledger.close()

    def calm(self) -> None:
        """Take everything from now on."""
        self._calm.set()

    def channels(self) -> dict[str, dict[str, Any]]:
        """The channels of a configuration that lead here."""
        mail = {"kind": "email", "host": "127.0.0.1", "port": self._mail.port, "security": "none"}
        return {
            "hook": {"kind": "webhook", "url": f"http://127.0.0.1:{self._webhook.server_port}/", "timeout": "2s"},
            "mail": mail | {"from": "owl@example.org", "to": ["ops@example.org"], "timeout": "2s"},
        }

    def _mood(self, moods: tuple[str, ...]) -> str:
        if self._calm.is_set() or self._random.random() >= self._moodiness:
            return ""
        return self._random.choice(moods)

    def _receive(self, channel: str, key: str, content: bytes, *, taken: bool) -> None:
        self.ledger.write(channel=channel, key=unquote(key), digest=sha256(content).hexdigest(), taken=taken)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a mail, or ask for it later, or take it and forget to say so."""
        mail = message_from_bytes(envelope.content)
        mood = self._mood(MAIL_MOODS)
        self._receive("mail", mail["X-NightOwl-Key"], mail["Message-ID"].encode(), taken=mood != "later")
        return "451 later" if mood else "250 OK"

    def _handler(receivers) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the handler has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                mood = receivers._mood(WEBHOOK_MOODS)
                taken = mood in ("", "lost")
                assert json.loads(body)["key"] == unquote(self.headers["X-NightOwl-Key"])
                receivers._receive("hook", self.headers["X-NightOwl-Key"], body, taken=taken)
                receivers._reply(self, mood)

            def log_message(self, *args: Any) -> None:
                pass

        return Handler

    def _reply(self, handler: BaseHTTPRequestHandler, mood: str) -> None:
        if mood == "hang":
            self._calm.wait(3.0)
        elif mood in ("reset", "lost"):
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            handler.send_response({"error": 500, "busy": 429}.get(mood, 200))
            handler.send_header("Retry-After", "1")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
