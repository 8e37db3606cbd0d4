"""The plug-in that the documentation shows: installed as an installer does it, and run."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/plugins.md").read_text()
CODE = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1]
PROJECT, CHECK = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def memcached():
    """What answers as memcached does: host and port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with suppress(OSError):
            while True:
                peer, _ = listener.accept()
                with peer:
                    peer.sendall(b"VERSION 1.6.24\r\n" if peer.recv(100) == b"version\r\n" else b"ERROR\r\n")

    threading.Thread(target=serve, daemon=True).start()
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def nightowl(tmp_path):
    """Run a command where the plug-in is installed."""
    (tmp_path / "memcached_probe.py").write_text(CODE)
    project = tomllib.loads(PROJECT)["project"]
    installed = tmp_path / "nightowl_memcached-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n")
    points = project["entry-points"]["nightowl.probes"]
    lines = [f"{name} = {where}" for name, where in points.items()]
    (installed / "entry_points.txt").write_text("\n".join(["[nightowl.probes]", *lines, ""]))
    paths = os.pathsep.join([str(tmp_path), str(ROOT), os.environ.get("PYTHONPATH", "")])

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "nightowl", *arguments],
            env={**os.environ, "PYTHONPATH": paths}, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def test_the_example_is_as_long_as_it_is_said_to_be():
    assert len([line for line in CODE.splitlines() if line.strip()]) <= 30


def test_the_example_runs_a_check(nightowl, memcached, tmp_path):
    config = tmp_path / "nightowl.toml"
    network = '[location.local]\nallow = [{ network = "127.0.0.0/8" }]\n'
    config.write_text(network + CHECK.replace("cache.example", memcached))

    ran = nightowl("probe", "-c", str(config), "--attempts", "1", "--json")

    outcome = json.loads(ran.stdout)
    assert (outcome["state"], outcome["reason"]) == ("up", "")
    assert outcome["phases"]["first_byte"] > 0


def test_what_stops_the_example_has_the_reasons_of_every_kind(nightowl, memcached, tmp_path):
    config = tmp_path / "nightowl.toml"
    config.write_text(CHECK.replace("cache.example", "localhost:1").replace("1.6", "1.5"))
    free = nightowl("probe", f"memcached://{memcached}", "--allow", "10.0.0.0/8", "--attempts", "1", "--json")

    assert json.loads(free.stdout)["reason"] == "policy.address"
    assert "NO14" in nightowl("config", "check", "-c", str(config)).stderr
