"""A private Redis. Appended to a file without syncing: what it took survives a kill, not a power cut."""

from __future__ import annotations

import os

import redis

from tests.servers.authority import HOST, Certificates
from tests.servers.programs import program
from tests.servers.server import Server

DATABASES = 512


class Redis(Server):
    """redis-server with many databases, so that each test has its own; ``ports`` are the plain one and that for TLS."""

    kind = "redis"
    port_count = 2

    def prepare(self) -> None:
        """Nothing: an empty folder will do."""

    def command(self) -> list[str]:
        """Everything by arguments; no configuration file of the machine is read."""
        tls = self.certificates
        return [
            program("redis-server"),
            *("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)),
            *("--databases", str(DATABASES), "--save", ""),
            *("--appendonly", "yes", "--appendfsync", "no"),
            *("--tls-port", str(self.ports[1]), "--tls-auth-clients", "yes", "--tls-ca-cert-file", str(tls.ca)),
            *("--tls-cert-file", str(tls.server), "--tls-key-file", str(tls.server_key)),
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

    def over_tls(self, url: str) -> str:
        """The same database at the port for clients that show a certificate."""
        return f"rediss://{HOST}:{self.ports[1]}/{url.rpartition('/')[2]}"

    @property
    def certificates(self) -> Certificates:
        """What the server's authority has issued."""
        return Certificates(self.folder / "tls")

    def administrator(self) -> dict[str, str]:
        """The environment in which the command redis-cli is about this server."""
        tool = self.folder / "redis-cli"
        tool.write_text(f'#!/bin/sh\nexec {program("redis-cli")} -p {self.port} "$@"\n')
        tool.chmod(0o755)
        return os.environ | {"PATH": f"{self.folder}{os.pathsep}{os.environ['PATH']}"}

    def drop(self, url: str) -> None:
        """Empty the database."""
        with self._client(int(url.rpartition("/")[2])) as client:
            client.flushdb()

    def _client(self, number: int) -> redis.Redis:
        return redis.Redis(port=self.port, db=number, retry=None)
