"""The body and the receiver that docs/hooks.md shows, with a real worker and a real watcher."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nightowl.core.cluster.hooks import Happening, document
from nightowl.core.cluster.task import Task
from tests.servers.server import free_ports
from tests.services.bus_parts import wait_for
from tests.services.watching_parts import DEADLINE, SHOP, sending, watching, worker

PAGE = (Path(__file__).parents[2] / "docs/hooks.md").read_text(encoding="utf-8")
BODY = json.loads(re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)[1])
RECEIVER = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1]


def test_the_shown_body_is_what_nightowl_sends():
    happening = Happening(BODY["event"], BODY["at"], BODY["cluster"], Task(**BODY["task"]))
    assert json.loads(json.dumps(document(happening, "https://owl.example"))) == BODY


@pytest.fixture
def receiver(tmp_path):
    """The receiver under way: its URL, and the file that it prints to."""
    (port,) = free_ports(1)
    (tmp_path / "receiver.py").write_text(RECEIVER)
    said = tmp_path / "said.txt"
    environment = os.environ | {"ORDERS_HOOK_SECRET": "whsec-1", "PORT": str(port)}
    with (
        said.open("w") as out,
        subprocess.Popen(
            [sys.executable, tmp_path / "receiver.py"], env=environment, stdout=out, stderr=out
        ) as process,
    ):
        yield f"http://127.0.0.1:{port}/", said
        process.terminate()


@pytest.mark.redis
def test_the_shown_receiver_takes_what_a_real_watcher_tells(redis_url, receiver, tmp_path, monkeypatch):
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    url, said = receiver
    configuration = f"""
        [cluster.shop]
        broker = "{redis_url}"
        [hook.orders]
        url = "{url}"
        on = ["task-failed", "task-retried", "task-succeeded"]
        task = ["*.refuse", "*.insist"]
        secret = "whsec-1"
        [hook.forged]
        url = "{url}"
        secret = "another"
    """

    def told() -> list[str]:
        return re.findall(r"^task-\w+ \S+", said.read_text(), re.MULTILINE)

    with worker(redis_url), sending(redis_url) as app, watching(tmp_path, configuration) as found:
        wait_for(found.hears, DEADLINE)
        app.send_task(f"{SHOP}.pay", [1])
        app.send_task(f"{SHOP}.insist")
        app.send_task(f"{SHOP}.refuse", [1])
        wait_for(lambda: len(told()) == 4, DEADLINE, said.read_text)
        wait_for(lambda: 'hook="forged",result="refused"} 1.0' in found.role.metrics(), DEADLINE)
    assert sorted(told()) == [
        f"task-failed {SHOP}.refuse",
        f"task-retried {SHOP}.insist",
        f"task-retried {SHOP}.insist",
        f"task-succeeded {SHOP}.insist",
    ]
    assert "Refused(1)" in said.read_text()
