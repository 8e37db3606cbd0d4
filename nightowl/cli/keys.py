"""``nightowl keys``: what keeps strangers out of the traffic with actors."""

from __future__ import annotations

import click

from nightowl.cli.keys_broker_permissions import broker_permissions
from nightowl.cli.keys_new import new


@click.group()
def keys() -> None:
    """Make what keeps strangers out of the traffic between directors and actors."""


keys.add_command(new)
keys.add_command(broker_permissions)
