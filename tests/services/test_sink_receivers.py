"""Receivers that are dead, slow or refuse: they hold up nobody else, and what is lost is told."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest

from nightowl.adapters.sinks import sockets
from nightowl.config import Configuration, load
from nightowl.core.values import Sample
from nightowl.flows import sink_queue
from nightowl.roles import sink_thread, sinks
from nightowl.roles.installation import Installation
from nightowl.roles.sinks import SinksRole
from nightowl.testing.store import memory_store
from tests.servers.server import free_ports

PATIENCE = 20.0
REFUSED = "the host does not accept the connection"


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class World:
    """A role of sinks over a store with a few thousand samples, and the configuration that it follows."""

    def __init__(self, folder: Path, text: str) -> None:
        self._file = folder / "nightowl.toml"
        self.installation = Installation(fixed=self._loaded(text))
        self.installation.__dict__["store"] = memory_store()
        self.role = SinksRole(self.installation)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.role.run, args=(self.stop,))
        now = time.time()
        with self.installation.store.transaction() as unit:
            queues = range(3_000)
            labels = [(("cluster", "shop"), ("queue_name", f"{number}-{'x' * 100}")) for number in queues]
            unit.series.append("watcher", now, [Sample("celery_queue_length", each, now, 1.0) for each in labels])

    def _loaded(self, text: str) -> Configuration:
        self._file.write_text(text)
        return load(self._file)

    def reload(self, text: str) -> None:
        self.installation._current = self._loaded(text)

    def figures(self, sink: str) -> dict[str, float]:
        found = {}
        for each in self.role.figures():
            labels = dict(each.labels)
            if labels["sink"] == sink:
                name = f"{each.metric.removeprefix('nightowl_sink_')} {labels.get('reason', '')}".strip()
                found[name] = each.value
        return found

    def stored(self) -> dict[str, float]:
        with self.installation.store.read() as unit:
            return {each.metric: each.value for each in unit.series.latest(0.0)}


@contextmanager
def running(folder: Path, text: str) -> Iterator[World]:
    world = World(folder, text)
    world.thread.start()
    try:
        yield world
    finally:
        world.stop.set()
        world.thread.join()


@pytest.fixture
def slow() -> Iterator[int]:
    """The port of somebody who accepts and never reads."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listening.bind(("127.0.0.1", 0))
        listening.listen(8)
        yield listening.getsockname()[1]


@pytest.fixture
def answering() -> Iterator[tuple[str, list[int], list[dict[str, str]]]]:
    """A URL that answers with the status that stands in the list, and the headers that it got."""
    statuses, got = [400], []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            got.append(dict(self.headers))
            self.send_response(statuses[0])
            said = f"no such tenant {self.headers.get('Authorization')}".encode()
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api/v1/write", statuses, got
        server.shutdown()
        thread.join()


def test_receivers_that_take_nothing_hold_up_nobody_and_their_loss_is_told(
    tmp_path, slow, answering, monkeypatch
) -> None:
    monkeypatch.setattr(sink_queue, "MOST", 2)
    monkeypatch.setattr(sockets, "TIMEOUT", 0.5)
    url, _, _ = answering
    text = f"""
    [sink.dead]
    kind = "graphite"
    address = "127.0.0.1:{free_ports(1)[0]}"
    every = "1s"
    [sink.slow]
    kind = "graphite"
    address = "127.0.0.1:{slow}"
    every = "1s"
    [sink.refusing]
    kind = "remote_write"
    url = "{url}"
    every = "1s"
    [sink.good]
    kind = "files"
    path = "good"
    every = "1s"
    """
    with running(tmp_path, text) as world:
        until(lambda: world.figures("dead").get("dropped_total full", 0) > 0)
        until(lambda: world.figures("slow").get("up") == 0.0)
        good = sorted(read_times(tmp_path / "good"))
        figures = {name: world.figures(name) for name in ("dead", "slow", "refusing", "good")}
    gaps = [after - before for before, after in pairwise(good)]
    assert len(good) >= 3
    assert max(gaps) < 2.5, "snapshots come each second, whatever the others do"
    assert figures["good"]["up"] == 1.0
    assert figures["good"]["lag_seconds"] < 2.5
    assert figures["good"]["dropped_total full"] == 0
    assert figures["dead"]["samples_total"] == figures["refusing"]["samples_total"] == 0
    assert figures["dead"]["up"] == figures["refusing"]["up"] == 0.0
    assert figures["refusing"]["dropped_total refused"] >= 3_000
    assert figures["dead"]["queue"] >= 1
    assert figures["dead"]["lag_seconds"] > figures["good"]["lag_seconds"]


def test_what_is_logged_of_a_receiver_names_its_host_and_port_and_no_credentials(tmp_path, caplog) -> None:
    port, path = free_ports(1)[0], "api/v1/write"
    text = f"""
    [sink.lines]
    kind = "graphite"
    address = "127.0.0.1:{port}"
    [sink.written]
    kind = "remote_write"
    url = "http://owl:hunter2@127.0.0.1:{port}/{path}"
    [sink.packets]
    kind = "statsd"
    address = "udp://127.0.0.1:{port}"
    """
    with running(tmp_path, text):
        names = ("lines", "written", "packets")
        until(lambda: all(f"sink {name} at 127.0.0.1:{port}: trying again: {REFUSED}" in caplog.text for name in names))
    assert "hunter2" not in caplog.text
    assert path not in caplog.text


