"""The smtp probe against a real mail server, and against scripts of what a server might say instead."""

import socket
import ssl
import threading
from contextlib import suppress

import pytest
from aiosmtpd.controller import Controller

from nightowl.core.values import Expect, Policy, State, Warn

EHLO = b"250-mail.example\r\n250-PIPELINING\r\n250 STARTTLS\r\n"


class Mailbox:
    """A handler that would notice a mail."""

    def __init__(self):
        self.mails = []
        self.names = []

    async def handle_EHLO(self, _server, session, _envelope, hostname, responses):  # noqa: N802  aiosmtpd's name
        session.host_name = hostname
        self.names.append(hostname)
        return responses

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802  aiosmtpd's name
        self.mails.append(envelope)
        return "250 OK"


@pytest.fixture
def mail():
    """Start mail servers with options of aiosmtpd's; the port and the handler."""
    controllers = []

    def start(**options):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        controller = Controller(Mailbox(), hostname="127.0.0.1", port=port, ident="mail.example ESMTP", **options)
        controller.start()
        controllers.append(controller)
        return port, controller.handler

    yield start
    for controller in controllers:
        controller.stop()


@pytest.fixture
def script():
    """Serve what is said, one piece for each line that is heard; ``None``: hang, then close."""
    listeners = []
    stopped = threading.Event()

    def serve(*said):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def talk():
            with suppress(OSError):
                peer, _ = listener.accept()
                with peer, peer.makefile("rb") as heard:
                    for number, piece in enumerate(said):
                        if number and not heard.readline():
                            return
                        if piece is None:
                            stopped.wait()
                            return
                        peer.sendall(piece)

        threading.Thread(target=talk, daemon=True).start()
        return listener.getsockname()[1]

    yield serve
    stopped.set()
    for listener in listeners:
        listener.close()


def test_a_mail_server_is_up_and_gets_no_mail(mail, attempt):
    port, mailbox = mail()

    result = attempt(f"smtp://127.0.0.1:{port}", expect=Expect(banner="ESMTP"))

    assert (result.state, result.reason, result.status, result.address) == (State.UP, "", 250, "127.0.0.1")
    assert (mailbox.mails, mailbox.names) == ([], ["[127.0.0.1]"])
    assert result.phases.first_byte > 0
    assert "mail.example ESMTP\n250-" in result.excerpt


@pytest.mark.parametrize("starttls", ["offered", "required"])
def test_it_goes_over_to_tls_where_that_is_offered(starttls, mail, certificates, attempt):
    port, _ = mail(tls_context=certificates.expiring())

    result = attempt(
        f"smtp://localhost:{port}",
        ca=certificates.authority,
        starttls=starttls,
        family="4",
        verify=False,
        warn=Warn(certificate=14 * 86400.0),
    )

    assert (result.state, result.reason) == (State.DEGRADED, "assert.tls_expiry")
    assert result.certificate.protocol == "TLSv1.3"
    assert result.phases.tls > 0


def test_an_invalid_certificate_is_a_failure_and_reported(mail, certificates, attempt):
    port, _ = mail(tls_context=certificates.expired())

    result = attempt(f"smtp://127.0.0.1:{port}", ca=certificates.authority)

    assert (result.state, result.reason, result.certificate.problem) == (State.DOWN, "tls.expired", "tls.expired")


def test_tls_can_be_left_alone_or_insisted_on(mail, certificates, attempt):
    bare, _ = mail()
    able, _ = mail(tls_context=certificates.expired())

    assert attempt(f"smtp://127.0.0.1:{bare}", starttls="required").reason == "assert.starttls"
    assert attempt(f"smtp://127.0.0.1:{bare}", expect=Expect(tls="1.2")).reason == "assert.starttls"
    assert attempt(f"smtp://127.0.0.1:{able}", starttls="never").state is State.UP


def test_smtps_is_tls_from_the_start(mail, certificates, attempt):
    context = certificates.good()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    port, _ = mail(ssl_context=context)

    result = attempt(f"smtps://127.0.0.1:{port}", ca=certificates.authority)

    assert (result.state, result.certificate.protocol) == (State.UP, "TLSv1.2")


def test_a_greeting_without_the_expected_text_is_down(mail, attempt):
    port, _ = mail()

    result = attempt(f"smtp://127.0.0.1:{port}", expect=Expect(banner="Exim"))

    assert (result.reason, result.detail) == ("assert.body", "the greeting does not contain 'Exim'")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ((), "http.empty"),
        ((b"220 mail",), "http.truncated"),
        ((b"SSH-2.0-OpenSSH_9.6\r\n",), "http.malformed"),
        ((b"554 go away\r\n",), "http.status"),
        ((b"220 hi\r\n", b"502 what?\r\n"), "http.status"),
        ((b"220 hi\r\n", EHLO, b"454 not now\r\n"), "http.status"),
        ((b"220 hi\r\n", EHLO, b"220 go\r\n250 injected\r\n"), "http.malformed"),
        ((b"220 hi\r\n", EHLO, b"220 go\r\n", b"no tls\r\n"), "tls.handshake"),
        ((b"220 hi\r\n", EHLO, b"220 go\r\n"), "tls.reset"),
        ((b"220-" + b"x" * 70_000,), "limit.headers"),
        ((b"220-more\r\n" * 10_000,), "limit.headers"),
        ((b"\xff\xfe\r\n",), "http.malformed"),
    ],
)
def test_what_a_server_says_instead_gives_its_reason(said, reason, script, attempt):
    result = attempt(f"smtp://127.0.0.1:{script(*said)}")

    assert (result.state, result.reason) == (State.DOWN, reason)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ((None,), "http.timeout_headers"),
        ((b"220 hi\r\n", None), "http.timeout_body"),
        ((b"220 hi\r\n", EHLO, b"220 go\r\n", None), "tls.timeout"),
    ],
)
def test_a_server_that_falls_silent_ends_with_the_attempt(said, reason, script, attempt):
    result = attempt(f"smtp://127.0.0.1:{script(*said)}", timeout=0.5)

    assert (result.reason, result.duration < 3.0) == (reason, True)


def test_a_server_that_does_not_say_goodbye_is_up(script, attempt):
    port = script(b"220 hi\r\n", b"250 hi\r\n")

    assert attempt(f"smtp://127.0.0.1:{port}").state is State.UP


def test_the_guard_stands_before_the_connection(mail, attempt):
    assert attempt(f"smtp://127.0.0.1:{mail()[0]}", Policy()).reason == "policy.address"
