"""A private Redis. Appended to a file without syncing: what it took survives a kill, not a power cut."""

from __future__ import annotations

import redis

from tests.servers.programs import program
from tests.servers.server import Server

DATABASES = 512


class Redis(Server):
    """redis-server with many databases, so that each test has its own."""

    kind = "redis"

    def prepare(self) -> None:
        """Nothing: an empty folder will do."""

    def command(self) -> list[str]:
        """Everything by arguments; no configuration file of the machine is read."""
        return [
            program("redis-server"),
            *("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)),
            *("--databases", str(DATABASES), "--save", ""),
            *("--appendonly", "yes", "--appendfsync", "no"),
        ]

    def answers(self) -> bool:
        """Whether it has loaded its data."""
        with self._client(0) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    def fresh_url(self) -> str:
        """The next database; number 0 is kept for the count of them."""
        with self._client(0) as client:
            number = 1 + int(client.incr("databases")) % (DATABASES - 1)
        with self._client(number) as client:
            client.flushdb()
        return f"redis://127.0.0.1:{self.port}/{number}"

    def drop(self, url: str) -> None:
        """Empty the database."""
        with self._client(int(url.rpartition("/")[2])) as client:
            client.flushdb()

    def _client(self, number: int) -> redis.Redis:
        return redis.Redis(port=self.port, db=number, retry=None)
