"""NightOwl watching one cluster, as real processes: watchers, the web, or all in one; and what it says over HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import urlopen

import tomli_w

from tests.servers.server import free_ports

CLUSTER = "shop"
ROOT = Path(__file__).parents[2]


class Watching:
    """An installation in a folder, and its processes by name."""

    def __init__(
        self,
        folder: Path,
        broker: str,
        *,
        checks: dict[str, dict[str, Any]] | None = None,
        tables: dict[str, Any] | None = None,
        **keys: Any,
    ):
        """``checks`` and further ``tables`` are those of the installation, ``keys`` further ones of the cluster."""
        self.folder = folder
        self.port = free_ports(1)[0]
        """Of the web's pages and API."""
        self.ports: dict[str, int] = {}
        """Where each process answers."""
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        table = {"broker": broker, "arguments": "full", "worker_timeout": "60s"} | keys
        configuration = {
            "server": {"listen": f"127.0.0.1:{self.port}"},
            "cluster": {CLUSTER: table},
            "check": checks or {},
            **(tables or {}),
        }
        (folder / "nightowl.toml").write_text(tomli_w.dumps(configuration))

    def watcher(self, name: str = "watcher") -> None:
        """Start a watcher with metrics of its own; ``answers`` tells when it is there."""
        port = self.ports.setdefault(name, free_ports(1)[0])
        self._start(name, "watcher", "--cluster", CLUSTER, "--listen", f"127.0.0.1:{port}")

    def web(self, role: str = "web") -> None:
        """Start the web, or everything (``up``)."""
        self.ports[role] = self.port
        self._start(role, role)

    def role(self, role: str, *options: str) -> None:
        """Start another role with metrics of its own."""
        self.ports[role] = free_ports(1)[0]
        self._start(role, role, *options, "--listen", f"127.0.0.1:{self.ports[role]}")

    def wait(self) -> None:
        """Wait until all that was started answers."""
        for name, port in self.ports.items():
            path = f"/metrics/cluster/{CLUSTER}"
            self.until(lambda port=port, path=path: self.answers(port, path), f"the {name} does not answer")

    def pid(self, name: str) -> int:
        """The process id of one of the processes."""
        return self._processes[name].pid

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a process a signal; wait for its end where it is to end."""
        process = self._processes[name]
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            process.wait(30)

    def end(self) -> None:
        """Kill all."""
        for name in self._processes:
            self.kill(name)

    def text(self, path: str, port: int = 0) -> str:
        """What stands at a path of the web, or of what listens at another port. Raises ``OSError``."""
        with urlopen(f"http://127.0.0.1:{port or self.port}{path}", timeout=20) as answer:
            return str(answer.read().decode())

    def metrics(self, name: str = "watcher") -> str:
        """A watcher's own page of the cluster."""
        return self.text(f"/metrics/cluster/{CLUSTER}", self.ports[name])

    def api(self, path: str = "") -> Any:
        """What the API says of the cluster."""
        return self.of_all(f"/clusters/{CLUSTER}{path}")

    def of_all(self, path: str) -> Any:
        """What the API says of the installation."""
        return json.loads(self.text(f"/api/v1{path}"))

    def tasks(self) -> dict[str, dict[str, Any]]:
        """All tasks of the cluster by their ids, page by page."""
        found: dict[str, dict[str, Any]] = {}
        after = ""
        while True:
            page = self.api(f"/tasks?limit=1000{after}")
            found.update((each["uuid"], each) for each in page["tasks"])
            if page["after"] is None:
                return found
            after = f"&after={quote(page['after'])}"

    def ready(self) -> tuple[int, str]:
        """The status of /ready, and what it says."""
        try:
            return 200, self.text("/ready")
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def answers(self, port: int, path: str) -> bool:
        """Whether something listens there and is content."""
        for name, process in self._processes.items():
            assert process.poll() is None or process.returncode < 0, f"the {name} ended\n{self.logs()}"
        try:
            return bool(self.text(path, port))
        except (URLError, OSError):
            return False

    def logs(self) -> str:
        """All that was logged."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def until(self, condition: Callable[[], Any], what: object, seconds: float = 60.0) -> None:
        """Wait for a condition. Raises ``AssertionError`` with ``what``, called where it can be, and the logs."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"{what() if callable(what) else what}\n{self.logs()[-4000:]}"
            time.sleep(0.05)

    def _start(self, name: str, *arguments: str) -> None:
        command = [sys.executable, "-m", "nightowl", *arguments, "-c", "nightowl.toml"]
        environment = os.environ | {"STATE_DIRECTORY": str(self.folder), "PYTHONPATH": str(ROOT)}
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )


@contextmanager
def watching(folder: Path, broker: str, **keys: Any) -> Iterator[Watching]:
    """An installation of which nothing is left after the block."""
    found = Watching(folder, broker, **keys)
    try:
        yield found
    finally:
        found.end()
