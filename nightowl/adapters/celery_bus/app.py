"""NightOwl's own Celery app: one queue per location for batches, one for evaluators, one for reports.

Every setting that is not Celery's default is here for a measured reason, which stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import celery.app.events
import celery.events.dispatcher  # noqa: F401 - imported by Celery where it is needed first: by two threads, a deadlock
import msgspec
from celery import Celery
from kombu import Exchange, Queue, serialization

from nightowl.adapters.celery_bus import schemes, tls
from nightowl.adapters.celery_bus.guarded import Connection
from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.core.portions import EVALUATORS
from nightowl.core.redaction import without_password

CHECK = "nightowl.check"
"""The task that takes a batch; the queue of location L is ``nightowl.check.L``."""

EVALUATE = "nightowl.evaluate"
"""The queue of batches for evaluators, and the task that takes one."""

REPORT = "nightowl.report"
"""The queue of reports, and the name under which they are sent."""

DROP = "amq.direct"
"""RabbitMQ's exchange for reports, which is there before any director. Whoever may write to the default exchange
reaches every queue of a virtual host; from this one there is a way to reports and to nothing else."""

SERIALIZER = "nightowl"

POLLING_INTERVAL = 0.02
"""Seconds between looks at brokers that must be polled: 37 ms round trips for 0.65 % of a core, against 1 s."""

CONNECT_TIMEOUT = 4.0
"""Seconds to wait for a broker to accept a connection."""


REDIS_KEYS: Mapping[str, Any] = {
    "priority_steps": [0],  # a queue is one key, and not four
    "unacked_key": "nightowl.unacked",
    "unacked_index_key": "nightowl.unacked_index",
    "unacked_mutex_key": "nightowl.unacked_mutex",
}
"""Names of our own in Redis, so that permissions can be given for them."""

ANSWER_TIMEOUT = 10.0
"""Seconds to wait for an answer of Redis, a TLS handshake included, which never ends at a port without TLS."""


class BrokerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A broker: its URL (empty: the embedded one), kombu's transport options, and PEM file paths for TLS."""

    url: str = ""
    transport_options: Mapping[str, Any] = {}
    ca: str = ""
    certificate: str = ""
    key: str = ""

    @property
    def files(self) -> dict[str, str]:
        """The files for TLS by their keys."""
        return {"ca": self.ca, "certificate": self.certificate, "key": self.key}

    def at(self, url: str) -> BrokerSettings:
        """Return the settings of another broker, which is shown and trusted the same files (empty: of this one)."""
        return msgspec.structs.replace(self, url=url, transport_options={}) if url else self


serialization.register(
    SERIALIZER,
    msgspec.msgpack.encode,
    msgspec.msgpack.decode,
    content_type="application/x-nightowl",
    content_encoding="binary",
)


def check_queue(location: str) -> str:
    """Return the name of a location's queue, or of that of evaluators."""
    return EVALUATE if location == EVALUATORS else f"{CHECK}.{location}"


def queue(name: str, *, made: bool = False) -> Queue:
    """A durable queue on the default exchange, which every transport routes by name alone.

    ``made``: it is used as it is. Whoever may make a queue of RabbitMQ may delete it, too; and a worker of Celery would
    bind it to an exchange of Celery's.
    """
    return Queue(name, Exchange("", type="direct"), routing_key=name, durable=True, no_declare=made)


def report_queue(url: str) -> Queue:
    """The queue of reports, as a director makes it."""
    return Queue(REPORT, Exchange(DROP, type="direct"), routing_key=REPORT) if speaks_amqp(url) else queue(REPORT)


def route(url: str, name: str) -> dict[str, Any]:
    """Return what Celery is to know of the way into a queue."""
    if name == REPORT and speaks_amqp(url):
        return {"exchange": DROP, "routing_key": REPORT, "declare": []}
    return {"queue": queue(name, made=name == REPORT)}


def make_app(settings: BrokerSettings, queues: Sequence[str] = ()) -> Celery:
    """Return a Celery app for the broker; a worker of it consumes ``queues``, which a director has made.

    Raises ``ConfigurationError`` for a broker that cannot be used as it is written.
    """
    url = broker_url(settings.url)
    schemes.load(url)
    app = Celery("nightowl", set_as_current=False)
    app.amqp.Connection = Connection
    app.conf.update(
        broker_url=url,
        broker_transport_options=transport_options(settings) | (_taking(settings) if queues else {}),
        broker_connection_timeout=CONNECT_TIMEOUT,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # for ever; by default a worker gives up after 100 tries
        broker_heartbeat=0,  # with an event connection each loop of a gevent worker waits 0.1 s for heartbeats
        broker_pool_limit=2,
        task_queues=[queue(name, made=True) for name in queues],
        task_ignore_result=True,
        result_backend=None,
        task_serializer=SERIALIZER,
        accept_content=[SERIALIZER],
        worker_cancel_long_running_tasks_on_connection_loss=True,  # there are none; without it Celery warns
        worker_enable_prefetch_count_reduction=False,  # a batch is done when it is handed on
        worker_prefetch_multiplier=1,
        worker_redirect_stdouts=False,
        worker_hijack_root_logger=False,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        enable_utc=True,
    )
    if options := _tls(settings):
        app.conf.broker_use_ssl = options
    return app


