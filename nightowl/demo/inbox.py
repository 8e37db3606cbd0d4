"""The demo's own inbox: a mail server and a webhook receiver that keep in memory what notices arrive."""

from __future__ import annotations

import email
import email.policy
import threading
import time
from collections import deque
from typing import Any

import msgspec
from aiosmtpd.smtp import SMTP

from nightowl.demo import inbox_page
from nightowl.demo.http_server import Answer, HttpConnection, Request
from nightowl.demo.inbox_page import Message
from nightowl.demo.loopback import ADDRESS, Loopback

_KEPT = 200
_UNTITLED = "Webhook"


class Inbox:
    """Takes whatever is sent to it and keeps the newest 200 messages, which its page shows.

    ``smtp_port``, ``webhook_url`` and ``page_url`` are there once it has started.
    """

    def __init__(self) -> None:
        self.smtp_port = 0
        self.webhook_url = ""
        self.page_url = ""
        self._messages: deque[Message] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()
        self._loopback = Loopback("demo-inbox")

    def start(self) -> None:
        """Open both ports."""
        loopback = self._loopback
        loopback.start()
        port = loopback.listen(lambda: HttpConnection(loopback, self._answer))
        self.page_url = f"http://{ADDRESS}:{port}/"
        self.webhook_url = f"{self.page_url}notices"
        self.smtp_port = loopback.listen(lambda: SMTP(_Mail(self), loop=loopback.loop, enable_SMTPUTF8=True))

    def stop(self) -> None:
        """Close both."""
        self._loopback.stop()

    def messages(self) -> list[Message]:
        """Return what arrived, newest first."""
        with self._lock:
            return list(reversed(self._messages))

    def keep(self, kind: str, subject: str, text: str) -> None:
        """Add a message."""
        with self._lock:
            self._messages.append(Message(kind=kind, received=time.time(), subject=subject, text=text))

    def _answer(self, request: Request) -> Answer:
        if request.method != "POST":
            return Answer(body=inbox_page.render(self.messages()))
        try:
            notice = msgspec.json.decode(request.body)
        except msgspec.DecodeError:
            return Answer(status=400, body="This is not JSON.\n", type="text/plain")
        text = msgspec.json.format(request.body, indent=2).decode()
        self.keep("webhook", _subject(notice), text)
        return Answer(body="Kept.\n", type="text/plain")


class _Mail:
    """aiosmtpd calls ``handle_DATA`` with each mail."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802 - its name
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        part = mail.get_body(("plain", "html"))
        self._inbox.keep("email", str(mail["subject"] or ""), part.get_content() if part else "")
        return "250 Kept"


def _subject(notice: Any) -> str:
    """The title that NightOwl's webhooks carry; anything else is just a webhook."""
    return str(notice.get("title", _UNTITLED)) if isinstance(notice, dict) else _UNTITLED
