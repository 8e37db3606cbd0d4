"""NightOwl's own transports of kombu, by scheme.

A transport is imported by whoever uses a broker of its kind: SQLAlchemy takes a process a third of a second to import,
and an actor over another broker has no use for it.
"""

from __future__ import annotations

from kombu.transport import TRANSPORT_ALIASES, resolve_transport

SQL = "nightowlsql"
"""A database, by ``sql_transport``."""

FOLDER = "nightowlfolder"
"""A folder, by ``folder_transport``."""

RETURN = 60.0
"""Seconds after which a broker that is told to gives to another consumer what was taken but not acknowledged."""

_HERE = __name__.rpartition(".")[0]

TRANSPORT_ALIASES[SQL] = f"{_HERE}.sql_transport:Transport"
TRANSPORT_ALIASES[FOLDER] = f"{_HERE}.folder_transport:Transport"


def load(url: str) -> None:
    """Import the transport of a broker's URL where it is one of these, before several threads need it at once."""
    scheme = url.split(":", 1)[0].split("+", maxsplit=1)[0]
    if scheme in (SQL, FOLDER):
        resolve_transport(scheme)
