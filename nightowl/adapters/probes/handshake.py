"""The TLS handshake of a blocking probe: who is trusted, what is shown to the peer, and what the peer showed."""

from __future__ import annotations

import _ssl
import os
import ssl
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any

from nightowl.adapters.probes.certificate import report_on
from nightowl.adapters.probes.failure import FAULT, TARGET, Failure
from nightowl.adapters.probes.plan import trust_file
from nightowl.adapters.probes.reasons import explain_tls
from nightowl.adapters.probes.stream import Stream
from nightowl.adapters.probes.trial import Trial
from nightowl.core.values import Certificate, Target

PATIENCE = 1.0
"""Seconds that a server of TLS 1.3 has to refuse a client's certificate, which it does after the handshake."""

_TICKET, _CERTIFICATE, _CERTIFICATE_REQUEST = 4, 11, 13
"""Types of handshake messages: RFC 8446, section 4."""
_PROTOCOLS = {0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}


class Peer(ssl.SSLObject):
    """A TLS connection that keeps what the handshake's messages tell, also where the handshake fails over them."""

    shown = b""
    """The peer's ``Certificate`` message."""
    asked = False
    """Whether the peer asked for a certificate of ours."""
    settled = False
    """Whether the peer went on after the handshake: it issued a ticket."""
    protocol = ""
    """The version that was agreed on, such as ``TLSv1.3``."""


def secure(trial: Trial, stream: Stream, host: str) -> Peer:
    """Put TLS over a stream as the trial's target wants it, and note the certificate that the peer shows.

    Raises:
        Failure: ``tls.*``; ``own.target`` where the target's own certificate cannot be used.
    """
    target = trial.target
    context = _context(target.verify, target.ca, target.client_certificate, target.client_key, _changed(target))
    peer = stream.begin(context, host)
    assert isinstance(peer, Peer)
    with trial.phase("tls"):
        try:
            _shake(stream)
            _require_version(target, peer.protocol)
        except Failure as failure:
            trial.certificate = _report(peer, failure.reason)
            raise
    trial.certificate = _report(peer)
    return peer


def await_refusal(trial: Trial, stream: Stream, peer: Peer) -> None:
    """Give a peer that asked for a certificate of ours a moment to refuse it: in TLS 1.3, after the handshake.

    Raises:
        Failure: ``tls.client_cert``, as a rule.
    """
    if not peer.asked or peer.protocol != "TLSv1.3":
        return
    stream.deadline = min(stream.deadline, monotonic() + PATIENCE)
    try:
        stream.attend(lambda: peer.settled)
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError, TimeoutError):
        return
    except OSError as error:
        failure = explain_tls(error)
        trial.certificate = _report(peer, failure.reason)
        raise failure from None


def _shake(stream: Stream) -> None:
    try:
        stream.handshake()
    except TimeoutError:
        raise Failure("tls.timeout", "the TLS handshake did not end in time") from None
    except OSError as error:
        raise explain_tls(error) from None


def _require_version(target: Target, agreed: str) -> None:
    wanted = f"TLSv{target.expect.tls}"
    if target.expect.tls and agreed < wanted:  # the names of versions sort as the versions do
        raise Failure("tls.version", f"{agreed} was agreed on, expected {wanted} or newer")


def _report(peer: Peer, problem: str = "") -> Certificate | None:
    return report_on(peer.shown, peer.protocol, problem)


def _changed(target: Target) -> int:
    """When the machine's authorities were last changed, in nanoseconds (0: they are not asked)."""
    if target.ca or not trust_file():
        return 0
    try:
        return Path(trust_file()).stat().st_mtime_ns
    except OSError:
        raise Failure(FAULT, "the machine's certificate authorities cannot be read") from None


@lru_cache(maxsize=256)
def _context(verify: bool, ca: str, certificate: str, key: str, _changed: int) -> ssl.SSLContext:
    """The TLS settings of a target, kept: reading the authorities takes longer than a handshake.

    When the machine's authorities have ``changed`` they are read again.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslobject_class = Peer
    # Nothing else sees a certificate that is refused. The C class, for gevent's own cannot do it over memory.
    _ssl._SSLContext._msg_callback.__set__(context, _note)  # type: ignore[attr-defined]  # noqa: SLF001
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # as libcurl does
    try:
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif ca:
            context.load_verify_locations(cadata=ca)
        elif trust_file():
            context.load_verify_locations(trust_file())
        else:
            context.set_default_verify_paths()
        if certificate:
            _identify(context, f"{certificate}\n{key}")
    except (OSError, ValueError):
        raise Failure(TARGET, "ca, client_certificate or client_key is not what it should be") from None
    return context


def _identify(context: ssl.SSLContext, pem: str) -> None:
    """Load a certificate and its key from a text: the ssl module takes them from files only, so from one in memory."""
    descriptor = os.memfd_create("identity")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii", closefd=False) as file:
            file.write(pem)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}", password="")
    finally:
        os.close(descriptor)


def _note(peer: Any, direction: str, version: int, _content: int, kind: int, data: bytes) -> None:
    """Keep what a handshake message tells; OpenSSL calls this before it judges the message."""
    if direction != "read":
        return
    if kind == _CERTIFICATE:
        peer.shown = data
        peer.protocol = _PROTOCOLS.get(version, "")
    elif kind == _CERTIFICATE_REQUEST:
        peer.asked = True
    elif kind == _TICKET:
        peer.settled = True
