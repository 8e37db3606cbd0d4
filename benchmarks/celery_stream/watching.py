"""Programs that watch a cluster's events, each a process of its own that is looked at from outside."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

CLUSTER = "shop"
PATIENCE = 60.0
TICK = os.sysconf("SC_CLK_TCK")


class Watching:
    """A running program; ``page`` is the path of its metrics, ``counts`` the beginning of lines that count events."""

    def __init__(self, process: int, port: int, page: str, counts: str) -> None:
        self.process = process
        self._url = f"http://127.0.0.1:{port}{page}"
        self._counts = re.compile(rf"^{counts}(?:\{{.*\}})? ([0-9.e+]+)$", re.MULTILINE)

    def metrics(self) -> str:
        """Its page of metrics."""
        with urlopen(self._url, timeout=PATIENCE) as answer:
            return str(answer.read(), "utf-8")

    def events(self) -> int:
        """How many task events it says it has taken in."""
        return int(sum(float(found) for found in self._counts.findall(self.metrics())))

    def cpu(self) -> float:
        """CPU seconds so far, its processes' together."""
        return sum(map(_cpu, self._processes()))

    def memory(self) -> float:
        """MiB resident now, its processes' together."""
        return sum(map(_memory, self._processes()))

    def _processes(self) -> list[int]:
        """It and those that it has begun."""
        found = [self.process]
        for thread in Path(f"/proc/{self.process}/task").iterdir():
            with suppress(FileNotFoundError):  # a thread that has ended meanwhile
                found += map(int, (thread / "children").read_text().split())
        return found

    def stand(self, still: bool) -> None:
        """Let it stand still, so that what is sent to it piles up, or go on."""
        os.kill(self.process, signal.SIGSTOP if still else signal.SIGCONT)

    def wait(self, events: int, pause: float = 0.05) -> bool:
        """Wait until it has taken in so many; whether it has before it got no further for ten seconds."""
        last, moved = -1, time.monotonic()
        while (found := self.events()) < events:
            if found > last:
                last, moved = found, time.monotonic()
            elif time.monotonic() - moved > 10.0:
                return False
            time.sleep(pause)
        return True


def _cpu(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def _memory(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def nightowl(broker: str, folder: Path) -> Iterator[Watching]:
    """A watcher over SQLite."""
    path, port = folder / "nightowl.toml", free_port()
    path.write_text(f'[store]\nurl = "sqlite:///{folder}/nightowl.db"\n[cluster.{CLUSTER}]\nbroker = "{broker}"\n')
    program = [sys.executable, "-m", "nightowl"]
    environment = {"STATE_DIRECTORY": str(folder)}
    subprocess.run(
        [*program, "db", "migrate", "-c", str(path)], check=True, capture_output=True, env=os.environ | environment
    )
    command = [*program, "watcher", "-c", str(path), "--listen", f"127.0.0.1:{port}"]
    page, counts = f"/metrics/cluster/{CLUSTER}", "nightowl_task_events_total"
    with _running(command, folder, port, page, counts, environment) as found:
        yield found


@contextmanager
def flower(broker: str, folder: Path, python: Path) -> Iterator[Watching]:
    """Flower as it is installed, which stores nothing."""
    port = free_port()
    command = [str(python), "-m", "celery", "-b", broker, "flower", f"--port={port}", "--address=127.0.0.1"]
    with _running(command, folder, port, "/metrics", "flower_events_total", {}) as found:
        yield found


@contextmanager
def exporter(broker: str, folder: Path, python: Path) -> Iterator[Watching]:
    """What stands in for celery-exporter."""
    port = free_port()
    command = [str(python), str(Path(__file__).with_name("exporter.py")), broker, str(port)]
    with _running(command, folder, port, "/metrics", "celery_task_[a-z]+_total", {}) as found:
        yield found


@contextmanager
def _running(
    command: Sequence[str], folder: Path, port: int, page: str, counts: str, environment: dict[str, str]
) -> Iterator[Watching]:
    with (folder / "watching.log").open("ab") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=os.environ | environment)
    watching = Watching(child.pid, port, page, counts)
    try:
        _answers(watching, child)
        yield watching
    finally:
        child.send_signal(signal.SIGCONT)
        child.terminate()
        try:
            child.wait(20.0)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _answers(watching: Watching, child: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            watching.metrics()
        except (URLError, ConnectionError):
            if child.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return