def broker_url(url: str) -> str:
    """Return the URL as kombu wants it: an SQLAlchemy URL of a database may stand for a broker."""
    if not url or url == "memory://":
        return "memory://localhost/"
    scheme = url.split("://", 1)[0]
    if scheme.split("+")[0] in ("sqla", "sqlalchemy"):
        return f"{schemes.SQL}+{url.split('+', 1)[1]}"
    if scheme.split("+")[0] in ("mysql", "mariadb", "postgresql", "sqlite"):
        return f"{schemes.SQL}+{url}"
    return f"{schemes.FOLDER}://localhost/" if scheme == "filesystem" else url


def transport_options(settings: BrokerSettings) -> dict[str, Any]:
    """Return kombu's options: how often to poll, the folders of a filesystem broker, confirmed publishing."""
    scheme = broker_url(settings.url).split("://", 1)[0]
    options: dict[str, Any] = {"polling_interval": POLLING_INTERVAL}
    if scheme.startswith(schemes.SQL):
        options = {"connect_args": _sql_arguments(settings, scheme)}
    elif speaks_amqp(scheme):
        options = {"confirm_publish": True, "read_timeout": 30, "write_timeout": 30}
    elif scheme in ("redis", "rediss"):
        _require_database(settings.url)
        options = {"socket_connect_timeout": CONNECT_TIMEOUT, "socket_keepalive": True, "health_check_interval": 25}
        options["socket_timeout"] = ANSWER_TIMEOUT
        options |= REDIS_KEYS
        options["visibility_timeout"] = schemes.RETURN  # what a killed director held comes back in its turn
    elif scheme == schemes.FOLDER:
        options |= _folders(unquote(urlsplit(settings.url).path))
    return options | dict(settings.transport_options)


def _taking(settings: BrokerSettings) -> dict[str, Any]:
    """Return kombu's options for who takes batches: what was taken is noted in no place that others may see.

    A director sends again what is not reported, long before Redis would give it back.
    """
    return {"ack_emulation": False} if settings.url.startswith("redis") else {}


def _folders(path: str) -> dict[str, Any]:
    messages, control = Path(path) / "messages", Path(path) / "control"
    try:
        for folder in (messages, control):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        found = f'"filesystem://{path}" ({(error.strerror or "not usable").lower()})'
        raise _refused(found, "a folder that can be made and written") from None
    return {"data_folder_in": str(messages), "data_folder_out": str(messages), "control_folder": str(control)}


def _require_database(url: str) -> None:
    """Refuse a Redis database that is no number, which would fail at every connection."""
    path = urlsplit(url).path.strip("/")
    if path and not path.isdecimal():
        raise _refused(f'"{without_password(url)}"', "redis://HOST:PORT/N, N being the number of a database")


def _refused(found: str, allowed: str) -> ConfigurationError:
    return ConfigurationError([Mistake(file="", key="bus.broker", found=found, allowed=allowed)])


def speaks_amqp(url: str) -> bool:
    """Whether the broker is RabbitMQ, which has exchanges and permissions for them."""
    return url.split("://", 1)[0] in ("amqp", "amqps", "pyamqp")


def speaks_tls(settings: BrokerSettings) -> bool:
    """Whether the broker is one that is spoken to over TLS by its scheme."""
    return broker_url(settings.url).split("://", 1)[0] in ("amqps", "rediss")


def _tls(settings: BrokerSettings) -> dict[str, Any]:
    """Return kombu's TLS options (none: no TLS). The broker's certificate and its host name are always verified."""
    if not speaks_tls(settings):
        return {}
    tls.prove(settings.files)
    redis = settings.url.startswith("rediss")
    return tls.redis_options(settings.files) if redis else tls.amqp_options(settings.url, settings.files)


def _sql_arguments(settings: BrokerSettings, scheme: str) -> dict[str, Any]:
    """Return what the database's driver takes: time limits in seconds, and TLS where files are given."""
    if "sqlite" in scheme:
        return {}
    limits = {"connect_timeout": int(CONNECT_TIMEOUT)}
    if "postgresql" in scheme:
        files = {"sslrootcert": settings.ca, "sslcert": settings.certificate, "sslkey": settings.key}
        given = {name: value for name, value in files.items() if value}
        return limits | given | ({"sslmode": "verify-full"} if given else {})
    files = {"ca": settings.ca, "cert": settings.certificate, "key": settings.key}
    given = {name: value for name, value in files.items() if value}
    return limits | {"read_timeout": 30, "write_timeout": 30} | ({"ssl": given} if given else {})
