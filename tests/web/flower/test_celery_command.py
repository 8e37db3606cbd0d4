"""``celery -A shop nightowl`` as people start it: Flower's options, its API and its metrics, one process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import httpx
import pytest

from tests.web.flower.shop import APP, WORKER, Shop, until

ROOT = Path(__file__).parents[3]
ENTRY = "nightowl.cli.celery_command:nightowl"

pytestmark = [
    pytest.mark.redis,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # Celery leaves sockets open
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an app, and with what makes ``celery`` find the command, whatever is installed here."""
    (tmp_path / "shop.py").write_text(APP)
    metadata = tmp_path / "nightowl_command-0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: nightowl-command\nVersion: 0\n")
    (metadata / "entry_points.txt").write_text(f"[celery.commands]\nnightowl = {ENTRY}\n")
    return tmp_path


def environment(folder: Path, broker: str = "redis://127.0.0.1:1/0", **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FLOWER_")}
    paths = {"PYTHONPATH": f"{folder}:{ROOT}", "STATE_DIRECTORY": str(folder / "state"), "BROKER": broker}
    return {**kept, **paths, **more}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "shop", "nightowl", *arguments]


@contextmanager
def running(folder: Path, broker: str, *arguments: str, **variables: str) -> Iterator[tuple[str, Path]]:
    """Run the command; give its address and its log."""
    log = folder / "owl.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command(*arguments), cwd=folder, env=environment(folder, broker, **variables), stdout=out, stderr=out
        )
    try:
        found = until(lambda: re.search(r"NightOwl is at (\S+)", log.read_text()) or process.poll())
        assert isinstance(found, re.Match), log.read_text()
        yield found[1], log
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, log.read_text()


def test_it_is_declared_where_celery_looks() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = project["entry-points"]["celery.commands"]["nightowl"]
    assert declared == ENTRY
    module, _, name = declared.partition(":")
    assert getattr(import_module(module), name).name == "nightowl"


def test_other_commands_of_celery_do_not_pay_for_it() -> None:
    script = f"import sys, {ENTRY.partition(':')[0]}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"pydantic", "fastapi", "sqlalchemy", "numpy", "celery", "gevent"} & set(loaded.stdout.split())


def test_its_help_lists_flowers_options(folder: Path) -> None:
    told = subprocess.run(
        command("--help"), cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
    )
    assert told.returncode == 0
    assert "--basic_auth" in told.stdout
    assert "--oauth2_key" not in told.stdout


def test_what_cannot_be_is_told_in_one_line(folder: Path) -> None:
    given = command("--auth=me@example.com")
    told = subprocess.run(given, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert told.stderr.strip().startswith('--auth: found "me@example.com", allowed: NightOwl does not sign people in')


def test_the_link_for_the_first_user_is_whole_and_comes_after_the_address(folder: Path) -> None:
    with running(folder, "memory://", "--port=0", "--url_prefix=owl") as (address, log):
        link = until(lambda: re.search(r"Create the first user at (\S+)", log.read_text()))
        assert re.fullmatch(re.escape(address) + r"setup\?token=\S+", link[1])
        told = log.read_text()
        assert told.index("NightOwl is at") < told.index("Create the first user")
        assert httpx.get(link[1]).status_code == 200


def test_it_watches_the_cluster_of_the_app(folder: Path, shop: Shop) -> None:
    broker = str(shop.app.conf.broker_url)
    variables = {"FLOWER_UNAUTHENTICATED_API": "true", "FLOWER_URL_PREFIX": "ignored"}
    options = ("--address=127.0.0.1", "--port=0", "--url_prefix=owl", "--natural-time")
    with running(folder, broker, *options, **variables) as (address, log), httpx.Client(base_url=address) as client:
        until(lambda: client.get("api/workers?status=1").json().get(WORKER))
        told = client.post("api/task/apply/shop.add", json={"args": [2], "kwargs": {"b": 3}}, timeout=30).json()
        assert told["result"] == 5
        until(lambda: client.get(f"api/task/info/{told['task-id']}").status_code == 200)
        assert client.get("").status_code == 200  # the pages, too
        assert client.get("healthcheck").text == "OK"
        metrics = until(lambda: _with(client.get("metrics").text, "flower_events_total{"))
        assert f'flower_worker_online{{worker="{WORKER}"}} 1' in metrics
        succeeded = [line for line in metrics.splitlines() if line.startswith("celery_task_succeeded_total{")]
        assert succeeded
        assert not any("cluster=" in line for line in succeeded)
        beat = until(lambda: client.get("clusters/shop/beat.json").json()["rows"])
        assert [(due["name"], due["task"], due["schedule"]) for due in beat] == [("hourly", "shop.add", "every hour")]
        assert "--natural-time has no effect here: times are told as people say them" in log.read_text()
    assert list((folder / "state").glob("shop-*.db"))


def _with(text: str, part: str) -> str:
    return text if part in text else ""


def test_pairs_are_asked_for_on_this_machine_too(folder: Path) -> None:
    with running(folder, "memory://", "--port=0", "--basic_auth=ada:lovelace") as (address, _):
        for path in ("", "clusters", "users", "api/workers"):
            assert httpx.get(f"{address}{path}").status_code in (303, 401)
        refused = httpx.post(f"{address}api/v1/clusters/proj/commands", json={"command": "ping"})
        assert refused.status_code in (401, 403)
        assert httpx.get(f"{address}api/workers", auth=("ada", "lovelace")).status_code == 200
