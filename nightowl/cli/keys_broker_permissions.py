"""``nightowl keys broker-permissions``: the commands that make a broker's users."""

from __future__ import annotations

import click

from nightowl.cli.opening import config_option, errors_told
from nightowl.wire.bus import permissions
from nightowl.wire.checks import load_configuration


@click.command("broker-permissions")
@config_option
@click.option(
    "--broker",
    "kind",
    type=click.Choice(["rabbitmq", "redis"]),
    help="What the broker will be, where [bus] broker is no URL of it yet.",
)
def broker_permissions(path: str, kind: str | None) -> None:
    """Print the commands that make the users of the broker: one for directors, and one for the actors of each location.

    There is one for evaluators, too, where a rule looks at a source.

    A location's user may take the jobs of that location and put reports, and nothing else. The commands are for the
    administrator of the broker and can be run again, for example when a location is added. They make a password for
    each user in the folder passwords, unless it is there, and print none. Redis has to be of version 7 or later.

    \b
    nightowl keys broker-permissions > users.sh && less users.sh && sh -e users.sh
    """  # noqa: D301 - \b is the character by which click keeps the lines
    with errors_told():
        for broker in permissions(load_configuration(path), kind or ""):
            click.echo(f"# {broker.about}")
            click.echo("\n".join(broker.commands))
