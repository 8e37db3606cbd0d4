"""What a receiver of StatsD gets, by datagrams and by a socket file."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from nightowl.adapters.sinks.statsd import Statsd
from nightowl.core.errors import DeliveryFailed
from nightowl.core.sinks.settings import SinkSettings
from nightowl.core.values import Sample
from tests.servers.server import free_ports

AT = 1_700_000_000.0


def sink(address: str, **options: object) -> Statsd:
    return Statsd(SinkSettings(name="s", kind="statsd", address=address, prefix="nightowl", options=options))


def snapshot(count: float) -> list[Sample]:
    shop = ("cluster", "shop")
    return [
        Sample("jobs_total", (shop,), AT, count),
        Sample("celery_queue_length", (shop, ("queue_name", "q")), AT, 4.0),
    ]


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(5.0)
        yield listening


def test_gauges_come_as_they_are_and_counters_by_how_much_they_rose(receiver) -> None:
    written = sink(f"udp://127.0.0.1:{receiver.getsockname()[1]}")
    for count in (5.0, 8.0):
        written.emit(snapshot(count), AT)
    assert receiver.recv(65536) == b"nightowl.shop.celery_queue_length.q:4|g"
    assert receiver.recv(65536).split(b"\n") == [
        b"nightowl.shop.celery_queue_length.q:4|g",
        b"nightowl.shop.jobs_total:3|c",
    ]
    written.close()


def test_no_datagram_is_larger_than_it_may_be(receiver) -> None:
    written = sink(f"udp://127.0.0.1:{receiver.getsockname()[1]}", packet_size=200)
    samples = [Sample("check_up", (("check", f"check-{number}"),), AT, 1.0) for number in range(50)]
    written.emit(samples, AT)
    lines: list[bytes] = []
    while len(lines) < 50:
        data = receiver.recv(65536)
        assert len(data) <= 200
        lines += data.split(b"\n")
    assert lines[49] == b"nightowl.check_up.check-49:1|g"
    written.close()


def test_a_socket_file_takes_datagrams_too(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "s"))
        written = sink(f"unix://{tmp_path}/s", dialect="dogstatsd")
        written.emit(snapshot(5.0), AT)
        assert listening.recv(65536) == b"nightowl.celery_queue_length:4|g|#cluster:shop,queue_name:q"
        written.close()


def test_what_nobody_received_is_told_to_who_comes_back(receiver) -> None:
    port = receiver.getsockname()[1]
    written = sink(f"udp://127.0.0.1:{port}")
    written.emit(snapshot(5.0), AT)
    receiver.recv(65536)
    receiver.close()
    for count in (6.0, 7.0):
        with pytest.raises(DeliveryFailed, match="does not accept"):
            written.emit(snapshot(count), AT)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(("127.0.0.1", port))
        written.emit(snapshot(9.0), AT)
        assert b"nightowl.shop.jobs_total:4|c" in again.recv(65536)
    written.close()


def test_a_stream_that_was_ended_is_opened_anew() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        written = sink(f"tcp://127.0.0.1:{listening.getsockname()[1]}")
        for count in (5.0, 8.0):
            written.emit(snapshot(count), AT)
            connection, _ = listening.accept()
            assert connection.recv(65536).endswith(b"\n")
            connection.close()
        written.close()


def test_a_receiver_that_is_not_there_is_told_without_its_address() -> None:
    with pytest.raises(DeliveryFailed) as told:
        sink(f"tcp://127.0.0.1:{free_ports(1)[0]}").emit(snapshot(5.0), AT)
    assert str(told.value) == "the host does not accept the connection"


def test_a_port_that_refused_is_not_said_to_listen_before_it_took_a_datagram(receiver) -> None:
    port = receiver.getsockname()[1]
    receiver.close()
    written = sink(f"udp://127.0.0.1:{port}")
    with pytest.raises(DeliveryFailed):
        written.emit(snapshot(5.0), AT)
    for samples in ([], snapshot(5.0), []):
        with pytest.raises(DeliveryFailed, match="does not accept"):
            written.emit(samples, AT)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", port))
        written.emit(snapshot(5.0), AT)
        written.emit([], AT)
    written.close()
