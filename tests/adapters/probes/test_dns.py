"""The dns probe against a name server on loopback: what it asks, what it takes for an answer, and what it does not."""

import socket
from types import SimpleNamespace

import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.adapters.probes import dns as dns_probe
from nightowl.adapters.probes.dns import _read
from nightowl.core.values import Expect, Network, Policy, State, Warn


@pytest.fixture
def ask(name_server, attempt):
    def run(name, policy=Policy(reach="any"), **target):  # noqa: B008  a frozen value
        return attempt(f"dns://{name}", policy, **{"resolver": name_server.address, **target})

    return run


@pytest.mark.parametrize(
    ("name", "record", "answers"),
    [
        ("shop.example", "A", ["192.0.2.2"]),
        ("shop.example", "AAAA", ["2001:DB8:0::1"]),
        ("shop.example", "MX", ["10 Mail.Shop.example"]),
        ("shop.example", "TXT", ["v=spf1 -all"]),
        ("shop.example", "CAA", ['0 issue "letsencrypt.org"']),
        ("_sip._tcp.shop.example", "SRV", ["0 5 5060 sip.shop.example."]),
        ("www.shop.example", "CNAME", ["shop.example"]),
        ("www.shop.example", "A", ["192.0.2.1", "192.0.2.2"]),
        ("1.2.0.192.in-addr.arpa", "PTR", ["shop.example"]),
        ("192.0.2.1", "PTR", ["shop.example"]),
    ],
)
def test_expected_answers_are_found_however_they_are_written(name, record, answers, ask):
    result = ask(name, record=record, expect=Expect(answers=tuple(answers)))

    assert (result.state, result.reason, result.address) == (State.UP, "", "127.0.0.1")
    assert result.phases.first_byte > 0


def test_the_answers_are_shown(ask):
    assert ask("shop.example").excerpt == "192.0.2.1\n192.0.2.2"


def test_an_expected_answer_that_is_missing_is_down(ask):
    result = ask("shop.example", expect=Expect(answers=("192.0.2.1", "192.0.2.9")))

    assert (result.state, result.reason) == (State.DOWN, "assert.answers")
    assert result.detail == "'192.0.2.9' is not among the answers"


@pytest.mark.parametrize(
    ("name", "record", "reason"),
    [
        ("absent.example", "A", "dns.nxdomain"),
        ("shop.example", "PTR", "dns.nodata"),
        ("www.shop.example", "SRV", "dns.nodata"),
        ("broken.example", "A", "dns.servfail"),
        ("refused.example", "A", "dns.servfail"),
        ("cut.example", "TXT", "dns.malformed"),
        ("mixed.example", "TXT", "dns.malformed"),
        ("a..b", "A", "dns.malformed"),
    ],
)
def test_no_answer_gives_its_reason(name, record, reason, ask):
    result = ask(name, record=record)

    assert (result.state, result.reason) == (State.DOWN, reason)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("silent.example", "dns.timeout"),
        ("stalled.example", "dns.timeout"),
        ("garbage.example", "dns.malformed"),
        ("stranger.example", "dns.malformed"),
    ],
)
def test_what_answers_nothing_ends_with_the_attempt(name, reason, ask):
    result = ask(name, timeout=1.0)

    assert (result.reason, result.duration < 3.0) == (reason, True)


def test_noise_before_the_answer_does_no_harm(ask):
    assert ask("doubled.example").reason == "dns.nxdomain"


def test_a_flood_of_strange_answers_is_read_with_pauses_in_which_others_run(ask, monkeypatch):
    read = []
    monkeypatch.setattr(dns_probe, "_read", lambda *given: read.append(_read(*given)))

    assert ask("flood.example", timeout=0.4).reason == "dns.malformed"
    assert 0 < len(read) < 500


def test_an_answer_that_is_too_large_for_udp_comes_by_tcp(name_server, ask):
    name_server.asked.clear()

    result = ask("large.example", record="TXT", expect=Expect(answers=("x" * 200 + " 29",)))

    assert (result.state, name_server.asked) == (State.UP, ["udp", "tcp"])
    assert result.phases.transfer > 0


def test_a_slow_answer_is_degraded(ask):
    assert ask("shop.example", warn=Warn(duration=0.0)).reason == "assert.latency"


def test_a_resolver_that_is_not_there_refuses(ask):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    assert ask("shop.example", resolver=f"127.0.0.1:{port}").reason == "connect.refused"


def test_a_chosen_resolver_is_under_the_guard(name_server, ask):
    name_server.asked.clear()
    only = Policy(reach="private", allow=(Network("127.0.0.1", (1,)),))

    assert ask("shop.example", Policy()).reason == "policy.address"
    assert ask("shop.example", only).reason == "policy.port"
    assert not name_server.asked


def test_without_one_the_resolvers_of_the_machine_are_asked(attempt, name_server, monkeypatch):
    known = SimpleNamespace(nameservers=["127.0.0.1"], port=name_server.port)
    monkeypatch.setattr("dns.resolver.Resolver", lambda: known)

    assert attempt("dns://shop.example", Policy()).state is State.UP


def test_a_machine_without_resolvers_says_nothing_of_the_name(attempt, monkeypatch):
    monkeypatch.setattr("dns.resolver.Resolver", lambda: SimpleNamespace(nameservers=[], port=53))

    result = attempt("dns://shop.example")

    assert (result.state, result.reason) == (State.UNKNOWN, "own.resolver")


QUERY = dns.message.make_query("shop.example", "A")


@given(st.binary(max_size=200), st.integers(0, 40))
def test_any_bytes_are_an_answer_or_none(noise, kept):
    assert _read(QUERY, noise) is None
    _read(QUERY, dns.message.make_response(QUERY).to_wire()[:kept] + noise)
