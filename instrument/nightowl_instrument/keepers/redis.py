"""Locks and texts in Redis: a lock is a key that expires and holds its owner's token."""

from __future__ import annotations

from typing import Any

from kombu import Connection

PREFIX = "nightowl:"

_TAKE = """
if redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('pexpire', KEYS[1], ARGV[2]) return 1 end
return 0
"""
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"


class RedisKeeper:
    """See ``Keeper``. The URL is read as Celery reads that of a broker."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._made: Any = None

    @property
    def _client(self) -> Any:
        if self._made is None:
            self._made = Connection(self._url).channel().client
        return self._made

    def acquire(self, name: str, token: str, lasts: float) -> bool:
        """Take a lock for ``lasts`` seconds, if nobody has it."""
        return bool(self._client.eval(_TAKE, 1, f"{PREFIX}lock:{name}", token, max(1, int(1000 * lasts))))

    def release(self, name: str, token: str) -> None:
        """Give a lock back, if ``token`` still has it: compared and deleted in one step."""
        self._client.eval(_RELEASE, 1, f"{PREFIX}lock:{name}", token)

    def save(self, name: str, text: str) -> None:
        """Keep a text under a name."""
        self._client.set(f"{PREFIX}checkpoint:{name}", text.encode())

    def load(self, name: str) -> str | None:
        """Return what is kept under a name."""
        found = self._client.get(f"{PREFIX}checkpoint:{name}")
        return None if found is None else (found.decode() if isinstance(found, bytes) else str(found))

    def forget(self, name: str) -> None:
        """Keep nothing under a name any more."""
        self._client.delete(f"{PREFIX}checkpoint:{name}")
