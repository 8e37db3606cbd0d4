"""The one door at which the driver's errors become NightOwl's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from nightowl.core.errors import StoreUnavailable


def describe(url: URL) -> str:
    """The store as messages name it: a file, or a server and database, never with a password."""
    if url.get_backend_name() == "sqlite":
        return url.database or "in memory"
    return url.set(password=None, query={}).render_as_string(hide_password=True)


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """Turn what the driver raises in the block into ``StoreUnavailable`` with one sentence.

    Broken constraints and values out of range are no fault of the database; they pass as they are.
    """
    try:
        yield
    except (IntegrityError, DataError):
        raise
    except PoolTimeoutError as error:
        raise StoreUnavailable(f"Store {describe(url)}: no connection became free in time") from error
    except DBAPIError as error:
        raise StoreUnavailable(f"Store {describe(url)}: {_reason(error, url)}") from error


def _reason(error: SQLAlchemyError, url: URL) -> str:
    original = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    # PyMySQL's errors are (number, text)
    text = str(original.args[-1]) if original.args else str(original)
    line = (text.strip() or type(original).__name__).splitlines()[0]  # hints follow
    for secret in (url.password, *_query_secrets(url)):
        if secret:
            line = line.replace(str(secret), "***")
    return line


def _query_secrets(url: URL) -> list[str]:
    return [str(value) for key, value in url.query.items() if "pass" in key or "secret" in key]
