"""Real workers of the shop, which the instrument is in by their environment, and what sends to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class Fleet:
    """Processes of one broker. ``instrument`` are the variables that say where things are told."""

    def __init__(self, folder: Path, broker: str, instrument: Mapping[str, str]) -> None:
        self.folder = folder
        paths = os.pathsep.join(map(str, (ROOT, ROOT / "instrument")))
        self._environment = os.environ | {"PYTHONPATH": paths, "SHOP_BROKER": broker} | dict(instrument)
        if broker.startswith("filesystem"):
            for each in ("queue", "control"):
                (folder / each).mkdir()
            self._environment["SHOP_FOLDER"] = str(folder)
        self._workers: list[subprocess.Popen[bytes]] = []

    def worker(self, pool: str, *options: str) -> subprocess.Popen[bytes]:
        """Start a worker whose queue and name are those of its pool."""
        command = [sys.executable, "-m", "celery", "-A", "tests.instrument.shop", "worker", "-P", pool, "-Q", pool]
        command += [
            "-n",
            f"{pool}@web-1",
            "-c",
            "2",
            "-l",
            "warning",
            "--include",
            "nightowl_instrument.auto",
            *options,
        ]
        with (self.folder / f"{pool}.log").open("ab") as log:
            self._workers.append(
                subprocess.Popen(
                    command, cwd=self.folder, env=self._environment, stdout=log, stderr=log, start_new_session=True
                )
            )
        return self._workers[-1]

    def call(self, code: str) -> None:
        """Run code in a process that sends tasks."""
        code = f"import nightowl_instrument.auto\nfrom tests.instrument import shop\n{code}"
        subprocess.run([sys.executable, "-c", code], env=self._environment, cwd=self.folder, check=True, timeout=60)

    def stop(self) -> None:
        """End all workers as they end by themselves."""
        for worker in self._workers:
            worker.send_signal(signal.SIGTERM)
        for worker in self._workers:
            with suppress(subprocess.TimeoutExpired):
                worker.wait(15)

    def kill(self) -> None:
        """Leave nothing."""
        for worker in self._workers:
            with suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait(10)

    def logs(self) -> str:
        """All that workers said."""
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in self.folder.glob("*.log"))

    def until(self, condition: Callable[[], Any], what: Callable[[], object], seconds: float = 60.0) -> None:
        """Wait for a condition."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"{what()}\n{self.logs()}"
            time.sleep(0.05)


@contextmanager
def fleet(folder: Path, broker: str, **instrument: str) -> Iterator[Fleet]:
    """A fleet of which nothing is left after the block."""
    found = Fleet(folder, broker, instrument)
    try:
        yield found
    finally:
        found.kill()
