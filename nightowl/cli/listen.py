"""``--listen``: an address for the health and the metrics of a role without pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.core.values import Sample
from nightowl.roles.gathering import Role
from nightowl.roles.listening import ListeningRole, role_metrics

listen_option = click.option(
    "--listen", default="", metavar="HOST:PORT", help="Serve this role's own /health and /metrics there."
)


def listeners(address: str, role: Role, figures: Callable[[], Sequence[Sample]] = list) -> list[Role]:
    """Return what listens for a role: nothing, or one listener. Raises ``ConfigurationError``."""
    if not address:
        return []
    host, _, port = address.rpartition(":")
    if not port.isdecimal():
        raise ConfigurationError([Mistake(file="", key="--listen", found=f'"{address}"', allowed="HOST:PORT")])
    listener = ListeningRole(
        host.strip("[]"),
        int(port),
        key="--listen",
        fault=lambda: role.fault,
        metrics=lambda: role_metrics(role, figures()),
    )
    return [listener]
