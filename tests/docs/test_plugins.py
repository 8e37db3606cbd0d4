"""The plug-ins that the documentation shows: installed as an installer does it, and run."""

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
PAGE = (ROOT / "docs/plugins.md").read_text().partition("\n## A kind of channel")[0]
PROBE, STRATEGY = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
PROBE_PROJECT, CHECK, STRATEGY_PROJECT, RULE = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


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


def install(folder, project, code):
    """Put a module and what an installer notes of it into a folder of the path."""
    told = tomllib.loads(project)
    [module] = told["tool"]["setuptools"]["py-modules"]
    (folder / f"{module}.py").write_text(code)
    name = told["project"]["name"]
    installed = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    [(group, points)] = told["project"]["entry-points"].items()
    lines = [f"{point} = {where}" for point, where in points.items()]
    (installed / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))


@pytest.fixture
def nightowl(tmp_path):
    """Run a command where the plug-ins are installed."""
    install(tmp_path, PROBE_PROJECT, PROBE)
    install(tmp_path, STRATEGY_PROJECT, STRATEGY)
    paths = os.pathsep.join([str(tmp_path), str(ROOT), os.environ.get("PYTHONPATH", "")])

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "nightowl", *arguments],
            env={**os.environ, "PYTHONPATH": paths}, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def test_the_examples_are_as_long_as_they_are_said_to_be():
    for code, lines in ((PROBE, 30), (STRATEGY, 20)):
        assert len([line for line in code.splitlines() if line.strip()]) <= lines


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


GIB = 2**30


def test_the_strategy_of_the_example_finds_the_disk_that_fills_before_it_is_full(nightowl, tmp_path):
    """One disk loses 10 GiB an hour of 100, another is nearly full and stays so."""
    (tmp_path / "nightowl.toml").write_text(RULE)
    rows = [
        f'"disk_free_bytes{{disk=""{disk}""}}",{minute * 60},{free}'
        for minute in range(600)
        for disk, free in (("data", (100 - minute / 6) * GIB), ("logs", 1 * GIB + minute % 2))
    ]
    (tmp_path / "disks.csv").write_text("\n".join(["series,ts,value", *rows, ""]))
    ran = nightowl("backtest", "--rules", "nightowl.toml", "--samples", "disks.csv", "--every", "5m", "--json")

    found = json.loads(ran.stdout)["disk-will-be-full"]
    # empty after ten hours, so it is seen from four hours before that on
    assert found == {'disk_free_bytes{disk="data"}': [[21_900.0, "OK", "PENDING"], [22_500.0, "PENDING", "FIRING"]]}
