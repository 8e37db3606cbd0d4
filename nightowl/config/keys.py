"""The text form of location keys: ``owl1-`` and the urlsafe base64 of 32 random bytes."""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from nightowl.core.values import LocationKey

LENGTH = 32
"""Bytes of a key."""

_PREFIX = "owl1-"
_TEXT = re.compile(rf"{_PREFIX}[A-Za-z0-9_-]{{43}}")


def new_key() -> str:
    """Return a new key as text."""
    return _text(secrets.token_bytes(LENGTH))


def read_key(text: str) -> LocationKey:
    """Return the key of a text. Raises ``ValueError``, which does not repeat it."""
    if not _TEXT.fullmatch(text):
        raise ValueError("not a location key")
    secret = urlsafe_b64decode(f"{text.removeprefix(_PREFIX)}=")
    if _text(secret) != text:
        raise ValueError("not a location key")
    return LocationKey(secret)


def _text(secret: bytes) -> str:
    return _PREFIX + urlsafe_b64encode(secret).decode().rstrip("=")
