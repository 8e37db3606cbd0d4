"""A session with a mail server that ends by one deadline, whatever the server does."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Any, Literal

import msgspec

GOODBYE = 1.0
"""Seconds to wait for the answer to a goodbye at most."""


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A mail server and how to reach it; ``ca`` is PEM text (empty: the system's), ``timeout`` covers a session."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    verify: bool = True
    ca: str = ""
    timeout: float = 10.0


@contextmanager
def session(server: Server) -> Iterator[smtplib.SMTP]:
    """Connect, greet and secure. Raises what ``smtplib``, ``ssl`` and sockets raise.

    Nothing that happens while saying goodbye is an error: by then the server has taken the mail.
    """
    deadline = monotonic() + server.timeout
    where = {"host": server.host, "port": server.port, "local_hostname": "localhost", "timeout": server.timeout}
    tls = _context(server)
    smtp = _Implicit(deadline, context=tls, **where) if server.security == "tls" else _Plain(deadline, **where)
    try:
        smtp.local_hostname = _address_literal(smtp)
        smtp.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            smtp.starttls(context=tls)
            smtp.ehlo()
        yield smtp
    finally:
        smtp.deadline = min(smtp.deadline, monotonic() + GOODBYE)
        with suppress(OSError):
            smtp.quit()
        smtp.close()


class _Plain(smtplib.SMTP):
    """Gives each exchange only the time that is left."""

    def __init__(self, deadline: float, **options: Any) -> None:
        self.deadline = deadline
        super().__init__(**options)

    def send(self, s: Any) -> None:
        self._hurry()
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        self._hurry()
        try:
            return super().getreply()
        except smtplib.SMTPServerDisconnected:
            if monotonic() >= self.deadline:
                raise TimeoutError from None
            raise

    def _hurry(self) -> None:
        if self.sock is not None:
            self.sock.settimeout(max(0.001, self.deadline - monotonic()))


class _Implicit(_Plain, smtplib.SMTP_SSL):
    """The same, under TLS from the first byte."""


def _context(server: Server) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=server.ca or None)
    if not server.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _address_literal(smtp: smtplib.SMTP) -> str:
    """This end of the connection as RFC 5321 (4.1.3) writes it, which needs no look-up of an own name."""
    assert smtp.sock is not None, "connected by its constructor"
    address = smtp.sock.getsockname()[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
