"""Writing tasks beside the process that takes events in.

What writes rows needs the interpreter for a moment at each of them, and waits for it as long as a thread that folds
events keeps it: beside a busy reader a database gets a thousand rows a second. So once there are many tasks to write,
a process of its own writes them (``writer_process``). What it is given it answers for, portion by portion; while there
are few, or it is not to be had, the asking process writes by itself. A portion may be written twice by that, which has
no effect.
"""

from __future__ import annotations

import atexit
import logging
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from io import BufferedRWPair
from typing import NoReturn

import msgspec

from nightowl.core.cluster.events import Gap
from nightowl.core.cluster.state import ClusterState
from nightowl.core.cluster.task import Task
from nightowl.core.errors import Refused, StoreUnavailable, StoreUnusable
from nightowl.ports.clusters import TaskWriter

log = logging.getLogger(__name__)

MANY = 1_000
"""Tasks in one portion from which on a process of its own writes them."""

PATIENCE = 20.0
"""Seconds that it may take for one portion; one that takes longer is ended. SQLite waits up to 15 for a lock."""

PAUSE = 5.0
"""Seconds before another one begins in place of one that was lost."""

_SIZE = struct.Struct("!I")


class Portion(msgspec.Struct, array_like=True, frozen=True):
    """What is to be written in one transaction."""

    cluster: str
    tasks: list[Task]
    state: ClusterState | None
    gaps: list[Gap]


class Outcome(msgspec.Struct, array_like=True, frozen=True):
    """What came of a portion: the error that it raised (empty: it is written) and what that says."""

    error: str = ""
    says: str = ""


_ERRORS = {kind.__name__: kind for kind in (StoreUnavailable, StoreUnusable, Refused)}


def send(stream: BufferedRWPair, data: bytes) -> None:
    """Send a message, its size before it."""
    stream.write(_SIZE.pack(len(data)) + data)
    stream.flush()


def receive(stream: BufferedRWPair) -> bytes | None:
    """Receive the next message (None: the other side has ended)."""
    head = stream.read(_SIZE.size)
    if len(head) < _SIZE.size:
        return None
    (size,) = _SIZE.unpack(head)
    data = stream.read(size)
    return data if len(data) == size else None


class Writer:
    """See ``ports.clusters.ManyTasks``. ``tasks`` is what writes few; ``url`` the store's (None: only it sees it)."""

    def __init__(self, tasks: TaskWriter, url: str | None) -> None:
        self._tasks = tasks
        self._url = url
        self._encode = msgspec.msgpack.Encoder().encode
        self._process: WriterProcess | None = None
        self._not_before = 0.0

    def write(
        self,
        cluster: str,
        tasks: Sequence[Task],
        *,
        state: ClusterState | None = None,
        gaps: Sequence[Gap] = (),
    ) -> None:
        """Insert or replace tasks by their id, and what else is given, in one transaction."""
        if self._process is None and self._url and len(tasks) >= MANY and time.monotonic() >= self._not_before:
            self._begin(self._url)
        if not self._hand_over(Portion(cluster, [*tasks], state, [*gaps])):
            self._tasks.write(cluster, tasks, state=state, gaps=gaps)

    def close(self) -> None:
        """End the process, which holds nothing that is not written."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def _begin(self, url: str) -> None:
        try:
            self._process = WriterProcess(url)
        except OSError as error:
            log.warning("no process to write tasks can be begun: %s", error)
            self._not_before = time.monotonic() + PAUSE

    def _hand_over(self, portion: Portion) -> bool:
        """Let the process write a portion; whether it has. Raises what the store has raised there."""
        if self._process is None:
            return False
        try:
            if not self._process.has_begun():
                return False
            outcome = self._process.ask(self._encode(portion))
        except (UnicodeEncodeError, OverflowError):  # the store knows what to make of such texts and numbers
            return False
        except OSError:
            log.warning("the process that writes tasks does not answer any more: going on without it for a while")
            self._process.kill()
            self._process, self._not_before = None, time.monotonic() + PAUSE
            return False
        if outcome.error:
            _raise(outcome)
        return True


class WriterProcess:
    """The process as this side sees it. Raises ``OSError`` once it has ended, or does not answer in time."""

    def __init__(self, url: str) -> None:
        """Begin it: it is ready some tenths of a second later."""
        ours, theirs = socket.socketpair()
        ours.settimeout(PATIENCE)
        with theirs:
            command = [sys.executable, "-m", f"{__package__}.writer_process"]
            try:
                self._process = subprocess.Popen(command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL)  # noqa: S603 - our own
            except OSError:
                ours.close()
                raise
        atexit.register(self._process.kill)  # one that stands still would not notice that nobody asks it any more
        self._sock = ours
        self._stream = ours.makefile("rwb")
        self._begun = False
        send(self._stream, url.encode())

    def has_begun(self) -> bool:
        """Whether it is ready by now."""
        if not self._begun and select.select([self._sock], [], [], 0.0)[0]:
            self._begun = self._answer() == Outcome()
        return self._begun

    def ask(self, data: bytes) -> Outcome:
        """Let it write an encoded portion, and wait for what comes of that."""
        send(self._stream, data)
        return self._answer()

    def _answer(self) -> Outcome:
        data = receive(self._stream)
        if data is None:
            raise ConnectionResetError("the process that writes tasks has ended")
        return msgspec.msgpack.decode(data, type=Outcome)

    def close(self) -> None:
        """Let it end."""
        with suppress(OSError):
            self._stream.close()
        self._sock.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        atexit.unregister(self._process.kill)

    def kill(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()
        atexit.unregister(self._process.kill)
        with suppress(OSError):
            self._stream.close()
        self._sock.close()


def _raise(outcome: Outcome) -> NoReturn:
    kind = _ERRORS.get(outcome.error)
    if kind is None:
        raise RuntimeError(f"writing tasks failed: {outcome.says}")
    raise kind(outcome.says)
