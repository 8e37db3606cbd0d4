"""The envelope around everything that NightOwl puts on a broker.

Its header binds version, direction, location, id, issue and expiry moments; the body is msgpack. ``key`` and
``nonce`` say how the body is sealed; both are empty where it is not.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from nightowl.core.errors import NightOwlError
from nightowl.core.portions import EVALUATORS

VERSION = 1

Direction = Literal["jobs", "report", "portions", "judged"]
"""To a location and from there; to evaluators and from them."""


class Envelope(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """Version, direction, location, id of the message, issue and expiry (Unix seconds), key, nonce and body."""

    version: int = VERSION
    direction: Direction
    location: str
    id: str
    issued: float
    expires: float
    key: str = ""
    nonce: bytes = b""
    body: bytes

    @property
    def header(self) -> bytes:
        """Everything but the body, encoded, for a seal to bind."""
        parts = (self.direction, self.location, self.id, self.issued, self.expires, self.key, self.nonce)
        return encode((self.version, *parts))


class Unreadable(NightOwlError):
    """A message that is not ours, not for us, or of a version that we do not know. It says nothing of the content."""


class Foreign(Unreadable):
    """An envelope of a ``location`` that is sealed with none of the keys that are known here: one side has a wrong one.

    The location is what the envelope says, whoever made it.
    """

    def __init__(self, location: str, known: int) -> None:
        """``known`` is how many keys the location has here."""
        self.location = location
        if location == EVALUATORS:
            super().__init__("an envelope of evaluators that is sealed by another [server] secret_key than here")
            return
        super().__init__(
            f"an envelope of location {location} sealed with another key than its own"
            if known
            else "a sealed envelope for a location that has no key here"
        )


UNDECODABLE = (msgspec.DecodeError, ValueError, TypeError, RecursionError)
"""What msgspec raises at bytes that hold something else, were cut, are no UTF-8, or are nested too deeply."""

encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Envelope).decode


def is_of(data: object, direction: Direction) -> bool:
    """Whether something says that it is an envelope of a direction."""
    try:
        return isinstance(data, bytes) and _decode(data).direction == direction
    except UNDECODABLE:
        return False


def read_envelope(data: object, direction: Direction) -> Envelope:
    """Return an envelope of this version and direction, its body as it is; raises ``Unreadable``."""
    if not isinstance(data, bytes):
        raise Unreadable("no envelope")
    try:
        envelope = _decode(data)
    except UNDECODABLE:
        raise Unreadable("no envelope") from None
    if envelope.version != VERSION:
        raise Unreadable(f"an envelope of another version than {VERSION}")
    if envelope.direction != direction:
        raise Unreadable(f"an envelope of {envelope.direction}, not of {direction}")
    return envelope
