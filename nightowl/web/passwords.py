"""Passwords: hashed by argon2id with the library's recommended parameters (RFC 9106, low memory)."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST = 10
"""Characters that a password must have at least."""

MOST = 1024
"""Characters beyond which a password is not looked at."""

_HASHER = PasswordHasher()


def mistake(password: str) -> str:
    """Say what is wrong with a new password (empty: nothing)."""
    if len(password) < LEAST:
        return f"A password needs at least {LEAST} characters; this one has {len(password)}."
    return f"A password has at most {MOST} characters." if len(password) > MOST else ""


def hashed(password: str) -> str:
    """The encoded form to store."""
    return _HASHER.hash(password)


def matches(password: str, encoded: str | None) -> bool:
    """Whether this is the password. Without a hash to compare with it takes as long and is false."""
    try:
        return _HASHER.verify(encoded or _nobody(), password[:MOST]) and encoded is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return _HASHER.hash("the password of nobody")
