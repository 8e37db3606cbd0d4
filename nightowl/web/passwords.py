"""Names and passwords: what they may be; hashed by argon2id as the library recommends (RFC 9106, low memory)."""

from __future__ import annotations

import re
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LEAST = 10
"""Characters that a password must have at least."""

MOST = 1024
"""Characters beyond which a password is not looked at."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,62}")
_HASHER = PasswordHasher()


def mistake(password: str) -> str:
    """Say what is wrong with a new password (empty: nothing)."""
    if len(password) < LEAST:
        return f"a password of at least {LEAST} characters (this one has {len(password)})"
    return f"a password of at most {MOST} characters" if len(password) > MOST else ""


def name_mistake(name: str) -> str:
    """Say what is wrong with a new user's name (empty: nothing)."""
    return "" if _NAME.fullmatch(name) else "a name of 1 to 63 letters, digits, dots, dashes, underscores or @"


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
