"""The URLs of brokers and databases: which are known, and what is wrong with the others."""

from __future__ import annotations

import re
from pathlib import Path

from nightowl.config.fields import split_url

BROKERS = (
    "memory",
    "filesystem",
    "redis",
    "rediss",
    "redis+socket",
    "amqp",
    "amqps",
    "pyamqp",
    "mysql+pymysql",
    "mariadb+pymysql",
    "sqla+mysql+pymysql",
    "sqla+mariadb+pymysql",
    "postgresql+psycopg",
    "sqla+postgresql+psycopg",
)
"""The transports that are tested."""

WATCHED = (*BROKERS, "sentinel", "sqla+sqlite", "sqs")
"""The transports whose clusters can be watched."""

BACKENDS = (
    *("arangodb", "azureblockblob", "cache", "cassandra", "consul", "cosmosdbsql", "couchbase", "couchdb", "database"),
    *("db", "dynamodb", "elasticsearch", "file", "gs", "mongodb", "redis", "rediss", "rpc", "s3", "sentinel"),
)
"""The kinds of result backends that Celery has, as a URL names them."""

_EXTENSIONS = ("django-db", "django-cache")  # which django-celery-results adds
_BACKEND_CLASS = re.compile(r"\w+(\.\w+)+(:\w+)?")
_APP = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*(:[^\W\d]\w*(\.[^\W\d]\w*)*)?")
_HOSTLESS = ("memory", "filesystem", "redis+socket", "sqla+sqlite", "sqs")
_WITH_PATH = ("filesystem", "redis+socket", "mysql", "mariadb", "postgresql", "sqla")
_DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql"}
_STORES = ("sqlite", *_DRIVERS, *_DRIVERS.values())


def broker_problem(url: str) -> str:
    """Return what a broker's URL would have to be, or nothing where it is fine (empty: ``memory://``)."""
    return _problem(url, BROKERS)


def cluster_problem(url: str) -> str:
    """Return what the URL of a watched cluster's broker would have to be, or nothing where it is fine.

    Of several, between semicolons, the next is taken where one does not answer.
    """
    return next(filter(None, (_problem(each.strip(), WATCHED) for each in url.split(";"))), "")


def backend_problem(url: str) -> str:
    """Return what the URL of a result backend would have to be, or nothing where it is fine (empty: none is)."""
    kind = url.partition("://")[0].partition("+")[0]
    if not url or kind in (*BACKENDS, *_EXTENSIONS) or _BACKEND_CLASS.fullmatch(kind):
        return ""
    return f"a URL that begins with a kind of result backend, such as redis://HOST/0 ({', '.join(BACKENDS)})"


def app_problem(name: str) -> str:
    """Return what the name of a Celery app would have to be, or nothing where it is fine (empty: none is)."""
    return (
        ""
        if not name or _APP.fullmatch(name)
        else 'a module and what the app is called there, such as "proj.celery:app"'
    )


def _problem(url: str, brokers: tuple[str, ...]) -> str:
    scheme, separator, _ = url.partition("://")
    if url and (not separator or scheme not in brokers):
        return f"a broker URL that begins with one of {', '.join(f'{known}://' for known in brokers)}"
    parts = split_url(url) if url else None
    if url and (not parts or (scheme not in _HOSTLESS and not parts.hostname)):
        return "a broker URL with a host and, where needed, a port; percent-encode what stands in a password"
    if parts and scheme.startswith(_WITH_PATH) and not parts.path.strip("/"):
        return "a broker URL with a path: filesystem:///FOLDER, or the database in mariadb+pymysql://HOST/DATABASE"
    return ""


def over_tls(url: str) -> str:
    """Return the scheme by which a broker's URL without TLS would have it; empty: it has, or cannot be told."""
    return {"amqp": "amqps", "pyamqp": "amqps", "redis": "rediss"}.get(url.partition("://")[0], "")


def store_problem(url: str) -> str:
    """Return what a store's URL would have to be, or nothing where it is fine (empty: SQLite)."""
    scheme, separator, rest = url.partition("://")
    if url and (not separator or scheme not in _STORES):
        return "sqlite:///PATH, postgresql://USER:PASSWORD@HOST/DATABASE or mariadb://USER:PASSWORD@HOST/DATABASE"
    if scheme == "sqlite":
        return "" if rest[1:] and rest.startswith("/") and ":memory:" not in rest else "sqlite:/// and a path"
    parts = split_url(url) if url else None
    if url and (not parts or not (parts.hostname or parts.query) or not parts.path.strip("/")):
        return "a database URL with host and database; percent-encode what stands in a password"
    return ""


def store_url(url: str, base: Path) -> str:
    """Return the URL with the driver that NightOwl ships, and SQLite's path relative to ``base``."""
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        path, mark, query = rest[1:].partition("?")
        return f"sqlite:///{base.absolute() / path}{mark}{query}"
    return f"{_DRIVERS.get(scheme, scheme)}://{rest}" if url else ""
