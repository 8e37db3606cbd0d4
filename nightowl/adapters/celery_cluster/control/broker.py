"""The broker of a watched cluster: how it is connected to, what it is called, and what its errors mean."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from amqp.exceptions import AccessRefused, NotAllowed
from kombu import Connection
from kombu.exceptions import KombuError

from nightowl.core.errors import Unavailable
from nightowl.core.redaction import hiding, without_password

CONNECT_TIMEOUT = 3.0
"""Seconds to wait for a broker to accept a connection."""

ANSWER_TIMEOUT = 3.0
"""Seconds to wait for a broker's answer to one request."""

POLLING_INTERVAL = 0.02

_KINDS = {
    "redis": "Redis",
    "rediss": "Redis",
    "sentinel": "Redis",
    "amqp": "RabbitMQ",
    "amqps": "RabbitMQ",
    "pyamqp": "RabbitMQ",
    "sqs": "SQS",
    "filesystem": "a folder",
    "memory": "memory",
}
_DATABASES = {"mysql": "MariaDB", "mariadb": "MariaDB", "postgresql": "PostgreSQL", "sqlite": "SQLite"}
_FILES = {"ca": "ca_certs", "certificate": "certfile", "key": "keyfile"}
_REFUSALS = ("AuthenticationError", "NoPermissionError", "InvalidResponse")

Tls = Mapping[str, Any] | bool | None
"""As ``[cluster.NAME] ssl`` (``ca``, ``certificate``, ``key``, ``verify``), or as Celery's ``broker_use_ssl``."""


class Broker:
    """A broker's URL with its options. What is shown of it has no password."""

    def __init__(self, url: str, transport_options: Mapping[str, Any] | None = None, tls: Tls = None) -> None:
        self.url = _as_kombu_has_it(url)
        self.options = dict(transport_options or {})
        self.scheme = self.url.split("://", 1)[0].split(":", 1)[0]
        self._tls = tls
        first = urlsplit(self.url.split(";")[0])
        self.place = first.netloc.rpartition("@")[2]
        self._hide = hiding(filter(None, _passwords(self.url)))

    def __repr__(self) -> str:
        return f"Broker({self.shown!r})"

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return self._hide(without_password(self.url))

    @property
    def kind(self) -> str:
        """What people call it."""
        head, _, driver = self.scheme.partition("+")
        if head in ("sqla", "sqlalchemy"):
            return _DATABASES.get(driver.split("+")[0], "a database")
        return _KINDS.get(head, head)

    @property
    def speaks_amqp(self) -> bool:
        """Whether it is RabbitMQ."""
        return self.kind == "RabbitMQ"

    def tls(self) -> dict[str, Any]:
        """Return the options for TLS as the driver has them (none: no TLS); certificates are verified by default."""
        if not (self._tls or self.scheme in ("rediss", "amqps")):
            return {}
        told = self._tls if isinstance(self._tls, Mapping) else {}
        given = {key.removeprefix("ssl_"): value for key, value in told.items()}
        options = {_FILES.get(key, key): value for key, value in given.items() if key != "verify"}
        options["cert_reqs"] = _requirement(options.get("cert_reqs"), given.get("verify", True))
        verified = options["cert_reqs"] != ssl.CERT_NONE
        if self.speaks_amqp:
            host = {"server_hostname": urlsplit(self.url).hostname} if verified else {}
            return host | {key: value for key, value in options.items() if key != "check_hostname"}
        return {f"ssl_{key}": value for key, value in ({"check_hostname": verified} | options).items()}

    def connection(self) -> Connection:
        """Return a connection that is made at its first use."""
        limits: dict[str, Any] = {"polling_interval": POLLING_INTERVAL}
        if self.speaks_amqp:
            limits = {"confirm_publish": True, "read_timeout": ANSWER_TIMEOUT, "write_timeout": ANSWER_TIMEOUT}
        elif self.kind == "Redis":
            limits = {"socket_connect_timeout": CONNECT_TIMEOUT, "socket_timeout": ANSWER_TIMEOUT}
            if self.scheme == "sentinel":
                limits["sentinel_kwargs"] = _of_sentinels(limits) | self.options.get("sentinel_kwargs", {})
        elif "sql" in self.scheme:
            limits = {} if "sqlite" in self.scheme else {"connect_args": {"connect_timeout": int(CONNECT_TIMEOUT)}}
        return Connection(
            self.url,
            connect_timeout=CONNECT_TIMEOUT,
            heartbeat=0,
            ssl=self.tls() or False,
            transport_options=limits | {key: value for key, value in self.options.items() if key != "sentinel_kwargs"},
        )

    def connected(self) -> Connection:
        """Return a connection that is made. Raises ``Unavailable``."""
        connection = self.connection()
        try:
            make(connection)
        except (KombuError, OSError) as error:
            raise self.unavailable(error) from None
        return connection

    def unavailable(self, error: BaseException) -> Unavailable:
        """What an error of the driver means, as one of ours without secrets."""
        where = f"the broker at {self.place}" if self.place else f"the broker ({self.kind})"
        refusal = next((each for each in _causes(error) if _refuses(each)), None)
        distrust = next((each for each in _causes(error) if isinstance(each, ssl.SSLCertVerificationError)), None)
        if distrust is not None:
            return Unavailable(f"{where} cannot be trusted: {distrust.verify_message.rstrip('.')}")
        said = self._hide(without_password(_first_line(refusal or error)))
        return Unavailable(f"{where} {'refuses us' if refusal else 'does not answer'}: {said}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _refuses(error: BaseException) -> bool:
    return isinstance(error, (AccessRefused, NotAllowed)) or type(error).__name__ in _REFUSALS


def _of_sentinels(limits: Mapping[str, Any]) -> dict[str, Any]:
    """Return options for connections to Sentinels: the next one is asked at once, where redis-py tries each thrice."""
    from redis.backoff import NoBackoff  # noqa: PLC0415 - only with Sentinels
    from redis.retry import Retry  # noqa: PLC0415

    return dict(limits) | {"retry": Retry(NoBackoff(), 0)}


def make(connection: Connection) -> None:
    """Connect, trying twice at once. kombu by itself would wait two seconds before it tries again, or try for ever."""
    connection.ensure_connection(max_retries=1, interval_start=0.1, timeout=CONNECT_TIMEOUT)


def _as_kombu_has_it(url: str) -> str:
    """Return the URL; one of a database by itself is a broker by SQLAlchemy."""
    if url.split("://", 1)[0].split("+", maxsplit=1)[0] in _DATABASES:
        return f"sqla+{url}"
    return "memory://localhost/" if url in ("", "memory://") else url


def _passwords(url: str) -> list[str]:
    found = [urlsplit(each.strip()).password or "" for each in url.split(";")]
    return [*found, *map(unquote, found)]


def _requirement(asked: Any, verify: Any) -> ssl.VerifyMode:
    """What is required of the broker's certificate; OpenSSL's constant may be given by its name."""
    if isinstance(asked, ssl.VerifyMode):
        return asked
    name = f"CERT_{asked.upper().removeprefix('CERT_')}" if isinstance(asked, str) else ""
    if name in ssl.VerifyMode.__members__:
        return ssl.VerifyMode[name]
    return ssl.CERT_REQUIRED if verify else ssl.CERT_NONE


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
