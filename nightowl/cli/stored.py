"""What commands that need the store share: their option, and the store behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import click

from nightowl.cli.opening import USUAL, errors_told
from nightowl.config import Configuration
from nightowl.ports import Store
from nightowl.wire.checks import load_configuration
from nightowl.wire.store import open_store

store_option = click.option(
    "-c",
    "--config",
    "path",
    default=lambda: USUAL if Path(USUAL).exists() else None,
    help=f"A TOML file, or a folder of them. Without one: {USUAL} where it is here, else the defaults, as of up.",
)
"""For commands that need the store: what ``up`` without a configuration keeps is found without one, too."""


@contextmanager
def configured(path: str | None) -> Iterator[tuple[Configuration, Store]]:
    """Load a configuration (None: the defaults) and open its store; errors are told."""
    with errors_told():
        configuration = load_configuration(path)
        with closing(open_store(configuration)) as store:
            yield configuration, store
