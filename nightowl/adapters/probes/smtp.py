"""The ``smtp`` and ``smtps`` probes: greeting, EHLO, STARTTLS, QUIT (RFC 5321, 3207 and 8314). No mail is ever sent."""

from __future__ import annotations

import re
import socket
from collections.abc import Collection
from contextlib import suppress
from functools import partial
from time import monotonic

from nightowl.adapters.probes.endpoint import endpoint
from nightowl.adapters.probes.failure import Failure
from nightowl.adapters.probes.handshake import secure
from nightowl.adapters.probes.redaction import quoted
from nightowl.adapters.probes.stream import Stream
from nightowl.adapters.probes.trial import Trial, tried
from nightowl.core.values import Attempt, Target
from nightowl.ports import Connect

MAX_REPLY = 64 << 10
"""Bytes of one reply, however many lines it has."""
PATIENCE = 1.0
"""Seconds that the server has to answer QUIT; its answer changes nothing."""

_PORTS = {"smtp": 25, "smtps": 465}
_LINE = re.compile(rb"(\d{3})(?:([ -])(.*))?", re.DOTALL)


def probe(target: Target, deadline: float, connect: Connect) -> Attempt:
    """Try ``smtp://host[:port]`` or ``smtps://host[:port]`` once, ending before ``deadline`` (monotonic seconds)."""
    return tried(target, partial(_hold, deadline, connect))


def _hold(deadline: float, connect: Connect, trial: Trial) -> None:
    host, port = endpoint(trial.target.url, _PORTS[trial.target.kind])
    with trial.phase("connect"):
        connection = connect(host, port, deadline)
    with connection:
        trial.address = connection.getpeername()[0]
        stream = Stream(connection, deadline)
        try:
            _talk(trial, stream, host, _own_name(connection))
        except TimeoutError:
            reason = "http.timeout_body" if trial.heard else "http.timeout_headers"
            raise Failure(reason, "the server did not answer in time") from None
        except ConnectionError:
            raise Failure("http.reset", "the connection was reset in the middle of the conversation") from None


def _talk(trial: Trial, stream: Stream, host: str, name: str) -> None:
    dialogue = _Dialogue(trial, stream)
    if trial.target.kind == "smtps":
        secure(trial, stream, host)
    with trial.phase("first_byte"):
        greeting = dialogue.expect(220, "its greeting")
    with trial.phase("transfer"):
        offered = dialogue.ask(f"EHLO {name}", 250)
        over = _wants_tls(trial.target, offered)
        if over:
            dialogue.ask("STARTTLS", 220)
    if over:
        dialogue.begin_anew()
        secure(trial, stream, host)
        with trial.phase("transfer"):
            dialogue.ask(f"EHLO {name}", 250)
    trial.done()
    _leave(stream)
    wanted = trial.target.expect.banner
    if wanted and wanted not in "\n".join(greeting):
        raise Failure("assert.body", f"the greeting does not contain {quoted(wanted, trial.mask)}")


def _wants_tls(target: Target, offered: Collection[str]) -> bool:
    """Whether to go over to TLS: where it is offered, unless it is not wanted.

    Raises:
        Failure: ``assert.starttls`` where it is not offered and has to be.
    """
    if target.kind == "smtps" or target.starttls == "never":
        return False
    able = any(line.split()[:1] == ["STARTTLS"] for line in map(str.upper, offered))
    if (target.starttls == "required" or target.expect.tls) and not able:
        raise Failure("assert.starttls", "the server does not offer STARTTLS")
    return able


def _leave(stream: Stream) -> None:
    stream.deadline = min(stream.deadline, monotonic() + PATIENCE)
    with suppress(OSError):
        stream.send(b"QUIT\r\n")
        stream.receive()


def _own_name(connection: socket.socket) -> str:
    """What to call ourselves: the address that we come from (RFC 5321, section 4.1.3)."""
    address = connection.getsockname()[0].partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


class _Dialogue:
    """Commands and the replies to them, which may have several lines."""

    def __init__(self, trial: Trial, stream: Stream) -> None:
        self._trial = trial
        self._stream = stream
        self._unread = b""

    def ask(self, command: str, code: int) -> list[str]:
        """Send a command; the lines of its reply without their codes."""
        self._stream.send(f"{command}\r\n".encode("ascii"))
        return self.expect(code, f"its reply to {command.partition(' ')[0]}")

    def expect(self, code: int, what: str) -> list[str]:
        """The lines of the next reply without their codes; raises ``http.status`` unless it has this code."""
        lines = []
        room = MAX_REPLY
        while True:
            line = self._line(room, what)
            room -= len(line)
            found = _LINE.fullmatch(line)
            if found is None:
                raise Failure("http.malformed", f"{what} is not SMTP")
            lines.append((found[3] or b"").decode("utf-8", "replace").strip())
            if found[2] != b"-":
                break
        self._trial.status = int(found[1])
        if self._trial.status != code:
            raise Failure("http.status", f"{what} is {self._trial.status}, expected {code}")
        return lines

    def begin_anew(self) -> None:
        """Make sure that nothing was said ahead of TLS: it could be anybody's (RFC 3207, section 4.2)."""
        if self._unread:
            raise Failure("http.malformed", "the server went on in plain text after it had agreed to TLS")

    def _line(self, room: int, what: str) -> bytes:
        while b"\n" not in self._unread:
            if len(self._unread) > room:
                raise Failure("limit.headers", f"{what} is larger than 64 KiB")
            data = self._stream.receive()
            if not data:
                reason = "http.truncated" if self._trial.heard else "http.empty"
                raise Failure(reason, f"the connection was closed before {what} was complete")
            self._unread += data
            self._trial.heard += data[: MAX_REPLY - len(self._trial.heard)].replace(b"\r", b"")
        line, _, self._unread = self._unread.partition(b"\n")
        return line.rstrip(b"\r")
