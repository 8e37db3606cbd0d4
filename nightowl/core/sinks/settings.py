"""A sink as it is configured."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec


class SinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where samples are sent, which, and how they are named there.

    ``address`` or ``url`` say where; ``every`` is the seconds between two snapshots. ``metrics`` are shell patterns.
    ``labels`` maps labels to a text, to ``{other}`` (the label of that name, which is renamed) or to False (dropped).
    ``options`` are the keys of its kind alone. ``secrets`` are values that may appear in nothing that is said of it.
    """

    name: str
    kind: str
    address: str = ""
    url: str = ""
    prefix: str = ""
    labels: dict[str, str | Literal[False]] = {}
    metrics: tuple[str, ...] = ("*",)
    every: float = 10.0
    options: dict[str, Any] = {}
    secrets: tuple[str, ...] = ()

    @property
    def receiver(self) -> str:
        """Host and port, or path, of where samples are sent, without credentials (empty: its kind knows)."""
        found = self.address or self.url
        parts = urlsplit(found if "://" in found else f"//{found}")
        return parts.netloc.rpartition("@")[2] or parts.path
