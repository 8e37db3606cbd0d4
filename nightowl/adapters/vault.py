"""Sealing texts under the installation's secret: AES-256-GCM, bound to what they belong to.

The nonce is made of the text and what it is bound to (HMAC-SHA256 under a key of its own), so that the same text in
the same place is sealed alike, and a definition that did not change is stored as it was. Two texts get the same nonce
only where all 96 bits fall together, and nobody learns more than that a text is the same again.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from nightowl.core.errors import Refused
from nightowl.core.secrecy import SEALED

_PURPOSE = b"nightowl: secrets of checks, 1"
_NONCE = 12


class Vault:
    """Seals and opens with keys that HKDF derives from a secret; ``key_id`` tells them apart and nothing else."""

    def __init__(self, secret: bytes) -> None:
        derived = HKDF(algorithm=SHA256(), length=68, salt=None, info=_PURPOSE).derive(secret)
        self._cipher = AESGCM(derived[:32])
        self._nonces = derived[32:64]
        self.key_id = derived[64:].hex()

    def seal(self, text: str, bound_to: str) -> str:
        """Return a sealed text (``secrecy.SEALED``) that opens only where it is said to be bound to the same."""
        plain, bond = text.encode(), bound_to.encode()
        nonce = hmac.digest(self._nonces, sha256(bond).digest() + plain, "sha256")[:_NONCE]
        box = nonce + self._cipher.encrypt(nonce, plain, bond)
        return f"sealed:1:{self.key_id}:{urlsafe_b64encode(box).decode().rstrip('=')}"

    def open(self, sealed: str, bound_to: str) -> str:
        """Return the text that was sealed.

        Raises:
            Refused: it was sealed by another key, or for another place, or is damaged.
        """
        found = SEALED.fullmatch(sealed)
        if found is None or not self.made(sealed):
            raise Refused("it was sealed with another [server] secret_key")
        box = urlsafe_b64decode(found["box"] + "=" * (-len(found["box"]) % 4))
        try:
            return self._cipher.decrypt(box[:_NONCE], box[_NONCE:], bound_to.encode()).decode()
        except InvalidTag:
            raise Refused("it was sealed for another check, key or host, or is damaged") from None

    def made(self, sealed: str) -> bool:
        """Whether a sealed text was sealed with this key."""
        return (found := SEALED.fullmatch(sealed)) is not None and found["key"] == self.key_id
