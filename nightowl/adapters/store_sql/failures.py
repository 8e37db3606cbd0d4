"""The one door at which the driver's errors become NightOwl's own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from nightowl.core.errors import Refused, StoreUnavailable, StoreUnusable

_UNUSABLE = frozenset((sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY))
_MADE_ALREADY = frozenset((number,) for number in (1050, 1060, 1061, 1062, 1091))
"""What MariaDB says of a table, column, index or row that is there already, or of an index that is gone."""

_PRIMARY_CODE = 0xFF  # the bits of an error code of SQLite that name its kind


def primary_code(error: object) -> int:
    """The kind of an error of SQLite, without what it is in detail; 0: it is none of SQLite's."""
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE if isinstance(error, sqlite3.Error) else 0


def describe(url: URL) -> str:
    """The store as messages name it: a file, or a server and database, never with a password."""
    if url.get_backend_name() == "sqlite":
        return url.database or "in memory"
    return url.set(password=None, query={}).render_as_string(hide_password=True)


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """Turn what the driver raises in the block into ``StoreUnavailable`` with one sentence.

    So does a broken constraint: another transaction wrote the same at the same moment, and trying again finds what it
    wrote. A value that the database cannot hold is ``Refused``, as it would be again. A file of SQLite's that cannot be
    opened or is no database is ``StoreUnusable``.
    """
    try:
        yield
    except DataError as error:
        raise Refused(f"Store {describe(url)} cannot hold this: {_reason(error, url)}") from error
    except IntegrityError as error:
        raise StoreUnavailable(f"Store {describe(url)}: written to by another: {_reason(error, url)}") from error
    except PoolTimeoutError as error:
        raise StoreUnavailable(f"Store {describe(url)}: no connection became free in time") from error
    except DBAPIError as error:
        kind = StoreUnusable if primary_code(error.orig) in _UNUSABLE else StoreUnavailable
        raise kind(f"Store {describe(url)}: {_reason(error, url)}") from error


@contextmanager
def interruption_told(connection: Connection) -> Iterator[None]:
    """Raise ``StoreUnusable`` where migrating in the block meets what an earlier migration had made.

    In MariaDB each statement that changes a table commits by itself, so that a migration that was killed stays half
    done. What is there is left alone: nobody but its owner knows whether it may be dropped.
    """
    try:
        yield
    except DBAPIError as error:
        if (error.orig.args if error.orig else ())[:1] not in _MADE_ALREADY:
            raise
        url = connection.engine.url
        raise StoreUnusable(
            f"Store {describe(url)}: {_reason(error, url)}: an earlier migration of this store was interrupted, and "
            "MariaDB keeps what it had made until then; waiting cannot mend that. If another program keeps tables in "
            "this database, give NightOwl one of its own. Else drop it and create it anew; then restore the backup "
            "that was made before, or, where the database was new, migrate again"
        ) from error


def masked(error: BaseException, url: URL) -> str:
    """What a driver said, in one line and without the URL's secrets."""
    # PyMySQL's errors are (number, text)
    text = str(error.args[-1]) if error.args else str(error)
    line = (text.strip() or type(error).__name__).splitlines()[0]  # hints follow
    for secret in (url.password, *_query_secrets(url)):
        if secret:
            line = line.replace(str(secret), "***")
    return line


def _reason(error: DBAPIError, url: URL) -> str:
    return masked(error if error.orig is None else error.orig, url)


def _query_secrets(url: URL) -> list[str]:
    return [str(value) for key, value in url.query.items() if "pass" in key or "secret" in key]
