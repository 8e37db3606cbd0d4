"""Where locks and checkpoints are kept: a Redis, a database, or a folder, by its URL."""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import urlsplit


class Keeper(Protocol):
    """Keeps locks that expire, and small texts. Any process may use the same place. Raises what its driver raises."""

    def acquire(self, name: str, token: str, lasts: float) -> bool:
        """Take a lock for ``lasts`` seconds, if nobody has it; True also where ``token`` has it already."""

    def release(self, name: str, token: str) -> None:
        """Give a lock back, if ``token`` still has it."""

    def save(self, name: str, text: str) -> None:
        """Keep a text under a name."""

    def load(self, name: str) -> str | None:
        """Return what is kept under a name."""

    def forget(self, name: str) -> None:
        """Keep nothing under a name any more."""


def keeper(url: str) -> Keeper:
    """Return the keeper at a URL.

    ``redis://``, ``rediss://`` and ``redis+socket://`` as Celery's brokers; ``file:///FOLDER``; anything else, with
    ``sqla+`` and ``db+`` before it as Celery has them or without, is a database's URL for SQLAlchemy.
    """
    scheme = urlsplit(url).scheme
    if scheme in ("redis", "rediss", "redis+socket"):
        from nightowl_instrument.keepers.redis import RedisKeeper  # noqa: PLC0415 - only what is used is imported

        return RedisKeeper(url)
    if scheme == "file":
        from nightowl_instrument.keepers.folder import FolderKeeper  # noqa: PLC0415

        return FolderKeeper(urlsplit(url).path)
    if not scheme:
        raise ValueError(f"keep: {url!r}; allowed is the URL of a Redis, a database, or a folder (file:///FOLDER)")
    from nightowl_instrument.keepers.sql import SqlKeeper  # noqa: PLC0415

    return SqlKeeper(url.partition("+")[2] if scheme.startswith(("sqla+", "db+")) else url)


def place(app: Any, keep: str) -> str:
    """Return ``keep``, or else the app's broker, where that is one that can keep. Raises ``ValueError``."""
    if keep:
        return keep
    url = str(app.conf.broker_read_url or app.conf.broker_url or "")
    if url.startswith(("redis://", "rediss://", "redis+socket://", "sqla+")):
        return url
    raise ValueError(
        "keep: nothing, and the broker can keep none; allowed is the URL of a Redis, a database, or a folder"
    )
