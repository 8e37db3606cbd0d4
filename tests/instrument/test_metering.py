"""What is measured arrives over every kind of socket, and what does not is counted."""

from __future__ import annotations

import importlib.metadata
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from nightowl_instrument.address import address
from nightowl_instrument.metering import Metering
from nightowl_instrument.statsd import Series

RECEIVED = Series("task_received", (("name", "add"),))


def test_lines_arrive_over_a_unix_socket(tmp_path: Path) -> None:
    path = f"{tmp_path}/dsd.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(path)
        metering = Metering(address(f"unix://{path}?tags=dogstatsd"))
        assert metering.carry([RECEIVED, RECEIVED], 0) == 0.0
        assert ear.recv(9000) == b"celery.task_received:2|c|#name:add"
        metering.reset()


def test_lines_arrive_over_a_connection_each_with_its_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        metering = Metering(address(f"tcp://127.0.0.1:{server.getsockname()[1]}"))
        metering.carry([RECEIVED], 0)
        ear, _ = server.accept()
        with ear:
            metering.carry([RECEIVED], 0)
            metering.reset()
            found = b""
            while more := ear.recv(9000):
                found += more
    assert found == b"celery.task_received.add:1|c\n" * 2


def test_what_goes_nowhere_is_counted_and_told_when_somebody_listens_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = f"{tmp_path}/dsd.sock"
    metering = Metering(address(f"unix://{path}"))
    metering.carry([RECEIVED], 0)
    metering.carry([RECEIVED], 5)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(path)
        metering.carry([], 0)
        (dropped,) = ear.recv(9000).split(b"\n")
        metering.reset()
    assert dropped == b"celery.instrument_dropped:7|c"
    assert caplog.text.count("StatsD does not take") == 1


def test_the_command_line_of_celery_is_instrumented_by_the_environment_alone() -> None:
    try:
        importlib.metadata.distribution("nightowl-instrument")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("nightowl-instrument is not installed")
    said = subprocess.run(
        [sys.executable, "-m", "celery", "instrument"],
        env=os.environ | {"NIGHTOWL_STATSD": "udp://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert said.stdout == "StatsD is told at udp://127.0.0.1:9.\n"