def test_a_sink_that_chooses_nothing_says_so_once(tmp_path, caplog, monkeypatch) -> None:
    monkeypatch.setattr(sink_thread, "VAIN", 1.0)
    text = '[sink.vain]\nkind = "files"\npath = "vain"\nmetrics = ["celry_*"]\nevery = "1s"\n'
    with running(tmp_path, text):
        until(lambda: "sink vain: nothing to send: no metric is like celry_*" in caplog.text)
        time.sleep(1.5)
    assert caplog.text.count("nothing to send") == 1


def read_times(folder: Path) -> set[float]:
    rows = [line for file in folder.iterdir() for line in file.read_text().splitlines()[1:]]
    return {float(row.rsplit(",", 2)[1]) for row in rows}


def test_what_answers_badly_for_a_while_gets_what_has_waited_in_its_order(tmp_path, answering, monkeypatch) -> None:
    monkeypatch.setattr(sink_queue, "SHORTEST", 0.1)
    monkeypatch.setattr(sinks, "TELL", 0.5)
    url, statuses, got = answering
    statuses[0] = 503
    with running(tmp_path, f'[sink.vm]\nkind = "remote_write"\nurl = "{url}"\nevery = "1s"\n') as world:
        until(lambda: world.figures("vm").get("queue", 0) >= 2)
        assert world.figures("vm")["samples_total"] == 0
        statuses[0] = 200
        until(lambda: world.figures("vm")["queue"] == 0)
        assert world.figures("vm")["samples_total"] >= 6_000
        assert sum(count for name, count in world.figures("vm").items() if name.startswith("dropped")) == 0
        until(lambda: {"nightowl_sink_up", "nightowl_sink_lag_seconds"} <= world.stored().keys())
    assert got[-1]["X-Prometheus-Remote-Write-Version"] == "0.1.0"


def test_a_receiver_that_goes_and_comes_back_is_told_at_once(tmp_path, answering, monkeypatch) -> None:
    monkeypatch.setattr(sink_queue, "SHORTEST", 0.1)
    monkeypatch.setattr(sinks, "TELL", 3600.0)
    url, statuses, _ = answering
    with running(tmp_path, f'[sink.vm]\nkind = "remote_write"\nurl = "{url}"\nevery = "1s"\n') as world:
        for statuses[0], up in ((200, 1.0), (503, 0.0), (200, 1.0)):
            until(lambda up=up: world.stored().get("nightowl_sink_up") == up)


def test_secrets_of_a_sink_are_sent_and_never_told(tmp_path, answering, caplog, monkeypatch) -> None:
    url, _, got = answering
    monkeypatch.setenv("VM_TOKEN", "hush-hush-token")
    text = f"""
    [sink.vm]
    kind = "remote_write"
    url = "{url}?key=${{env:VM_TOKEN}}"
    auth = {{ bearer = "${{env:VM_TOKEN}}" }}
    headers = {{ X-Scope-OrgID = "shop" }}
    every = "1s"
    """
    with running(tmp_path, text) as world:
        until(lambda: world.figures("vm").get("dropped_total refused", 0) > 0)
        until(lambda: "no such tenant" in caplog.text)
    assert got[0]["Authorization"] == "Bearer hush-hush-token"
    assert got[0]["X-Scope-OrgID"] == "shop"
    assert "hush-hush" not in caplog.text


def test_a_changed_configuration_takes_effect_and_what_stays_goes_on(tmp_path) -> None:
    kept = '[sink.kept]\nkind = "files"\npath = "kept"\nevery = "1s"\n'
    other = '[sink.other]\nkind = "files"\npath = "{}"\nevery = "1s"\n'
    with running(tmp_path, kept + other.format("one")) as world:
        until(lambda: (tmp_path / "one").exists() and (tmp_path / "kept").exists())
        world.reload(kept + other.format("two"))
        until((tmp_path / "two").exists)
        world.reload(kept)
        until(lambda: not world.figures("other"))
        assert world.figures("kept")["samples_total"] > 0
        world.reload("")
        until(lambda: not world.role.figures())
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_one_of_two_processes_sends(tmp_path) -> None:
    text = f'[sink.page]\nkind = "prometheus"\naddress = "127.0.0.1:{free_ports(1)[0]}"\nevery = "1s"\n'
    with running(tmp_path, text) as first:
        until(lambda: first.figures("page").get("samples_total", 0) > 0)
        second = World(tmp_path, text)
        second.installation.__dict__["store"] = first.installation.store
        second.role = SinksRole(second.installation)
        thread = threading.Thread(target=second.role.run, args=(second.stop,))
        thread.start()
        try:
            time.sleep(0.5)
            assert second.role.figures() == []
            first.stop.set()
            until(lambda: second.figures("page").get("samples_total", 0) > 0)
        finally:
            second.stop.set()
            thread.join()
