"""Batches and reports of evaluators as the sealed bytes that travel, and back."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nightowl.adapters.celery_bus.envelope import Envelope, Unreadable, encode
from nightowl.adapters.celery_bus.packing import KEEP, decoded, opened, sealed
from nightowl.adapters.celery_bus.sealing import Keyring
from nightowl.core.portions import EVALUATORS, PortionBatch, PortionReport

_decode_batch = msgspec.msgpack.Decoder(PortionBatch).decode
_decode_report = msgspec.msgpack.Decoder(PortionReport).decode


def pack_portions(batch: PortionBatch, keyring: Keyring) -> tuple[bytes, ...]:
    """Wrap a batch for evaluators."""
    envelope = Envelope(
        direction="portions",
        location=EVALUATORS,
        id=batch.id,
        issued=batch.issued,
        expires=batch.expires,
        body=encode(batch),
    )
    return sealed(envelope, keyring)


def unpack_portions(message: Sequence[object], keyring: Keyring) -> PortionBatch:
    """Return the batch inside; raises ``Unreadable``."""
    envelope, body = opened(message, "portions", keyring)
    batch = decoded(_decode_batch, body)
    if (batch.id, EVALUATORS, batch.issued) != (envelope.id, envelope.location, envelope.issued):
        raise Unreadable("an envelope around another batch")
    return batch


def pack_judged(report: PortionReport, keyring: Keyring, *, number: int, issued: float) -> tuple[bytes, ...]:
    """Wrap a report. ``number`` counts the evaluator's reports, ``issued`` is director time."""
    envelope = Envelope(
        direction="judged",
        location=EVALUATORS,
        id=f"{report.evaluator}/{number}",
        issued=issued,
        expires=issued + KEEP,
        body=encode(report),
    )
    return sealed(envelope, keyring)


def unpack_judged(message: Sequence[object], keyring: Keyring, now: float) -> PortionReport:
    """Return the report inside; raises ``Unreadable``. ``now`` is director time.

    An old report may be a copy that somebody kept; its results count for its own instant and term alone.
    """
    envelope, body = opened(message, "judged", keyring)
    report = decoded(_decode_report, body)
    if envelope.location != EVALUATORS:
        raise Unreadable("an envelope around another location's report")
    if not now <= envelope.expires:
        raise Unreadable("a report that has expired")
    return report
