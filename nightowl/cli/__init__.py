"""One file per command; joins wire and web."""

from __future__ import annotations

import click

from nightowl import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="nightowl")
def main() -> None:
    """Distributed monitoring and alerting, built on Celery and for Celery."""
