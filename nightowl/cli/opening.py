"""What commands share: the configuration option, and errors as one message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser

import click

from nightowl.core.errors import ConfigurationError, NightOwlError, SchemaOutdated, Unavailable

CANNOT_START = (ConfigurationError, SchemaOutdated, Unavailable)

USUAL = "nightowl.toml"
"""The configuration that is meant where none is named."""

config_option = click.option(
    "-c", "--config", "path", default=USUAL, show_default=True, help="A TOML file, or a folder of them."
)


@contextmanager
def errors_told() -> Iterator[None]:
    """Tell an error in one message and leave: 2 where nothing could begin, else 1."""
    try:
        yield
    except NightOwlError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2 if isinstance(error, CANNOT_START) else 1) from None


def account() -> str:
    """Who runs the command, by the name of their account; empty where it has none."""
    try:
        return getuser()
    except (KeyError, OSError):
        return ""
