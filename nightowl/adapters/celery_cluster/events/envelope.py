"""The JSON in which kombu's transports of its own making (Redis among them) carry a message's body.

``{"body": base64, "content-type": ..., "headers": {...}, "properties": {"body_encoding": "base64", ...}}``
"""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import msgspec

from nightowl.adapters.celery_cluster.events.decode import LARGEST, UNLIKE, Label, Sieve
from nightowl.adapters.celery_cluster.events.serialisation import TOO_LARGE, Unreadable, parse

STRANGE = "nothing that a Celery program sends"

LARGEST_ENVELOPE = LARGEST * 4 // 3 + 64 * 1024
"""Bytes of an envelope at most: the largest body in base64, and what stands around it."""


class _Envelope(msgspec.Struct, gc=False):
    body: bytes


_open = msgspec.json.Decoder(_Envelope).decode


def take(envelope: bytes, sieve: Sieve) -> None:
    """Give the sieve what an envelope holds."""
    if len(envelope) > LARGEST_ENVELOPE:
        sieve.refuse(TOO_LARGE)
        return
    try:
        if sieve.take(_open(envelope).body):
            return
    except UNLIKE:
        pass
    try:
        body, label = _read(parse(envelope, "application/json", ()))
    except (Unreadable, ValueError, TypeError, AttributeError):
        sieve.refuse(STRANGE)
        return
    sieve.take_strange(body, label)


def _read(envelope: Any) -> tuple[bytes, Label]:
    """Return the body and what is said of it; raises what Python does at something else."""
    properties, headers = envelope.get("properties") or {}, envelope.get("headers") or {}
    body = envelope.get("body")
    if not isinstance(body, str):
        raise TypeError
    # kombu's own reader goes by what the properties say; base64 is what every transport of events says.
    plain = properties.get("body_encoding") is None and not _is_base64(body)
    content_type = envelope.get("content-type")
    label = Label(content_type if isinstance(content_type, str) else "", bool(headers.get("compression")))
    return (body.encode("utf-8", "replace") if plain else b64decode(body, validate=True)), label


def _is_base64(body: str) -> bool:
    try:
        b64decode(body, validate=True)
    except ValueError:
        return False
    return True
