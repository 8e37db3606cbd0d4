"""``--listen``: an address for the health and the metrics of a role without pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from nightowl.core.values import Sample
from nightowl.roles.gathering import Role
from nightowl.roles.listening import ListeningRole

listen_option = click.option(
    "--listen", default="", metavar="HOST:PORT", help="Serve this role's own /health and /metrics there."
)


def listeners(address: str, role: Role, figures: Callable[[], Sequence[Sample]] = list) -> list[Role]:
    """Return what listens for a role: nothing, or one listener. Raises ``ConfigurationError``."""
    return [ListeningRole(address, role, figures)] if address else []
