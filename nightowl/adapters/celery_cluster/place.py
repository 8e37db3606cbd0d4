"""Where a broker is, out of its URL, as kombu reads it."""

from __future__ import annotations

import msgspec
from kombu.utils.url import url_to_parts


class Place(msgspec.Struct, frozen=True):
    """The parts of a broker's URL, unquoted. ``host`` empty: this machine; ``port`` 0: the usual one.

    ``path`` has no leading slash.
    """

    scheme: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    path: str = ""
    query: dict[str, str] = {}

    def __repr__(self) -> str:
        """Without the password, which a traceback would show."""
        return f"Place({self.scheme}://{self.shown})"

    @property
    def shown(self) -> str:
        """Host and port (or the path of a socket), to be told to people."""
        if self.scheme.endswith("socket"):
            return f"/{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host


def places(broker_url: str) -> list[Place]:
    """Return the alternatives of a broker's URL, which are separated by semicolons.

    Raises ``ValueError`` where it cannot be read. The error may hold a part of a password: do not show it.
    """
    return [_place(url.strip()) for url in broker_url.split(";") if url.strip()]


def _place(url: str) -> Place:
    parts = url_to_parts(url)
    return Place(
        scheme=parts.scheme.lower(),
        host=parts.hostname or "",
        port=parts.port or 0,
        user=parts.username or "",
        password=parts.password or "",
        path=parts.path or "",
        query=dict(parts.query or {}),
    )
