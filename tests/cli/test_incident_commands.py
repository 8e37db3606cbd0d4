import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from nightowl.cli.ack import ack
from nightowl.cli.channel import channel
from nightowl.cli.incidents import incidents
from nightowl.config import load
from nightowl.core.telling import Telling
from nightowl.core.values import Change, Incident, Severity
from nightowl.flows.tell import tell
from nightowl.wire.store import open_store

SHOP = Incident(
    id="5f2c0a",
    kind="check",
    subject="shop",
    severity=Severity.CRITICAL,
    summary="shop is down: connection refused",
    opened=1_700_000_000.0,
)
BANK = replace(SHOP, id="5fbb01", subject="bank", severity=Severity.WARNING, opened=1_700_000_100.0)


class Hook(ThreadingHTTPServer):
    """Keeps what is posted to it and answers with ``status``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Posted)
        self.status = 200
        self.bodies: Queue[dict] = Queue()


class Posted(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        self.server.bodies.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def path(tmp_path: Path, hook: Hook, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    file = tmp_path / "nightowl.toml"
    file.write_text(
        f"""
        [channel.ops]
        kind = "webhook"
        url = "http://127.0.0.1:{hook.server_port}/"
        """
    )
    return str(file)


def change(path: str, event: str, incident: Incident) -> None:
    configuration = load(path)
    with closing(open_store(configuration)) as store, store.transaction() as unit:
        changed = Change(event=event, incident=incident, at=incident.opened, text=event)
        tell(unit, [changed], Telling(routes=configuration.routes), incident.opened)


def run(command, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_a_test_notice_reaches_the_channel(path: str, hook: Hook) -> None:
    result = run(channel, "test", "ops", "-c", path)
    assert (result.exit_code, result.output) == (0, "test notice to ops: sent\n")
    assert hook.bodies.get_nowait()["step"] == "test"


def test_a_test_notice_that_is_not_taken_says_why(path: str, hook: Hook) -> None:
    hook.status = 503
    result = run(channel, "test", "ops", "-c", path)
    assert result.exit_code == 1
    assert result.stderr == "test notice to ops: failed: the host answered 503 Service Unavailable\n"


def test_a_channel_that_there_is_not_is_told_with_those_that_there_are(path: str) -> None:
    result = run(channel, "test", "pager", "-c", path)
    assert result.exit_code == 1
    assert result.stderr == f"{path}: no channel is called pager; there are ops\n"


@pytest.mark.parametrize("arguments", [[channel, "test", "ops"], [incidents], [ack, "5f"]])
def test_a_configuration_that_is_not_there_is_one_message_and_exit_2(tmp_path: Path, arguments) -> None:
    result = run(*arguments, "-c", str(tmp_path / "none.toml"))
    assert result.exit_code == 2
    assert "none.toml" in result.stderr
    assert "Traceback" not in result.output


def test_a_store_that_cannot_be_opened_is_one_message_and_exit_2(path: str, tmp_path: Path) -> None:
    Path(path).write_text(f'[store]\nurl = "sqlite:///{tmp_path}/missing/owl.db"\n')
    result = run(incidents, "-c", path)
    assert result.exit_code == 2
    assert result.stderr
    assert "Traceback" not in result.output


def test_open_incidents_are_listed_newest_first(path: str) -> None:
    change(path, "opened", SHOP)
    change(path, "opened", BANK)
    result = run(incidents, "-c", path)
    assert result.exit_code == 0
    assert [line.split("\t") for line in result.output.splitlines()] == [
        ["5fbb01", "open", "warning", "2023-11-14T22:15:00Z", "bank", "shop is down: connection refused"],
        ["5f2c0a", "open", "critical", "2023-11-14T22:13:20Z", "shop", "shop is down: connection refused"],
    ]


def test_those_that_are_over_are_listed_on_demand(path: str) -> None:
    change(path, "opened", SHOP)
    change(path, "resolved", replace(SHOP, resolved=1_700_000_060.0))
    assert run(incidents, "-c", path).output == "No open incidents.\n"
    assert "\tresolved\t" in run(incidents, "-c", path, "--all").output


def test_the_list_says_when_there_are_more(path: str) -> None:
    change(path, "opened", SHOP)
    change(path, "opened", BANK)
    result = run(incidents, "-c", path, "--limit", "1")
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr == "1 of 2; --limit shows more\n"


def test_programs_get_json(path: str) -> None:
    assert json.loads(run(incidents, "-c", path, "--json").output) == []
    change(path, "opened", SHOP)
    [found] = json.loads(run(incidents, "-c", path, "--json").output)
    assert (found["id"], found["severity"], found["resolved"], found["tags"]) == ("5f2c0a", "critical", None, {})


def test_an_incident_is_acknowledged_by_the_start_of_its_id(path: str) -> None:
    change(path, "opened", SHOP)
    change(path, "opened", BANK)
    result = run(ack, "5f2", "--by", "alice", "-c", path)
    assert (result.exit_code, result.output) == (0, "incident 5f2c0a (shop): acknowledged by alice\n")
    assert "\tacknowledged by alice\t" in run(incidents, "-c", path).output


def test_who_acknowledged_first_stays_and_is_told(path: str) -> None:
    taken = replace(SHOP, acknowledged=1_700_000_060.0, acknowledged_by="ann")
    change(path, "opened", SHOP)
    change(path, "acknowledged", taken)
    result = run(ack, "5f2", "--by", "joe", "-c", path)
    said = "incident 5f2c0a (shop): already acknowledged by ann at 2023-11-14T22:14:20Z\n"
    assert (result.exit_code, result.output) == (0, said)


def test_the_start_of_several_ids_acknowledges_none(path: str) -> None:
    change(path, "opened", SHOP)
    change(path, "opened", BANK)
    result = run(ack, "5f", "-c", path)
    assert result.exit_code == 1
    assert result.stderr == "2 open incidents begin with 5f: 5f2c0a, 5fbb01\n"


def test_what_is_over_or_was_never_there_cannot_be_acknowledged(path: str) -> None:
    change(path, "opened", SHOP)
    change(path, "resolved", replace(SHOP, resolved=1_700_000_060.0))
    assert run(ack, "5f2c0a", "-c", path).stderr.startswith("incident 5f2c0a (shop) is over")
    assert run(ack, "77", "-c", path).stderr == "no incident has the id 77\n"
    assert run(ack, "77", "-c", path).exit_code == 1


def test_the_role_sends_what_waits_and_ends_when_told(path: str, hook: Hook) -> None:
    change(path, "opened", SHOP)
    program = "from nightowl.cli import main; main()"
    process = subprocess.Popen([sys.executable, "-c", program, "notifier", "-c", path])
    try:
        assert hook.bodies.get(timeout=60)["key"] == "5f2c0a/firing/ops"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
