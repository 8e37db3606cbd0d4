"""Batches and reports of checks as the sealed bytes that travel, and back.

A message is one envelope, or two around the same body while the location has two keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from nightowl.adapters.celery_bus.envelope import UNDECODABLE, Direction, Envelope, Unreadable, encode, read_envelope
from nightowl.adapters.celery_bus.sealing import Keyring
from nightowl.core.values import Batch, Report

FRESH = 30.0
"""Seconds for which a report is a sign of life of its actor or its goodbye, and one with nothing to say is of use.

Long enough for another director to lead by a clock that differs, short enough to be useless to who repeats it.
"""

KEEP = 600.0
"""Seconds for which a report with something to say is of use."""

STEP = 86400.0
"""Seconds by which a director's clock may be set back without its actors' signs of life being refused meanwhile."""

COPIES = 2
"""Envelopes in a message at most."""

T = TypeVar("T")

_decode_batch = msgspec.msgpack.Decoder(Batch).decode
_decode_report = msgspec.msgpack.Decoder(Report).decode


def pack_batch(batch: Batch, keyring: Keyring) -> tuple[bytes, ...]:
    """Wrap a batch for its location."""
    envelope = Envelope(
        direction="jobs",
        location=batch.location,
        id=batch.id,
        issued=batch.issued,
        expires=batch.expires,
        body=encode(batch),
    )
    return sealed(envelope, keyring)


def pack_report(report: Report, keyring: Keyring, *, number: int, issued: float, expires: float) -> tuple[bytes, ...]:
    """Wrap a report. ``number`` counts the actor's reports, ``issued`` and ``expires`` are director time."""
    envelope = Envelope(
        direction="report",
        location=report.location,
        id=f"{report.actor}/{number}",
        issued=issued,
        expires=expires,
        body=encode(report),
    )
    return sealed(envelope, keyring)


def unpack_batch(message: Sequence[object], keyring: Keyring) -> Batch:
    """Return the batch inside; raises ``Unreadable``."""
    envelope, body = opened(message, "jobs", keyring)
    batch = decoded(_decode_batch, body)
    if (batch.id, batch.location, batch.issued) != (envelope.id, envelope.location, envelope.issued):
        raise Unreadable("an envelope around another batch")
    return batch


def unpack_report(message: Sequence[object], keyring: Keyring, now: float) -> tuple[Report, bool]:
    """Return the report inside, and whether it is fresh: its actor's word on itself; raises ``Unreadable``.

    ``now`` is director time. An old report may be a copy that somebody kept. It is refused when it has expired, and
    when it says nothing and is of a moment far ahead, by a clock that was wrong: such a one could be shown for ever.
    """
    envelope, body = opened(message, "report", keyring)
    report = decoded(_decode_report, body)
    if report.location != envelope.location:
        raise Unreadable("an envelope around another location's report")
    says_nothing = not (report.taken or report.outcomes)
    if not now <= envelope.expires:
        raise Unreadable("a report that has expired")
    if says_nothing and not envelope.issued <= now + STEP:
        raise Unreadable("a report of a moment far ahead")
    return report, now - envelope.issued <= FRESH


def sealed(envelope: Envelope, keyring: Keyring) -> tuple[bytes, ...]:
    """Return an envelope as what travels."""
    return tuple(encode(each) for each in keyring.seal(envelope))


def opened(message: Sequence[object], direction: Direction, keyring: Keyring) -> tuple[Envelope, bytes]:
    """Return the first envelope that can be opened, and its body."""
    if not 0 < len(message) <= COPIES:
        raise Unreadable("a task with other arguments than ours")
    refusal = Unreadable("no envelope")
    for data in message:
        try:
            envelope = read_envelope(data, direction)
            return envelope, keyring.open(envelope)
        except Unreadable as error:
            refusal = error
    raise refusal


def decoded(decode: Callable[[bytes], T], body: bytes) -> T:
    """Return what a body holds; raises ``Unreadable``."""
    try:
        return decode(body)
    except UNDECODABLE:
        raise Unreadable("an envelope that does not hold what it says") from None
