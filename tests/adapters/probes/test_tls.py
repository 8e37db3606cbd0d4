"""The tls probe: a handshake, judged as https judges it, and the certificate reported whatever comes of it."""

import socket
import ssl
import threading
import time
from contextlib import suppress

import pytest

from nightowl.core.values import Expect, Policy, State, Warn


def secured(faults, context):
    return f"tls://127.0.0.1:{faults.serve('silent', context)}"


def test_a_good_handshake_is_up_and_reports_the_certificate(faults, certificates, attempt):
    result = attempt(secured(faults, certificates.good()), ca=certificates.authority)

    assert (result.state, result.reason, result.address) == (State.UP, "", "127.0.0.1")
    assert result.phases.tls > 0
    assert result.phases.first_byte is None
    assert (result.certificate.protocol, result.certificate.names) == ("TLSv1.3", ("localhost", "127.0.0.1"))


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        ("expired", "tls.expired"),
        ("early", "tls.not_yet_valid"),
        ("stranger", "tls.untrusted"),
        ("misnamed", "tls.hostname"),
    ],
)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_flawed_certificate_gives_its_reason_and_is_reported(flaw, reason, version, faults, certificates, attempt):
    context = getattr(certificates, flaw)()
    context.maximum_version = version

    result = attempt(secured(faults, context), ca=certificates.authority)

    assert (result.state, result.reason) == (State.DOWN, reason)
    assert (result.certificate.problem, bool(result.certificate.subject)) == (reason, True)
    assert result.certificate.protocol == version.name.replace("_", ".")


def test_it_reports_the_certificate_as_https_does(faults, certificates, attempt):
    port = faults.serve("fine", certificates.misnamed())

    handshake, request = (attempt(f"{kind}://127.0.0.1:{port}", ca=certificates.authority) for kind in ("tls", "https"))

    assert handshake.certificate == request.certificate


def test_without_verification_any_certificate_will_do(faults, certificates, attempt):
    result = attempt(secured(faults, certificates.expired()), verify=False)

    assert (result.state, result.certificate.problem) == (State.UP, "")


def test_a_certificate_that_expires_soon_is_degraded(faults, certificates, attempt):
    url = secured(faults, certificates.expiring())

    result = attempt(url, ca=certificates.authority, warn=Warn(certificate=14 * 86400.0))

    assert (result.state, result.reason) == (State.DEGRADED, "assert.tls_expiry")


def test_a_version_older_than_expected_is_down(faults, certificates, attempt):
    context = certificates.good()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    url = secured(faults, context)

    old = attempt(url, ca=certificates.authority, expect=Expect(tls="1.3"))

    assert (old.reason, old.detail) == ("tls.version", "TLSv1.2 was agreed on, expected TLSv1.3 or newer")
    assert old.certificate.protocol == "TLSv1.2"
    assert attempt(url, ca=certificates.authority, expect=Expect(tls="1.2")).state is State.UP


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_peer_that_wants_a_certificate_gets_it_or_refuses(version, faults, certificates, attempt):
    context = certificates.demanding()
    context.maximum_version = version
    url = secured(faults, context)
    certificate, key = certificates.client()

    shown = attempt(url, ca=certificates.authority, client_certificate=certificate, client_key=key)
    refused = attempt(url, ca=certificates.authority)

    assert (shown.state, shown.reason) == (State.UP, "")
    assert refused.reason in ("tls.client_cert", "tls.handshake")  # 1.2 has no alert of its own for it
    assert version is ssl.TLSVersion.TLSv1_2 or refused.reason == "tls.client_cert"


def test_the_name_goes_ahead_so_that_the_peer_can_choose_its_certificate(faults, certificates, attempt):
    names = []
    context = certificates.good()
    context.sni_callback = lambda _socket, name, _context: names.append(name)

    attempt(f"tls://localhost:{faults.serve('silent', context)}", ca=certificates.authority, family="4")

    assert names == ["localhost"]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [("empty", "tls.reset"), ("reset", ".reset"), ("banner", "tls.handshake"), ("silent", "tls.timeout")],
)
def test_a_peer_that_does_not_speak_tls(behaviour, reason, faults, attempt):
    port = faults.serve(behaviour, speaks_first=True)

    result = attempt(f"tls://127.0.0.1:{port}", timeout=0.5 if behaviour == "silent" else 5)

    assert (result.state, result.certificate) == (State.DOWN, None)
    assert result.reason.endswith(reason)  # a reset may come before the handshake has begun


def test_a_handshake_that_drips_ends_with_the_attempt(attempt):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip():
            peer, _ = listener.accept()
            with peer, suppress(OSError):  # the probe hangs up
                peer.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KiB is to follow
                while True:
                    time.sleep(0.02)
                    peer.sendall(b"\x00")

        dripping = threading.Thread(target=drip)
        dripping.start()
        result = attempt(f"tls://127.0.0.1:{listener.getsockname()[1]}", timeout=0.5)
        dripping.join()

    assert result.reason in ("tls.timeout", "tls.handshake")
    assert result.duration < 3.0


@pytest.mark.parametrize("key", ["ca", "client_certificate"])
def test_a_certificate_that_is_none_says_nothing_of_the_target(key, faults, certificates, attempt):
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

    result = attempt(secured(faults, certificates.good()), **{key: broken})

    assert (result.state, result.reason) == (State.UNKNOWN, "own.target")


def test_the_guard_stands_before_the_handshake(faults, certificates, attempt):
    assert attempt(secured(faults, certificates.good()), Policy()).reason == "policy.address"
