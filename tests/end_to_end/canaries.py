"""Canaries: secrets that can be recognised in whatever form they turn up, and the search for them."""

from __future__ import annotations

import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator

ODD = "\"<&>'/+ %"
"""What is written differently in JSON, HTML, URLs and Python."""


class Canaries:
    """Secrets by the place where each was given, and ``sightings`` of them."""

    def __init__(self) -> None:
        self._needles: dict[bytes, str] = {}

    def plant(self, place: str, *, odd: str = ODD) -> str:
        """Make the secret of a place. Its letters are found in every escaping, ``odd`` is what escaping changes."""
        core = f"cnry{secrets.token_hex(8)}"
        self.add(place, core)
        return f"{core}{odd}{core[::-1]}" if odd else core

    def add(self, place: str, secret: str) -> None:
        """Look for a secret that was made elsewhere."""
        self._needles |= dict.fromkeys(forms(secret.encode()), place)

    def sightings(self, where: str, data: bytes) -> Iterator[str]:
        """Say which canaries are in ``data``, with what stands around them."""
        seen = set()
        for needle, place in self._needles.items():  # one after the other: a pattern of all takes twice as long
            if place not in seen and (at := data.find(needle)) >= 0:
                seen.add(place)
                yield f"{place} is in {where}: {data[max(0, at - 120) : at + len(needle) + 60]!r}"


def forms(secret: bytes) -> Iterable[bytes]:
    """The secret as it is, and in base64 (wherever it begins), in hexadecimal and percent-encoded throughout."""
    yield from (secret, secret.upper(), secret.hex().encode(), secret.hex().upper().encode())
    percent = "".join(f"%{byte:02x}" for byte in secret)
    yield from (percent.encode(), percent.upper().encode())
    for before in (0, 1, 2):
        shifted = b"\0" * before + secret
        for encode in (b64encode, urlsafe_b64encode):
            yield encode(shifted)[4 if before else 0 : len(shifted) // 3 * 4]
