"""The kind of channel that the documentation shows: installed as an installer does it, and used."""

import os
import re
import socket
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/plugins.md").read_text().partition("\n## A kind of channel of your own\n")[2].partition("\n## ")[0]
CODE = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1]
PROJECT, CHANNEL = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def syslog():
    """A syslog server that takes one line: its port, and the line that is to come."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor() as pool:
        listener.settimeout(30)

        def take():
            peer, _ = listener.accept()
            with peer:
                return peer.makefile().readline()

        yield listener.getsockname()[1], pool.submit(take)


@pytest.fixture
def nightowl(tmp_path):
    """Run a command where the plug-in is installed, with a configuration."""
    (tmp_path / "syslog_channel.py").write_text(CODE)
    installed = tmp_path / "nightowl_syslog-1.0.dist-info"
    installed.mkdir()
    project = tomllib.loads(PROJECT)["project"]
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n")
    [(name, where)] = project["entry-points"]["nightowl.channels"].items()
    (installed / "entry_points.txt").write_text(f"[nightowl.channels]\n{name} = {where}\nslack = nowhere:Nothing\n")

    def run(configuration, *arguments):
        (tmp_path / "nightowl.toml").write_text(configuration)
        paths = os.pathsep.join([str(tmp_path), str(ROOT), os.environ.get("PYTHONPATH", "")])
        return subprocess.run(
            [sys.executable, "-m", "nightowl", *arguments, "-c", "nightowl.toml"],
            env={**os.environ, "PYTHONPATH": paths}, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def test_the_example_is_as_short_as_plugins_are():
    assert len([line for line in CODE.splitlines() if line.strip()]) <= 20


def test_the_example_sends_a_notice(nightowl, syslog):
    port, line = syslog
    configuration = CHANNEL.replace("log.example", "127.0.0.1").replace("6514", str(port))
    ran = nightowl(configuration, "channel", "test", "log")
    assert ran.stdout == "test notice to log: sent\n", ran.stderr
    assert line.result().startswith("<134>1 - - NightOwl - - - ● TEST: channel/log: This is a test of the channel log.")


def test_a_receiver_that_is_away_and_a_key_that_is_wrong_are_said(nightowl):
    away = nightowl(CHANNEL.replace("log.example", "127.0.0.1").replace("6514", "1"), "channel", "test", "log")
    assert away.stderr.strip() == "test notice to log: failed: 127.0.0.1: Connection refused"
    wrong = nightowl(f'{CHANNEL}\ncolour = "red"', "config", "check")
    assert wrong.returncode == 2
    assert "channel.log: found a channel of the kind syslog that cannot be made: TypeError" in wrong.stderr
    assert "unexpected keyword argument 'colour'" in wrong.stderr


def test_a_plugin_takes_no_built_in_kind_away(nightowl):
    assert nightowl('[channel.x]\nkind = "slack"\nurl = "http://x/"', "config", "check").returncode == 0
