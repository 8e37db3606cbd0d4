"""Each fault of a target gives its reason class: alone, and all of them at once."""

import socket
import threading

import pytest

from nightowl.core.values import Expect, Network, Policy, State, Target

BRIEF = 0.6
FAULTS = {
    "silent": "http.timeout_headers",
    "slow_headers": "http.timeout_headers",
    "slow_body": "http.timeout_body",
    "reset": "http.reset",
    "reset_in_body": "http.reset",
    "empty": "http.empty",
    "truncated": "http.truncated",
    "chunks_truncated": "http.truncated",
    "chunks_garbled": "http.malformed",
    "two_lengths": "http.malformed",
    "garbage": "http.malformed",
    "status_000": "http.malformed",
    "huge_length": "http.malformed",
    "huge": "limit.body",
    "endless": "limit.body",
    "huge_headers": "limit.headers",
    "endless_header": "limit.headers",
    "bomb": "limit.decompressed",
    "gzip_truncated": "decode.gzip",
    "gzip_garbled": "decode.gzip",
    "unavailable": "http.status",
    "missing": "http.status",
    "redirect_loop": "redirect.loop",
    "redirect_far": "redirect.limit",
    "redirect_nowhere": "redirect.no_location",
    "redirect_to_bytes": "redirect.loop",
    "redirect_to_noise": "redirect.no_location",
    "redirect_to_file": "redirect.scheme",
}
TLS_FAULTS = {
    "expired": "tls.expired",
    "early": "tls.not_yet_valid",
    "stranger": "tls.untrusted",
    "misnamed": "tls.hostname",
    "demanding": "tls.client_cert",
}
TIMED = {"silent", "slow_headers", "slow_body"}


@pytest.mark.parametrize(("fault", "reason"), FAULTS.items())
def test_a_fault_of_an_http_server_gives_its_reason(fault, reason, faults, attempt):
    result = attempt(f"http://127.0.0.1:{faults.serve(fault)}/", timeout=BRIEF if fault in TIMED else 5.0)

    assert (result.reason, result.state) == (reason, State.DOWN)
    assert result.detail
    assert result.address == "127.0.0.1"


@pytest.mark.parametrize(("fault", "reason"), TLS_FAULTS.items())
def test_a_fault_of_a_tls_server_gives_its_reason(fault, reason, faults, certificates, attempt):
    port = faults.serve("fine", getattr(certificates, fault)())

    result = attempt(f"https://127.0.0.1:{port}/", ca=certificates.authority)

    assert (result.reason, result.state) == (reason, State.DOWN)


def test_an_expired_certificate_is_still_reported(faults, certificates, attempt):
    port = faults.serve("fine", certificates.expired())

    result = attempt(f"https://127.0.0.1:{port}/", ca=certificates.authority)

    assert result.certificate is not None
    assert result.certificate.problem == "tls.expired"
    assert result.certificate.not_after < result.started


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("garbage", "tls.handshake"), ("empty", "tls.reset"), ("silent", "tls.timeout")],
)
def test_a_server_that_speaks_no_tls_fails_the_handshake(fault, reason, faults, attempt):
    port = faults.serve(fault, speaks_first=True)

    result = attempt(f"https://127.0.0.1:{port}/", timeout=BRIEF if fault == "silent" else 5.0)

    assert result.reason == reason


def test_a_port_where_nothing_listens_refuses(attempt):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    result = attempt(f"http://127.0.0.1:{port}/")

    assert result.reason == "connect.refused"
    assert result.phases.first_byte is None


def test_a_listener_with_a_full_backlog_times_the_connection_out(attempt):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(8)]
        for peer in waiting:
            peer.setblocking(False)
            peer.connect_ex(address)

        result = attempt(f"http://127.0.0.1:{address[1]}/", timeout=BRIEF)

        for peer in waiting:
            peer.close()
    assert result.reason == "connect.timeout"


def test_a_name_that_is_no_name_is_malformed(attempt):
    assert attempt(f"http://{'a' * 64}.example/").reason == "dns.malformed"


def test_a_name_that_does_not_exist_is_a_dns_failure(attempt):
    assert attempt("http://no-such-name.invalid/", timeout=3.0).reason.startswith("dns.")


def test_a_redirect_to_cloud_metadata_is_refused_and_nothing_of_it_is_kept(faults, attempt):
    port = faults.serve("redirect_to_metadata")
    policy = Policy(reach="internet", allow=(_loopback(),))

    result = attempt(f"http://127.0.0.1:{port}/", policy)

    assert (result.reason, result.excerpt) == ("policy.address", "")


def test_a_refused_port_is_told_from_a_refused_address(faults, attempt):
    port = faults.serve("fine")
    policy = Policy(reach="private", allow=(_loopback(port + 1),))

    assert attempt(f"http://127.0.0.1:{port}/", policy).reason == "policy.port"
    assert attempt(f"http://127.0.0.2:{port}/", Policy(reach="private")).reason == "policy.address"
    assert not faults.requests


def test_all_faults_at_once_give_their_reasons_and_spare_the_healthy(faults, engine):
    ports = {fault: faults.serve(fault) for fault in [*FAULTS, "fine"]}
    jobs = [(fault, number) for fault in ports for number in range(8)]
    found: dict[tuple[str, int], str] = {}
    done = threading.Event()

    def keep(job):
        def ended(attempt):
            found[job] = attempt.reason
            if len(found) == len(jobs):
                done.set()

        return ended

    for job in jobs:
        target = Target(kind="http", url=f"http://127.0.0.1:{ports[job[0]]}/", timeout=3.0)
        engine.submit(target, Policy(reach="any"), target.timeout, keep(job))

    assert done.wait(30)
    assert found == {(fault, number): FAULTS.get(fault, "") for fault, number in jobs}


def test_an_expected_status_that_is_not_an_error_but_wrong_breaks_the_expectation(faults, attempt):
    port = faults.serve("accepted")

    assert attempt(f"http://127.0.0.1:{port}/", expect=Expect(status=((200, 200),))).reason == "assert.status"


def _loopback(*ports):
    return Network("127.0.0.0/8", ports)
