"""Tokens of programs as text: made, hashed, and found in a request."""

from __future__ import annotations

import base64
import binascii
import secrets
from hashlib import sha256
from typing import NamedTuple

from starlette.requests import HTTPConnection

PREFIX = "owl_"
"""How every token begins, so that scanners of published code know one when they see it."""


class Password(NamedTuple):
    """A name and password, by HTTP Basic."""

    name: str
    password: str


class Bearer(NamedTuple):
    """A token."""

    token: str


class Unreadable(NamedTuple):
    """Credentials that nobody could make."""


Credentials = Password | Bearer | Unreadable


def new_token() -> str:
    """A token with 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is stored of a token: its SHA-256, which is enough for one that nobody can guess."""
    return sha256(token.encode(errors="replace")).digest()


def credentials(request: HTTPConnection) -> Credentials | None:
    """What the ``Authorization`` header says; None: there is none."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return Bearer(rest.strip())
    return (_basic(rest) if scheme.lower() == "basic" else None) or Unreadable()


def _basic(coded: str) -> Password | None:
    try:
        name, colon, password = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return Password(name, password) if colon else None
