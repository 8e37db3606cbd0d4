"""``nightowl health``: does a role of this machine work?"""

from __future__ import annotations

import time

import click

from nightowl.roles.pulse import FRESH, signs


@click.command()
@click.option(
    "--role",
    required=True,
    type=click.Choice(["director", "actor", "evaluator", "watcher", "notifier"]),
    help="The role asked for.",
)
def health(role: str) -> None:
    """Say whether a role of this machine works: exit 0 where one of its processes does, else 1.

    For containers and service managers; over HTTP a role says the same at /health of its --listen address, and the
    web at its own. A process works while its loop turns and it can reach its broker and store.
    """
    now = time.time()
    found = signs(role)
    for sign in found:
        age = now - sign.at
        if age > FRESH:
            click.echo(f"{role} {sign.pid}: no sign of life for {age:.0f} s")
        else:
            click.echo(f"{role} {sign.pid}: {sign.fault or 'works'}")
    if not found:
        click.echo(f"{role}: no process of this role runs here")
    raise SystemExit(0 if any(now - sign.at <= FRESH and not sign.fault for sign in found) else 1)
