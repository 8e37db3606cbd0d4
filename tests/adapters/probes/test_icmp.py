"""The icmp probe: echo requests to this machine, with the kernel's consent and without."""

import os
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.adapters.probes import echo
from nightowl.core.values import Attempt, Network, Policy, State, Warn

ROOT = os.geteuid() == 0
AS_NOBODY = """
import encodings.idna, os, sys, msgspec
from time import monotonic
from nightowl.adapters.probes.connect import connector
from nightowl.adapters.probes.icmp import probe
from nightowl.core.values import Target
import socket
if {allowed}:
    with open("/proc/sys/net/ipv4/ping_group_range", "w") as file:
        file.write("0 65534")
os.setgroups([]), os.setgid(65534), os.setuid(65534)
connect = connector("any", lambda host, port: "", lambda host, family, seconds: socket.getaddrinfo(host, 0))
for url in ("icmp://127.0.0.1", "icmp://[::1]"):
    attempt = probe(Target(kind="icmp", url=url), monotonic() + 5, connect)
    sys.stdout.buffer.write(msgspec.json.encode(attempt) + b"\\n")
"""


def may_ping():
    try:
        echo.echo_socket(2).close()
    except Exception:  # noqa: BLE001  whatever keeps us from it
        return False
    return True


needs_ping = pytest.mark.skipif(not may_ping(), reason="icmp: this process may not send echo requests")


def as_nobody(allowed):
    """Ping as an unprivileged user, in a network of its own where the kernel lets every group or none."""
    code = AS_NOBODY.format(allowed=allowed)
    up = "ip link set lo up 2>/dev/null || ifconfig lo up; exec"
    ran = subprocess.run(
        ["unshare", "-n", "sh", "-c", f'{up} "$0" -c "$1"', sys.executable, code], capture_output=True, check=False
    )
    if b"unshare" in ran.stderr:
        pytest.skip("icmp: this process may not make a network of its own")
    assert ran.returncode == 0, ran.stderr.decode()
    return [msgspec.json.decode(line, type=Attempt) for line in ran.stdout.splitlines()]


@needs_ping
@pytest.mark.parametrize(
    ("host", "address"), [("127.0.0.1", "127.0.0.1"), ("[::1]", "::1"), ("localhost", "127.0.0.1")]
)
def test_a_reply_is_up_and_timed(host, address, attempt):
    result = attempt(f"icmp://{host}", family="4" if host == "localhost" else "any")

    assert (result.state, result.reason, result.address) == (State.UP, "", address)
    assert 0 < result.phases.first_byte <= result.duration


@needs_ping
def test_a_slow_reply_is_degraded(attempt):
    assert attempt("icmp://127.0.0.1", warn=Warn(duration=0.0)).reason == "assert.latency"


@needs_ping
def test_a_reply_that_does_not_come_ends_with_the_attempt(attempt, monkeypatch):
    monkeypatch.setattr(echo, "answers", lambda *_: False)

    result = attempt("icmp://127.0.0.1", timeout=0.3)

    assert (result.state, result.reason) == (State.DOWN, "connect.timeout")


def test_the_guard_stands_before_the_request(attempt):
    assert attempt("icmp://127.0.0.1", Policy()).reason == "policy.address"
    assert attempt("icmp://127.0.0.1", Policy(allow=(Network("127.0.0.1", (80,)),))).reason == "policy.port"


@pytest.mark.skipif(not ROOT, reason="icmp: only root can become nobody")
def test_it_needs_no_privilege_where_the_kernel_lets_the_group():
    assert [attempt.state for attempt in as_nobody(allowed=True)] == [State.UP, State.UP]


@pytest.mark.skipif(not ROOT, reason="icmp: only root can become nobody")
def test_without_permission_it_says_what_to_set_and_nothing_of_the_target():
    for attempt in as_nobody(allowed=False):
        assert (attempt.state, attempt.reason) == (State.UNKNOWN, "own.permission")
        assert "net.ipv4.ping_group_range" in attempt.detail


@given(st.binary(max_size=80), st.binary(min_size=1, max_size=32))
def test_noise_is_no_reply(noise, token):
    assert echo.answers(2, True, noise, token) is (
        noise != b"" and echo.answers(2, False, noise[(noise[0] & 15) * 4 :], token)
    )
    assert not echo.answers(2, False, echo.request(2, token), token)


@given(st.binary(max_size=64))
def test_a_request_has_the_checksum_of_rfc_1071(token):
    packet = echo.request(2, token)
    padded = packet + b"\0" * (len(packet) % 2)
    total = sum(int.from_bytes(padded[at : at + 2]) for at in range(0, len(padded), 2))

    assert total % 0xFFFF == 0
