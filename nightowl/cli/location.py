"""``nightowl location``: places that run checks."""

from __future__ import annotations

import click

from nightowl.cli.location_add import add


@click.group()
def location() -> None:
    """Add places that run checks."""


location.add_command(add)
