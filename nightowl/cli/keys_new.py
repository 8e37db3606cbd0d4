"""``nightowl keys new``: make a location key."""

from __future__ import annotations

import click

from nightowl.config.keys import new_key


@click.command()
def new() -> None:
    """Print a new location key, to be kept in a file that only NightOwl reads.

    What its location's actors and the director say to one another is sealed with it. `nightowl location add` makes
    one for a new location; this command makes the next one when a key is to be replaced.

    \b
    (umask 077; nightowl keys new > keys/sydney-2.key)
    """  # noqa: D301 - \b is the character by which click keeps the lines
    click.echo(new_key())
