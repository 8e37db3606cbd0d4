"""The envelope around everything that NightOwl puts on a broker.

Its header binds version, direction, location, issue and expiry moments; the body is msgpack. ``key`` and ``nonce``
name how the body is sealed; both are empty where it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

import msgspec

from nightowl.core.errors import NightOwlError
from nightowl.core.values import Batch, Report

VERSION = 1

Direction = Literal["jobs", "report"]

T = TypeVar("T")


class Envelope(msgspec.Struct, frozen=True, array_like=True):
    """Version, direction, location, id of the message, issue and expiry (Unix seconds), key, nonce and body."""

    version: int
    direction: Direction
    location: str
    id: str
    issued: float
    expires: float
    key: str
    nonce: bytes
    body: bytes


class Unreadable(NightOwlError):
    """A message that is not ours, not for us, or of a version that we do not know. It says nothing of the content."""


_encode = msgspec.msgpack.Encoder().encode
_decode_envelope = msgspec.msgpack.Decoder(Envelope).decode
_decode_batch = msgspec.msgpack.Decoder(Batch).decode
_decode_report = msgspec.msgpack.Decoder(Report).decode


def pack_batch(batch: Batch) -> bytes:
    """Wrap a batch for its location."""
    return _pack("jobs", batch.location, batch.id, batch.issued, batch.expires, batch)


def pack_report(report: Report, number: int, keep: float) -> bytes:
    """Wrap a report; ``number`` counts the actor's reports, ``keep`` is for how many seconds it matters."""
    identity = f"{report.actor}/{number}"
    return _pack("report", report.location, identity, report.sent, report.sent + keep, report)


def unpack_batch(data: bytes) -> Batch:
    """Return the batch inside; raises ``Unreadable``."""
    envelope = _open(data, "jobs")
    batch = _body(_decode_batch, envelope)
    if (batch.id, batch.location, batch.issued) != (envelope.id, envelope.location, envelope.issued):
        raise Unreadable("an envelope around another batch")
    return batch


def unpack_report(data: bytes) -> Report:
    """Return the report inside; raises ``Unreadable``."""
    envelope = _open(data, "report")
    report = _body(_decode_report, envelope)
    if report.location != envelope.location:
        raise Unreadable("an envelope around another location's report")
    return report


def _pack(direction: Direction, location: str, id_: str, issued: float, expires: float, body: object) -> bytes:
    return _encode(Envelope(VERSION, direction, location, id_, issued, expires, "", b"", _encode(body)))


def _open(data: bytes, direction: Direction) -> Envelope:
    try:
        envelope = _decode_envelope(data)
    except (msgspec.DecodeError, TypeError):
        raise Unreadable("no envelope") from None
    if envelope.version != VERSION:
        raise Unreadable(f"an envelope of another version than {VERSION}")
    if envelope.direction != direction:
        raise Unreadable(f"an envelope of {envelope.direction}, not of {direction}")
    if envelope.key:
        raise Unreadable("an envelope that is sealed with a key that is not known here")
    return envelope


def _body(decode: Callable[[bytes], T], envelope: Envelope) -> T:
    try:
        return decode(envelope.body)
    except msgspec.DecodeError:
        raise Unreadable("an envelope that does not hold what it says") from None
