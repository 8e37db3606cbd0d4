"""Seal envelopes with the keys of locations, and open them.

AES-256-GCM over the body, with the header as associated data. HKDF-SHA256 (RFC 5869) derives the cipher's key from
the location's key for each direction and each sending process, by a random salt of that process. The envelope's nonce
is the salt and a counter, so that no nonce comes twice under one cipher's key, however long a location's key lives.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import count

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec.structs import replace

from nightowl.adapters.celery_bus.envelope import Direction, Envelope, Foreign, Unreadable
from nightowl.core.values import LocationKey

SALT = 16
"""Bytes of a nonce that name the sending process."""

COUNTER = 8
"""Bytes of a nonce that count what the process has sealed."""

REMEMBERED = 1024
"""Ciphers that are kept: one for each key, direction and sending process."""

Keys = Callable[[str], Sequence[LocationKey]]
"""The keys of a location as they are now, by its name; none where it has none, or is not known."""


class Keyring:
    """Seals what this process sends, and opens what reaches it.

    While a location has two keys, each message is sealed once with each and opened with either, so that director and
    actors may change keys one after another, in any order.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._salt = os.urandom(SALT)
        self._sealed = count()
        self._lock = threading.Lock()
        self._cipher = lru_cache(REMEMBERED)(_cipher)
        self._name = lru_cache(REMEMBERED)(_name)

    def seal(self, envelope: Envelope) -> list[Envelope]:
        """Return the envelope sealed with each key of its location; as it is where there is none."""
        return [self._seal(envelope, key) for key in self._keys(envelope.location)] or [envelope]

    def open(self, envelope: Envelope) -> bytes:
        """Return the body that was sealed; raises ``Unreadable``."""
        keys = {self._name(key): key for key in self._keys(envelope.location)}
        if not envelope.key:
            if keys:
                raise Unreadable("an envelope without a seal for a location that has a key")
            return envelope.body
        if envelope.key not in keys:
            raise Foreign(envelope.location, len(keys))
        cipher = self._cipher(keys[envelope.key], envelope.direction, envelope.nonce[:SALT])
        try:
            return cipher.decrypt(_counter(envelope.nonce), envelope.body, envelope.header)
        except (InvalidTag, ValueError):
            raise Unreadable("an envelope whose seal is broken") from None

    def _seal(self, envelope: Envelope, key: LocationKey) -> Envelope:
        with self._lock:
            number = next(self._sealed)
        nonce = self._salt + number.to_bytes(COUNTER, "big")
        named = replace(envelope, key=self._name(key), nonce=nonce)
        cipher = self._cipher(key, envelope.direction, self._salt)
        return replace(named, body=cipher.encrypt(_counter(nonce), envelope.body, named.header))


def evaluator_key(secret: bytes) -> LocationKey:
    """Return the key of evaluators, which follows from the secret of an installation."""
    return LocationKey(HKDF(algorithm=SHA256(), length=32, salt=b"", info=b"nightowl evaluators").derive(secret))


def _counter(nonce: bytes) -> bytes:
    """Return the counter of an envelope's nonce as the 12 bytes that GCM takes."""
    return nonce[SALT:].rjust(12, b"\0")


def _cipher(key: LocationKey, direction: Direction, salt: bytes) -> AESGCM:
    return AESGCM(_derived(key, 32, salt, f"nightowl envelope 1 {direction}"))


def _name(key: LocationKey) -> str:
    """Return what a key is called in envelopes; nothing can be learned of the key from it."""
    return _derived(key, 8, b"", "nightowl key name").hex()


def _derived(key: LocationKey, length: int, salt: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=purpose.encode()).derive(key.secret)
