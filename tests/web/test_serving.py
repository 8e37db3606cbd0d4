"""The server in a thread, and the commands web and user."""

import json
import socket
import threading

import httpx
import pytest
from click.testing import CliRunner

from nightowl.cli import main
from nightowl.core.errors import ConfigurationError
from nightowl.web import passwords
from nightowl.web.app import make_app
from nightowl.web.serve import ServerThread


@pytest.fixture
def server(world):
    """A server that answers; the test stops it."""
    told = threading.Event()
    server = ServerThread(make_app(world.handlers), "127.0.0.1", 0, ready=lambda _: told.set())
    server.start()
    assert told.wait(20)
    return server


def test_a_server_answers_until_it_is_stopped_though_a_stream_is_open(server):
    base = f"http://127.0.0.1:{server.port}"
    with httpx.stream("GET", f"{base}/live", params={"page": "/checks"}) as stream:
        assert next(stream.iter_lines()).startswith("retry")
        server.stop()
    assert not server.is_alive()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{base}/health")


def test_changes_are_streamed_and_a_reader_that_comes_back_misses_none(world, server):
    url = f"http://127.0.0.1:{server.port}/api/v1/events"

    def change(*kinds):
        with world.handlers.store.transaction() as unit:
            for number, kind in enumerate(kinds):
                unit.feed.add(kind, f"{kind} {number}")

    def read(lines, count):
        found = []
        while len(found) < count:
            line = next(lines)
            if line.startswith("data: "):
                found.append(json.loads(line.removeprefix("data: ")))
        return found

    with httpx.stream("GET", url, params={"kind": ["incident", "rule"]}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        assert next(lines).startswith("retry")
        change("incident", "verdict", "request", "rule")
        first, last = read(lines, 2)
        assert (first["kind"], first["subject"], last["kind"]) == ("incident", "incident 0", "rule")
    change("silence")
    with httpx.stream("GET", url, headers={"Last-Event-ID": str(first["id"])}) as stream:
        assert [each["kind"] for each in read(stream.iter_lines(), 3)] == ["verdict", "rule", "silence"]
        server.stop()
    assert not server.is_alive()


def test_an_occupied_port_is_one_clear_mistake(world):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port}.*another program listens there already"):
            ServerThread(make_app(world.handlers), "127.0.0.1", port)


@pytest.fixture
def installation(tmp_path, monkeypatch):
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    file = tmp_path / "nightowl.toml"
    file.write_text("[location.here]\n")
    return file


def add_user(installation, name, password, *more):
    arguments = ["user", "add", name, "--password-file", "-", "-c", str(installation), *more]
    return CliRunner().invoke(main, arguments, input=password)


def test_a_user_is_added_and_then_changed(installation):
    first = add_user(installation, "ann", "long enough to use\n")
    assert (first.exit_code, first.output) == (0, "user ann: added, role viewer\n")
    second = add_user(installation, "ann", "another long one", "--role", "admin")
    assert second.output == "user ann: changed, role admin\n"


@pytest.mark.parametrize(("name", "password"), [("ann", "short"), ("not a name", "long enough to use")])
def test_a_user_that_cannot_be_is_refused_in_one_line(installation, name, password):
    refused = add_user(installation, name, password)
    assert refused.exit_code == 2
    assert refused.output.count("\n") == 1
    assert "allowed: a " in refused.output


def test_the_web_command_refuses_an_occupied_port_with_exit_status_two(installation):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        installation.write_text(f'[server]\nlisten = "127.0.0.1:{other.getsockname()[1]}"\n[location.here]\n')
        refused = CliRunner().invoke(main, ["web", "-c", str(installation)])
    assert refused.exit_code == 2
    assert "server.listen: found " in refused.output


def test_a_password_is_stored_hashed_only():
    encoded = passwords.hashed("long enough to use")
    assert encoded.startswith("$argon2id$")
    assert passwords.matches("long enough to use", encoded)
    assert not passwords.matches("long enough to us", encoded)
    assert not passwords.matches("long enough to use", None)
