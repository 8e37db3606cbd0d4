"""A private MariaDB that syncs nothing."""

from __future__ import annotations

import os
import subprocess
import uuid

import pymysql

from tests.servers.programs import program
from tests.servers.server import Server


class MariaDB(Server):
    """mariadbd with the user ``owl`` (password ``owl``), who may do everything."""

    kind = "mariadb"

    def prepare(self) -> None:
        """A new data folder, and the statements that make the user."""
        subprocess.run(
            [
                program("mariadb-install-db"),
                "--no-defaults",
                "--skip-test-db",
                "--auth-root-authentication-method=normal",
                f"--datadir={self.folder / 'data'}",
                *_as_root(),
            ],
            check=True,
            capture_output=True,
        )
        (self.folder / "users.sql").write_text(
            "CREATE USER IF NOT EXISTS 'owl'@'%' IDENTIFIED BY 'owl';\n"
            "GRANT ALL ON *.* TO 'owl'@'%' WITH GRANT OPTION;\n"
            "DELETE FROM mysql.global_priv WHERE User = '';\n"  # else owl@localhost would be nobody
            "FLUSH PRIVILEGES;\n"
        )

    def command(self) -> list[str]:
        """Character set and collation are those of Debian's own configuration."""
        return [
            program("mariadbd"),
            "--no-defaults",
            *_as_root(),
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            f"--datadir={self.folder / 'data'}",
            f"--socket={self.folder / 'socket'}",
            f"--pid-file={self.folder / 'pid'}",
            f"--init-file={self.folder / 'users.sql'}",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_general_ci",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-flush-method=nosync",
            "--innodb-buffer-pool-size=64M",
            "--innodb-log-file-size=32M",
            "--skip-log-bin",
            "--skip-name-resolve",
        ]

    def answers(self) -> bool:
        """Whether the user can sign in."""
        try:
            self._execute("SELECT 1")
        except pymysql.OperationalError:
            return False
        return True

    def fresh_url(self) -> str:
        """A new database."""
        name = f"owl_{uuid.uuid4().hex[:12]}"
        self._execute(f"CREATE DATABASE {name}")
        return f"mysql+pymysql://owl:owl@127.0.0.1:{self.port}/{name}"

    def drop(self, url: str) -> None:
        """Drop the database."""
        self._execute(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]}")

    def _execute(self, statement: str) -> None:
        with (
            pymysql.connect(host="127.0.0.1", port=self.port, user="owl", password="owl") as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("SET lock_wait_timeout = 10")  # a test that left a transaction open must not hang the next
            cursor.execute(statement)


def _as_root() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []
