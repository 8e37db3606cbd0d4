"""The ``tcp`` probe: connect, say ``send`` if there is something to say, and wait for ``expect.banner``."""

from __future__ import annotations

import socket
from time import monotonic, time
from urllib.parse import urlsplit

from nightowl.adapters.probes.body import EXCERPT, GLIMPSE, excerpt
from nightowl.adapters.probes.expectations import shortcomings
from nightowl.adapters.probes.failure import TARGET, Failure, state_of
from nightowl.adapters.probes.reasons import explain_socket
from nightowl.adapters.probes.redaction import Mask, quoted, redactor
from nightowl.core.values import Attempt, Phases, State, Target
from nightowl.ports import Connect

MAX_BANNER = 64 << 10
"""Bytes that are read while looking for the banner."""


def probe(target: Target, deadline: float, connect: Connect) -> Attempt:
    """Try ``tcp://host:port`` once, ending before ``deadline`` (monotonic seconds)."""
    mask = redactor(target)
    conversation = _Conversation(target, deadline, mask)
    reason = detail = ""
    state = State.UP
    try:
        conversation.hold(connect)
    except Failure as failure:
        reason, detail = failure.reason, failure.detail
        state = state_of(reason)
        conversation.note(failure)
    duration = round(monotonic() - conversation.began, 6)
    if state is State.UP:
        reason, detail = shortcomings(target.warn, duration, None, conversation.started)
        state = State.DEGRADED if reason else state
    return Attempt(
        state=state,
        started=conversation.started,
        duration=duration,
        phases=conversation.phases,
        address=conversation.address,
        reason=reason,
        detail=mask(detail),
        excerpt=excerpt(conversation.heard, mask, EXCERPT if state is State.DOWN else GLIMPSE),
    )


class _Conversation:
    """One connection and what was heard on it."""

    def __init__(self, target: Target, deadline: float, mask: Mask) -> None:
        self.target = target
        self.mask = mask
        self.deadline = deadline
        self.started = time()
        self.began = monotonic()
        self.heard = b""
        self.address = ""
        self.phases = Phases()

    def note(self, failure: Failure) -> None:
        """Keep what a failure knows of how far the attempt came."""
        if failure.address:
            self.address = failure.address
        if failure.phases != Phases():
            self.phases = failure.phases

    def hold(self, connect: Connect) -> None:
        """Connect, send, listen; raises the failure of what goes wrong."""
        host, port = _endpoint(self.target.url)
        with connect(host, port, self.deadline) as connection:
            connected = monotonic()
            self.phases = Phases(connect=connected - self.began)
            try:
                self.address = connection.getpeername()[0]
                self._talk(connection, connected)
            except TimeoutError:
                reason = "http.timeout_body" if self.heard else "http.timeout_headers"
                raise Failure(reason, "what was expected did not come in time") from None
            except OSError as error:
                raise explain_socket(error) from None

    def _talk(self, connection: socket.socket, connected: float) -> None:
        if self.target.send:
            connection.settimeout(self._left())
            connection.sendall(self.target.send.encode())
        banner = self.target.expect.banner.encode()
        while banner and banner not in self.heard:
            connection.settimeout(self._left())
            data = connection.recv(4096)
            if not self.heard:
                self.phases = Phases(connect=self.phases.connect, first_byte=monotonic() - connected)
            self.heard += data
            if not data:
                wanted = quoted(self.target.expect.banner, self.mask)
                raise Failure("assert.body", f"the peer closed without saying {wanted}")
            if len(self.heard) > MAX_BANNER:
                raise Failure("limit.body", "the peer said more than 64 KiB without the expected banner")

    def _left(self) -> float:
        left = self.deadline - monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _endpoint(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # whose text may quote a part of a password
        raise Failure(TARGET, "the URL cannot be read: its host or its port is malformed") from None
    if not host or not port:
        raise Failure(TARGET, "a tcp URL needs a host and a port: tcp://host:port")
    return host, port
