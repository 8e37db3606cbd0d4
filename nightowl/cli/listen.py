"""``--listen``: an address for the health and the metrics of a role without pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click
from msgspec.structs import replace

from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.core.values import Sample
from nightowl.roles.gathering import Role
from nightowl.roles.listening import ListeningRole, role_metrics
from nightowl.web.handlers import ClusterMetrics

listen_option = click.option(
    "--listen", default="", metavar="HOST:PORT", help="Serve this role's own /health and /metrics there."
)


def place(address: str) -> tuple[str, int]:
    """Return host and port of a ``HOST:PORT`` that was given as ``--listen``. Raises ``ConfigurationError``."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ConfigurationError([Mistake(file="", key="--listen", found=f'"{address}"', allowed="HOST:PORT")])
    return host.strip("[]"), int(port)


@contextmanager
def naming_listen() -> Iterator[None]:
    """Add to the message about an address of pages that is taken that ``--listen`` gives another."""
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError([_naming_listen(mistake) for mistake in error.mistakes]) from None


def _naming_listen(mistake: Mistake) -> Mistake:
    if mistake.file or mistake.key != "server.listen":
        return mistake
    return replace(mistake, allowed=f"{mistake.allowed}; --listen HOST:PORT gives another")


def listeners(address: str, role: Role, figures: Callable[[], Sequence[Sample]] = list) -> list[Role]:
    """Return what listens for a role: nothing, or one listener. Raises ``ConfigurationError``."""
    return _listeners(address, role, lambda *_, **__: role_metrics(role, figures()))


def text_listeners(address: str, role: Role, text: ClusterMetrics) -> list[Role]:
    """Return what listens for a role that writes metrics by itself: of one cluster, or of all after its process's."""

    def written(cluster: str, *, flower: bool = False) -> str:
        return text(cluster, flower=flower) if cluster else role_metrics(role, ()) + text("")

    return _listeners(address, role, written)


def _listeners(address: str, role: Role, metrics: ClusterMetrics) -> list[Role]:
    if not address:
        return []
    return [ListeningRole(*place(address), key="--listen", fault=lambda: role.fault, metrics=metrics)]
