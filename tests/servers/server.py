"""What all private servers have in common: a folder, free loopback ports, a keeper, start, stop and kill."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

START_TIMEOUT = 120.0
STOP_TIMEOUT = 30.0
POLL = 0.05


class ServerFailed(Exception):
    """A server did not start or end; the message ends with what it logged."""


class Server(ABC):
    """A private server in ``run/<something>``, on loopback ports of its own. It keeps its data over a restart."""

    kind: ClassVar[str]
    port_count: ClassVar[int] = 1
    user: ClassVar[str] = ""

    def __init__(self, run: Path, name: str, ports: Sequence[int] = ()) -> None:
        self.run = run
        self.folder = run / name
        self.ports = tuple(ports) or free_ports(self.port_count)
        self._keeper = self.folder / "keeper"

    @property
    def port(self) -> int:
        """Where clients connect."""
        return self.ports[0]

    @abstractmethod
    def prepare(self) -> None:
        """Fill the new folder with what the server needs to start."""

    @abstractmethod
    def command(self) -> list[str]:
        """The command line, in the foreground."""

    @abstractmethod
    def fresh_url(self) -> str:
        """The URL of a logical database (or virtual host) that nobody else uses."""

    @abstractmethod
    def drop(self, url: str) -> None:
        """Forget what ``fresh_url`` made, as far as it would burden the server."""

    def environment(self) -> dict[str, str] | None:
        """The server's environment (None: this process's)."""
        return None

    def answers(self) -> bool:
        """Whether clients are served."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def start(self) -> None:
        """Start and wait until clients are served.

        Raises:
            ServerFailed: it ended, or did not answer within two minutes.
        """
        if not self.folder.exists():
            self.folder.mkdir()
            if self.user:
                shutil.chown(self.folder, self.user)
            self.prepare()
        self._launch()
        deadline = time.monotonic() + START_TIMEOUT
        while not self.answers():
            if not self._keeper.exists() or time.monotonic() > deadline:
                self.kill()
                raise ServerFailed(f"{self.kind} did not start:\n{self._log()}")
            time.sleep(POLL)

    def stop(self) -> None:
        """End it gently (as SIGTERM does) and wait. Raises ``ServerFailed`` after half a minute."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a power cut does, and wait."""
        self._end(signal.SIGUSR1)

    def remove(self) -> None:
        """Kill it and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _launch(self) -> None:
        keeper = Path(__file__).with_name("keeper.py")
        with (self.folder / "log").open("ab") as log:
            subprocess.run(
                [sys.executable, "-I", str(keeper), str(self.run), self.user, *self.command()],
                check=True,
                env=self.environment(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _end(self, number: int) -> None:
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended by itself
            os.kill(int(self._keeper.read_text()), number)
        deadline = time.monotonic() + STOP_TIMEOUT
        while self._keeper.exists():
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.kind} did not end:\n{self._log()}")
            time.sleep(POLL)

    def _log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-4000:]


def free_ports(count: int) -> tuple[int, ...]:
    """Loopback ports that nobody uses, from below the range that the kernel gives to outgoing connections."""
    found: set[int] = set()
    while len(found) < count:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0 and _bindable(port):
                found.add(port)
    return tuple(found)


def _bindable(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
