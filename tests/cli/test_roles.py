"""Roles as processes: they begin, say how they are, and end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from nightowl.cli.health import health
from nightowl.roles.installation import Installation
from nightowl.roles.self_ping import SelfPingRole
from nightowl.wire.checks import for_urls
from tests.servers.server import free_ports

NIGHTOWL = [sys.executable, "-m", "nightowl"]


@contextmanager
def role(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        [*NIGHTOWL, *arguments],
        env=os.environ | {"STATE_DIRECTORY": str(folder)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield started
    finally:
        if started.poll() is None:
            os.killpg(started.pid, signal.SIGKILL)
        started.communicate()


def said(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"STATE_DIRECTORY": str(folder)}
    return subprocess.run(
        [*NIGHTOWL, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def get(url: str, seconds: float = 30.0) -> tuple[int, str]:
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            assert time.monotonic() < end, f"{url} does not answer"
            time.sleep(0.1)


@pytest.fixture
def configuration(tmp_path: Path) -> str:
    path = tmp_path / "nightowl.toml"
    path.write_text(
        f'[bus]\nbroker = "filesystem://{tmp_path}/bus"\n[server]\nlisten = "127.0.0.1:{free_ports(1)[0]}"\n'
    )
    return str(path)


def test_a_director_tells_its_health_and_metrics_and_ends_at_sigterm(tmp_path: Path, configuration: str) -> None:
    (port,) = free_ports(1)
    with role(tmp_path, "director", "-c", configuration, "--listen", f"127.0.0.1:{port}") as director:
        assert get(f"http://127.0.0.1:{port}/health") == (200, "OK")
        status, text = get(f"http://127.0.0.1:{port}/metrics")
        assert status == 200
        assert 'nightowl_role_up{role="director"} 1.0' in text
        assert get(f"http://127.0.0.1:{port}/elsewhere")[0] == 404
        wait_until_healthy(tmp_path, "director")
        director.send_signal(signal.SIGTERM)
        assert director.wait(30) == 0
    gone = said(tmp_path, "health", "--role", "director")
    assert gone.returncode == 1
    assert "no process of this role" in gone.stdout


def wait_until_healthy(folder: Path, name: str) -> None:
    for _ in range(60):
        if said(folder, "health", "--role", name).returncode == 0:
            return
    raise AssertionError(said(folder, "health", "--role", name).stdout)


def test_each_role_tells_whether_it_works_without_http(
    tmp_path: Path, configuration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    names = ("director", "actor", "evaluator", "watcher", "notifier", "web")

    def asked(name: str) -> tuple[int, str]:
        found = CliRunner().invoke(health, ["--role", name])
        return found.exit_code, found.output

    options = {"actor": ("--location", "local")}
    with ExitStack() as stack:
        command = ("-c", configuration)
        started = [stack.enter_context(role(tmp_path, name, *options.get(name, ()), *command)) for name in names]
        end = time.monotonic() + 60
        while any(asked(name)[0] for name in names):
            assert time.monotonic() < end, [asked(name) for name in names]
            time.sleep(0.1)
        for process in started:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(30) for process in started] == [0] * len(names)
    for name in names:
        assert asked(name) == (1, f"{name}: no process of this role runs here\n")


def test_up_serves_pages_until_it_is_told_to_stop(tmp_path: Path, configuration: str) -> None:
    with role(tmp_path, "up", "-c", configuration) as up:
        assert up.stderr is not None
        told = (re.search(r"http://[^ ]+/", line) for line in up.stderr)
        address = next(found for found in told if found)
        assert get(address[0] + "health")[0] == 200
        assert json.loads(get(address[0] + "ready")[1]) == {"ready": True, "problems": []}
        up.send_signal(signal.SIGINT)
        assert up.wait(30) == 0
        assert "Traceback" not in up.stderr.read()


def test_metrics_may_have_an_address_of_their_own(tmp_path: Path, configuration: str) -> None:
    (port,) = free_ports(1)
    path = Path(configuration)
    path.write_text(path.read_text() + f'metrics_listen = "127.0.0.1:{port}"\n')
    with role(tmp_path, "web", "-c", configuration):
        status, text = get(f"http://127.0.0.1:{port}/metrics")
        assert status == 200, text
        status, text = get(f"http://127.0.0.1:{port}/metrics/cluster/shop?flower=1")
        assert (status, text) == (404, "no cluster is called shop")


def test_pages_alone_say_that_the_broker_is_away(tmp_path: Path) -> None:
    broker, port = free_ports(2)
    path = tmp_path / "nightowl.toml"
    table = f'[bus]\nbroker = "redis://:hush@127.0.0.1:{broker}/0"\n[server]\nlisten = "127.0.0.1:{port}"\n'
    path.write_text(table)
    with role(tmp_path, "web", "-c", str(path)):
        for _ in range(100):
            status, text = get(f"http://127.0.0.1:{port}/ready")
            if status == 503:
                break
            time.sleep(0.1)
        assert status == 503
        assert "does not answer" in text
        assert "hush" not in text


def test_a_reload_by_the_api_takes_a_new_check_in(tmp_path: Path, configuration: str) -> None:
    path = Path(configuration)
    with role(tmp_path, "up", "-c", configuration) as up:
        assert up.stderr is not None
        told = (re.search(r"http://[^ ]+/", line) for line in up.stderr)
        address = next(found for found in told if found)[0]
        get(address + "health")
        path.write_text(path.read_text() + '[check.shop]\nurl = "http://shop.example/"\npaused = true\n')
        request = urllib.request.Request(address + "api/v1/configuration/reload", method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 204
        for _ in range(100):
            if '"shop"' in get(address + "api/v1/checks")[1]:
                return
            time.sleep(0.1)
        raise AssertionError(get(address + "api/v1/checks"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("up", "-c", "missing.toml"), "missing.toml"),
        (("director", "-c", "missing.toml"), "missing.toml"),
        (("up", "--check", "gopher://x/"), '--check: found "gopher://x/"'),
        (("up", "--check", "shop"), '--check: found "shop"'),
        (("up", "--check", "http://shop:port/"), '--check: found "http://shop:port/"'),
        (("up", "--location", "nowhere"), "nowhere"),
        (("up", "-c", "nightowl.toml", "--check", "http://x/"), "--check"),
    ],
)
def test_what_cannot_begin_says_why_and_exits_2(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    refused = said(tmp_path, *arguments)
    assert refused.returncode == 2
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('[store]\nurl = "sqlite:////proc/owl.db"', "unable to open database file"),
        ('[bus]\nbroker = "carrier-pigeon://loft"', "bus.broker"),
        ('[bus]\nbroker = "redis://:hush@127.0.0.1:1/shop"', "bus.broker"),
        ('[bus]\nbroker = "filesystem:///proc/owl"', "bus.broker"),
        ('[server]\nlisten = "127.0.0.1:{taken}"', "server.listen"),
    ],
)
def test_a_store_broker_or_port_that_cannot_be_used_is_one_message(tmp_path: Path, table: str, words: str) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as taken:
        path = tmp_path / "nightowl.toml"
        path.write_text(table.replace("{taken}", str(taken.server_port)))
        refused = said(tmp_path, "up", "-c", str(path))
    assert refused.returncode == 2
    assert words in refused.stderr
    assert "hush" not in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("arguments", [("director",), ("actor", "--location", "local")])
def test_a_role_alone_refuses_a_broker_in_memory(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "nightowl.toml").write_text('[check.shop]\nurl = "https://shop.example/"\n')
    refused = said(tmp_path, *arguments, "-c", str(tmp_path / "nightowl.toml"))
    assert refused.returncode == 2
    assert 'nightowl.toml: bus.broker: found "memory://"' in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_the_address_of_the_pages_may_be_given_with_up(tmp_path: Path, configuration: str) -> None:
    (port,) = free_ports(1)
    with role(tmp_path, "up", "-c", configuration, "--listen", f"127.0.0.1:{port}"):
        assert get(f"http://127.0.0.1:{port}/health")[0] == 200


def test_a_taken_port_and_a_bad_address_name_the_option(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as taken:
        refused = said(tmp_path, "up", "--listen", f"127.0.0.1:{taken.server_port}")
    assert refused.returncode == 2
    assert "--listen HOST:PORT gives another" in refused.stderr
    assert '--listen: found "here", allowed: HOST:PORT' in said(tmp_path, "up", "--listen", "here").stderr


def test_roles_say_at_their_start_what_they_work_with(tmp_path: Path) -> None:
    path = tmp_path / "nightowl.toml"
    path.write_text('[bus]\nbroker = "redis://owl:hush@127.0.0.1:1/0"\n[location.london]\n[location.tokyo]\n')
    told = {
        ("director",): "director for london, tokyo; broker redis://owl:***@127.0.0.1:1/0; store sqlite:///",
        ("actor", "--location", "tokyo"): "actor for tokyo; broker redis://owl:***@127.0.0.1:1/0\n",
        ("notifier",): "notifier; store sqlite:///",
        ("web",): "web; store sqlite:///",
    }
    for arguments, words in told.items():
        with role(tmp_path, *arguments, "-c", str(path)) as started:
            assert started.stderr is not None
            assert f"starting: {words}" in started.stderr.readline()


@pytest.mark.parametrize("arguments", [("director",), ("actor", "--location", "tokyo")])
def test_jobs_that_can_be_read_on_another_machine_are_warned_of_once(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    path = tmp_path / "nightowl.toml"
    path.write_text('[bus]\nbroker = "redis://broker.invalid/0"\n[location.tokyo]\n')
    with role(tmp_path, *arguments, "-c", str(path)) as started:
        assert started.stderr is not None
        assert "starting: " in started.stderr.readline()
        assert "WARNING nightowl.cli.starting: tokyo: no key, and the broker is on another" in started.stderr.readline()


def test_up_tells_hints_and_that_a_configuration_lies_unused(
    tmp_path: Path, configuration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(configuration)
    (port,) = free_ports(1)
    path.write_text(path.read_text() + '[check.shop]\nurl = "https://shop.example/"\npaused = true\n')
    with role(tmp_path, "up", "-c", "nightowl.toml") as up:
        assert up.stderr is not None
        assert "hint NO23: channel: none is declared" in up.stderr.readline()
    with role(tmp_path, "up", "--listen", f"127.0.0.1:{port}") as up:
        assert up.stderr is not None
        assert "nightowl.toml is in this folder and is not used" in up.stderr.readline()


class Receiver:
    """Notes the paths that are asked for."""

    def __init__(self) -> None:
        paths: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                paths.append(self.path)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.paths = paths
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Receiver:  # noqa: PYI034
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.mark.parametrize("works", [True, False])
def test_the_watcher_is_pinged_only_while_all_is_well(works: bool) -> None:
    stop = threading.Event()
    asked = threading.Semaphore(0)

    def ask() -> bool:
        asked.release()
        return works

    with Receiver() as receiver:
        url = f"http://127.0.0.1:{receiver.server.server_port}/ping/secret"
        installation = Installation(fixed=replace(for_urls(()), self_ping=url))
        thread = threading.Thread(target=SelfPingRole(installation, ask, every=0.02).run, args=(stop,))
        thread.start()
        for _ in range(3):
            asked.acquire()
        stop.set()
        thread.join()
    assert bool(receiver.paths) is works
