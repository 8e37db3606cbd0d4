"""What commands share: the configuration option, the store behind it, and errors as one message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from getpass import getuser
from pathlib import Path

import click

from nightowl.config import Configuration
from nightowl.core.errors import ConfigurationError, NightOwlError, SchemaOutdated, Unavailable
from nightowl.ports import Store
from nightowl.wire.checks import load_configuration
from nightowl.wire.store import open_store

CANNOT_START = (ConfigurationError, SchemaOutdated, Unavailable)

USUAL = "nightowl.toml"
"""The configuration that is meant where none is named."""

config_option = click.option(
    "-c", "--config", "path", default=USUAL, show_default=True, help="A TOML file, or a folder of them."
)

store_option = click.option(
    "-c",
    "--config",
    "path",
    default=lambda: USUAL if Path(USUAL).exists() else None,
    help=f"A TOML file, or a folder of them. Without one: {USUAL} where it is here, else the defaults, as of up.",
)
"""For commands that need the store: what ``up`` without a configuration keeps is found without one, too."""


@contextmanager
def errors_told() -> Iterator[None]:
    """Tell an error in one message and leave: 2 where nothing could begin, else 1."""
    try:
        yield
    except NightOwlError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2 if isinstance(error, CANNOT_START) else 1) from None


@contextmanager
def configured(path: str | None) -> Iterator[tuple[Configuration, Store]]:
    """Load a configuration (None: the defaults) and open its store; errors are told."""
    with errors_told():
        configuration = load_configuration(path)
        with closing(open_store(configuration)) as store:
            yield configuration, store


def account() -> str:
    """Who runs the command, by the name of their account; empty where it has none."""
    try:
        return getuser()
    except (KeyError, OSError):
        return ""
