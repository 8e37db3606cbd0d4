"""A private PostgreSQL that syncs nothing. It refuses to run as root, so root starts it as another user."""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
import uuid

import psycopg

from tests.servers.programs import program
from tests.servers.server import Server


def _user() -> str:
    if os.geteuid() != 0:
        return ""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class PostgreSQL(Server):
    """postgres with the superuser ``owl``; any password will do."""

    kind = "postgresql"
    user = _user()

    def prepare(self) -> None:
        """A new cluster of databases."""
        subprocess.run(
            [
                program("initdb"),
                f"--pgdata={self.folder / 'data'}",
                "--username=owl",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ],
            check=True,
            capture_output=True,
            cwd=self.folder,
            user=self.user or None,
        )

    def command(self) -> list[str]:
        """Loopback only, no socket file, nothing waits for the disk."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "shared_buffers": "64MB",
            "dynamic_shared_memory_type": "mmap",  # files of its folder: the usual ones outlive a server that is killed
            "max_connections": "200",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [program("postgres"), "-D", str(self.folder / "data"), *options]

    def answers(self) -> bool:
        """Whether it has recovered and takes connections."""
        try:
            self._execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def fresh_url(self) -> str:
        """A new database."""
        name = f"owl_{uuid.uuid4().hex[:12]}"
        self._execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://owl:owl@127.0.0.1:{self.port}/{name}"

    def drop(self, url: str) -> None:
        """Drop the database, with whatever connections a failed test left."""
        self._execute(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        target = f"postgresql://owl@127.0.0.1:{self.port}/postgres"
        with contextlib.closing(psycopg.connect(target, autocommit=True, connect_timeout=10)) as connection:
            connection.execute(statement.encode())
