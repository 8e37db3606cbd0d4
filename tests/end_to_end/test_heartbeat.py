"""A job that calls the whole program with curl, as its crontab would."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.servers.server import free_ports

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is missing")

NIGHTOWL = [sys.executable, "-m", "nightowl"]
CONFIGURATION = """
[server]
listen = "127.0.0.1:{port}"
[check.import]
kind = "heartbeat"
every = "10s"
grace = "1s"
"""


class Program:
    """``nightowl up`` in a folder, and what one asks of it."""

    def __init__(self, folder: Path) -> None:
        self.port = free_ports(1)[0]
        self.log = folder / "log"
        self._folder = folder
        (folder / "nightowl.toml").write_text(CONFIGURATION.format(port=self.port))
        self._environment = os.environ | {"STATE_DIRECTORY": str(folder)}

    def start(self) -> subprocess.Popen[bytes]:
        with self.log.open("wb") as log:
            arguments = [*NIGHTOWL, "up", "-c", "nightowl.toml"]
            return subprocess.Popen(
                arguments, cwd=self._folder, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )

    def command(self, *arguments: str) -> str:
        done = subprocess.run(
            [*NIGHTOWL, *arguments], cwd=self._folder, env=self._environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def state(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/checks/import", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def wait_for(self, state: str) -> dict[str, Any]:
        end = time.monotonic() + 60
        while True:
            try:
                found = self.state()
            except OSError:
                found = {"state": "away"}
            if found["state"] == state:
                return found
            assert time.monotonic() < end, f"is {found}, not {state}"
            time.sleep(0.1)


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    program = Program(tmp_path)
    process = program.start()
    yield program
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def curl(url: str, *options: str) -> str:
    return subprocess.run(
        ["curl", "-fsS", "-m", "10", "--retry", "5", *options, url], capture_output=True, text=True, check=True
    ).stdout


def test_a_job_calls_fails_and_stays_away(program: Program) -> None:
    program.wait_for("new")
    url = program.command("heartbeat", "url", "import")
    assert curl(f"{url}/start") == "ok\n"
    assert curl(url) == "ok\n"
    assert "The job was done in" in program.wait_for("up")["sentence"]
    assert curl(f"{url}/3", "--data-binary", "disk full") == "ok\n"
    assert program.wait_for("down")["sentence"] == "The job ended with exit code 3."
    assert curl(f"{url}/0") == "ok\n"
    called = program.wait_for("up")["last_round"]["due"]
    late = program.wait_for("down")
    assert late["sentence"].startswith("The job was expected ")
    assert seconds(late["last_round"]["due"]) - seconds(called) == pytest.approx(11.0, abs=0.01)
    newer = program.command("heartbeat", "new-url", "import")
    with pytest.raises(subprocess.CalledProcessError):
        curl(url)
    assert curl(newer) == "ok\n"
    tokens = [each.rpartition("/")[2].encode() for each in (url, newer)]
    assert not any(token in program.log.read_bytes() for token in tokens)


def seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
