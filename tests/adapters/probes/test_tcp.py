"""The tcp probe: connects, says and hears what it is told to, under the same guard."""

import socket

import pytest

from nightowl.core.values import Expect, Network, Policy, State, Warn


def test_an_open_port_is_up(faults, attempt):
    result = attempt(f"tcp://127.0.0.1:{faults.serve('silent')}")

    assert (result.state, result.address) == (State.UP, "127.0.0.1")
    assert result.phases.connect > 0


def test_a_banner_is_waited_for(faults, attempt):
    port = faults.serve("banner", speaks_first=True)

    assert attempt(f"tcp://127.0.0.1:{port}", expect=Expect(banner="ESMTP")).state is State.UP


def test_what_is_sent_brings_the_answer(faults, attempt):
    port = faults.serve("fine")

    result = attempt(f"tcp://127.0.0.1:{port}", send="HEAD / HTTP/1.0\r\n\r\n", expect=Expect(banner="200 OK"))

    assert result.state is State.UP


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("banner", "assert.body"),
        ("empty", "assert.body"),
        ("silent", "http.timeout_headers"),
        ("reset", "connect.reset"),
        ("endless", "limit.body"),
    ],
)
def test_a_banner_that_does_not_come_gives_its_reason(behaviour, reason, faults, attempt):
    port = faults.serve(behaviour, speaks_first=True)

    result = attempt(
        f"tcp://127.0.0.1:{port}", expect=Expect(banner="IMAP"), timeout=0.5 if behaviour == "silent" else 5
    )

    assert (result.reason, result.state) == (reason, State.DOWN)


def test_what_was_heard_instead_is_shown(faults, attempt):
    port = faults.serve("banner", speaks_first=True)

    assert "220 mail.example" in attempt(f"tcp://127.0.0.1:{port}", expect=Expect(banner="IMAP")).excerpt


def test_a_secret_banner_is_not_said_again(faults, attempt):
    port = faults.serve("banner", speaks_first=True)

    result = attempt(f"tcp://127.0.0.1:{port}", expect=Expect(banner="hunter2"), secrets=("hunter2", "mail.example"))

    assert result.detail == "the peer closed without saying '***'"
    assert "220 *** ESMTP ready" in result.excerpt


def test_a_closed_port_refuses(attempt):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert attempt(f"tcp://127.0.0.1:{port}").reason == "connect.refused"


def test_the_guard_stands_before_the_connection(faults, attempt):
    port = faults.serve("banner", speaks_first=True)

    assert attempt(f"tcp://127.0.0.1:{port}", Policy()).reason == "policy.address"
    assert attempt(f"tcp://localhost:{port}", Policy()).reason == "policy.address"
    assert attempt(f"tcp://127.0.0.1:{port}", Policy(allow=(Network("127.0.0.1", (1,)),))).reason == "policy.port"
    assert not faults.requests


def test_a_name_is_resolved(faults, attempt):
    assert attempt(f"tcp://localhost:{faults.serve('silent')}", family="4").state is State.UP


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("tcp://127.0.0.1", "own.target"),
        ("tcp://a..b:80", "dns.malformed"),
        ("tcp://no-such-name.invalid:80", "dns."),
    ],
)
def test_a_target_that_cannot_be_reached_by_name(url, reason, attempt):
    assert attempt(url, timeout=3.0).reason.startswith(reason)


def test_a_slow_connection_is_degraded(faults, attempt):
    assert attempt(f"tcp://127.0.0.1:{faults.serve('silent')}", warn=Warn(duration=0.0)).reason == "assert.latency"
