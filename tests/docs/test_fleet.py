"""The commands of docs/fleet.md, run as they stand, against a RabbitMQ that is configured by them."""

from __future__ import annotations

import getpass
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import FOLDER
from tests.end_to_end.shop_server import ShopServer
from tests.servers.authority import HOST
from tests.servers.rabbitmq_server import RabbitMQ
from tests.servers.server import free_ports
from tests.services.bus_parts import wait_for

DOCUMENT = Path(__file__).parents[2] / "docs" / "fleet.md"
PLACES = ["london", "sydney", "tokyo"]
RESTART = "systemctl restart rabbitmq-server"
ALLOWED = 'allow = [{ network = "127.0.0.0/8" }]'


class Shell:
    """One shell that stays, as a reader's does, with whatever it has started."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._log = folder / "shell.txt"
        with self._log.open("wb") as log:
            self._sh = subprocess.Popen(
                ["sh", "-e"],
                cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._count = 0

    def run(self, block: str) -> None:
        """Type a block and wait until the prompt is back."""
        self._count += 1
        mark = f"-- block {self._count} done --"
        assert self._sh.stdin
        self._sh.stdin.write(f"{block}\necho '{mark}'\n".encode())
        self._sh.stdin.flush()
        wait_for(lambda: mark in self.said() or self._sh.poll() is not None, 120, self.said)
        assert self._sh.poll() is None, f"{block}\n{self.said()}"

    def said(self) -> str:
        return self._log.read_text()

    def end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._sh.pid, signal.SIGKILL)
        assert self._sh.stdin
        self._sh.stdin.close()
        self._sh.wait()


@pytest.fixture
def rabbitmq(pytestconfig: pytest.Config, tmp_path: Path) -> Iterator[RabbitMQ]:
    """A RabbitMQ that is not started yet."""
    server = RabbitMQ(pytestconfig.stash[FOLDER], f"fleet-{tmp_path.name}")
    server.folder.mkdir()
    server.prepare()
    yield server
    server.remove()


def environment(server: RabbitMQ, folder: Path, pages: str, url: str) -> dict[str, str]:
    """What the document's first block lets the reader choose; the service manager is this test."""
    (folder / "bin").mkdir()
    (folder / "bin" / "systemctl").symlink_to("/bin/true")
    found = server.administrator()
    path = [str(folder / "bin"), str(Path(sys.executable).parent), found["PATH"]]
    return found | {
        "BROKER_CONF": str(server.folder / "rabbitmq.conf"),
        "BROKER_HOST": HOST,
        "BROKER_PORT": str(server.port),
        "BROKER_USER": getpass.getuser(),
        "CHECK_URL": url,
        "PAGES": pages,
        "PATH": os.pathsep.join(path),
        "STATE_DIRECTORY": str(folder / "state"),
    }


def states(pages: str) -> dict[str, str]:
    """What each location said in the newest round, as the pages tell."""
    with (
        suppress(OSError),
        urllib.request.urlopen(f"http://{pages}/api/v1/checks/example/rounds", timeout=10) as answer,
    ):
        for newest in json.load(answer)["rounds"][-1:]:
            return {place["location"]: place["state"] for place in newest["places"]}
    return {}


def logs(folder: Path) -> str:
    return "\n".join(f"{path.name}: {path.read_text()}" for path in folder.glob("*.log"))


@pytest.mark.rabbitmq
def test_a_newcomer_gets_to_three_locations_by_copying_commands(rabbitmq: RabbitMQ, tmp_path: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    pages = f"127.0.0.1:{free_ports(1)[0]}"
    with ShopServer(delay=0.0) as shop:
        shell = Shell(tmp_path, environment(rabbitmq, tmp_path, pages, f"http://127.0.0.1:{shop.port}/"))
        try:
            for block in blocks:
                shell.run(block)
                if RESTART in block:
                    rabbitmq.start()
                if "location add" in block:  # the check's target is on this machine, where locations do not look
                    file = tmp_path / "nightowl.toml"
                    file.write_text(re.sub(r"(?m)^\[location\..*\]$", rf"\g<0>\n{ALLOWED}", file.read_text()))
            up = dict.fromkeys(PLACES, "up")
            wait_for(lambda: states(pages) == up, 120, lambda: f"{states(pages)}\n{logs(tmp_path)}")
        finally:
            shell.end()
    told = logs(tmp_path)
    assert "Traceback" not in told
    for secret in [*(tmp_path / "passwords").iterdir(), *(tmp_path / "keys").iterdir()]:
        assert secret.read_text().strip() not in told, secret.name
