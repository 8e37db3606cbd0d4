"""From Flower's options to a configuration with one cluster."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from nightowl.config.flower.given import Given
from nightowl.config.settings import Configuration, Retention, Server
from nightowl.core.cluster.settings import ClusterSettings, FlowerSettings, MetricsSettings
from nightowl.core.redaction import without_password
from nightowl.core.values import User

PROXIES = ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
"""Whose word ``xheaders`` makes believed: that of proxies in private networks. Flower believes everybody."""

ANYWHERE = "0.0.0.0"  # noqa: S104 - what Flower's empty address means; who comes from elsewhere has to sign in


def configuration(given: Given, cluster: ClusterSettings, folder: Path, hashed: Callable[[str], str]) -> Configuration:
    """Return a configuration that watches ``cluster``, with these options.

    ``folder`` is where the store lies unless ``db`` says otherwise; ``hashed`` makes a password's hash.
    """
    pairs = tuple(given.get("basic_auth", ()))
    buckets = given.get("task_runtime_metric_buckets")
    return Configuration(
        server=_server(given),
        store_url=f"sqlite:///{_store_path(given, cluster, folder)}",
        retention=Retention(max_tasks=given.get("max_tasks")),
        clusters={cluster.name: _cluster(given, cluster)},
        metrics=MetricsSettings(runtime_buckets=buckets) if buckets else MetricsSettings(),
        flower=FlowerSettings(
            basic_auth=pairs,
            unauthenticated_api=given.unauthenticated_api,
            patience=given.get("inspect_timeout", 1000.0) / 1000.0,
        ),
        users=tuple(_user(pair, hashed) for pair in pairs),
    )


def _server(given: Given) -> Server:
    prefix = str(given.get("url_prefix", "")).strip("/")
    tls = bool(given.get("certfile"))
    return Server(
        listen_host=given.get("address") or ANYWHERE,
        listen_port=given.get("port", 5555),
        url_prefix=f"/{prefix}" if prefix else "",
        trusted_proxies=PROXIES if given.get("xheaders") else (),
        secret_key=given.get("cookie_secret", ""),
        unix_socket=given.path("unix_socket"),
        certificate=given.path("certfile"),
        key=given.path("keyfile"),
        client_ca=given.path("ca_certs") if tls else "",
    )


def _cluster(given: Given, cluster: ClusterSettings) -> ClusterSettings:
    return replace(
        cluster,
        rabbitmq_api=given.get("broker_api", cluster.rabbitmq_api),
        enable_events=given.get("enable_events", True),
        purge_offline_workers=float(given.get("purge_offline_workers", 0)),
        control=not given.get("read_only", False),
    )


def _store_path(given: Given, cluster: ClusterSettings, folder: Path) -> Path:
    """Return the file of the store: its own for each cluster of this machine, told apart by app and broker."""
    if given.get("persistent"):
        return Path(f"{given.get('db', 'flower')}.nightowl.db").expanduser().absolute()
    mark = hashlib.sha256(without_password(cluster.broker).encode()).hexdigest()[:8]
    return folder / f"{cluster.name}-{mark}.db"


def _user(pair: str, hashed: Callable[[str], str]) -> User:
    name, _, password = pair.partition(":")
    return User(name=name, role="admin", password_hash=hashed(password), origin="file")
