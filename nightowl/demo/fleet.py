"""The sample fleet: the shop's Celery installation, with real worker processes over a folder as the broker."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from nightowl.demo import fleet_app
from nightowl.demo.fleet_process import TRAFFIC

WORKERS = {
    "checkout": ("--hostname=celery@checkout", "--queues=orders", "--concurrency=3"),
    "mail": ("--hostname=celery@mail", "--queues=mail,images", "--concurrency=2"),
}
"""Options by name; each works on threads."""

_OPTIONS = ("--pool=threads", "--without-gossip", "--without-mingle", "--loglevel=ERROR")
_AGAIN = 5.0


class Fleet:
    """Two workers, and a process that sends them tasks; all of them end with this process, however it ends.

    ``folder`` is where broker, results and logs go; ``transport`` what kombu is to use for it (``module:class``).
    """

    def __init__(self, folder: Path, transport: str) -> None:
        self._folder = folder
        self._commands: dict[str, tuple[str, ...]] = {TRAFFIC: (transport, TRAFFIC)}
        self._commands |= {name: (transport, *_OPTIONS, *options) for name, options in WORKERS.items()}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}

    @property
    def configuration(self) -> dict[str, Any]:
        """The table that has the fleet watched."""
        return {
            "broker": fleet_app.broker_url(self._folder),
            "backend": fleet_app.backend_url(self._folder),
            "transport_options": fleet_app.transport_options(self._folder),
            "app": f"{fleet_app.__name__}:app",
            "queues": ["accounting"],
            "default_queue": fleet_app.app.conf.task_default_queue,
            "worker_timeout": "15s",
            "failures": {"resolve": "2m"},
            "findings": {"beat": {"after": "15s"}},
        }

    @property
    def pids(self) -> dict[str, int]:
        """The processes that run now, by name."""
        return {name: process.pid for name, process in self._processes.items() if process.poll() is None}

    def start(self) -> None:
        """Start all processes, without waiting until they work."""
        fleet_app.make_folders(self._folder)
        for name in self._commands:
            self._launch(name)

    def stop(self) -> None:
        """End all at once: what they leave is thrown away."""
        for name in tuple(self._processes):
            self._kill(name)

    def play(self, away: frozenset[str]) -> None:
        """Kill these workers where they run; start others again that ended."""
        for name in self._commands:
            if name in away:
                self._kill(name)
            elif name not in self.pids and time.monotonic() > self._started[name] + _AGAIN:
                self._kill(name)
                self._launch(name)

    def _launch(self, name: str) -> None:
        self._started[name] = time.monotonic()
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(  # noqa: S603 - our own
                [sys.executable, "-m", "nightowl.demo.fleet_process", *self._commands[name]],
                env=os.environ | {fleet_app.FOLDER: str(self._folder)},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the demo, which then ends them
            )

    def _kill(self, name: str) -> None:
        if process := self._processes.pop(name, None):
            with process:
                process.kill()
