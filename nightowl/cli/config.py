"""``nightowl config``: prove, show and begin a configuration."""

from __future__ import annotations

import json
from pathlib import Path

import click
import tomli_w

from nightowl.cli.opening import config_option, errors_told
from nightowl.config.schema import schema as json_schema
from nightowl.config.settings import Configuration
from nightowl.config.showing import effective
from nightowl.config.starter import STARTER
from nightowl.core.errors import ConfigurationError
from nightowl.wire import notices
from nightowl.wire.checks import load_configuration
from nightowl.wire.installed import installed


@click.group()
def config() -> None:
    """Prove, show and begin a configuration."""


@config.command()
@config_option
def check(path: str) -> None:
    """Say every mistake of a configuration (exit 2), or that there is none."""
    with errors_told():
        loaded = load_configuration(path)
        if mistakes := list(notices.mistakes(loaded)):
            raise ConfigurationError(mistakes)
        click.echo(f"{path}: valid; {_summary(loaded)}")
        for hint in loaded.hints:
            click.echo(f"hint {hint}")


@config.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of TOML.")
def show(path: str, as_json: bool) -> None:
    """Print the configuration as it takes effect: with defaults, without secrets."""
    with errors_told():
        shown = effective(path, **installed())
        click.echo(json.dumps(shown, indent=2) if as_json else tomli_w.dumps(shown).rstrip())


@config.command()
def schema() -> None:
    """Print the JSON Schema of configuration files, for editors."""
    click.echo(json.dumps(json_schema(), indent=2))


@config.command()
@click.argument("path", default="nightowl.toml", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def init(path: Path, force: bool) -> None:
    """Write a commented file to start from."""
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(STARTER)
    except FileExistsError:
        _fail(f"{path} is there already; --force replaces it")
    except OSError as error:
        _fail(f"{path} cannot be written: {(error.strerror or 'unknown error').lower()}")
    click.echo(f"Wrote {path}. Next: nightowl up -c {path}")


def _summary(loaded: Configuration) -> str:
    counted = {
        "location": len(loaded.locations),
        "cluster": len(loaded.clusters),
        "check": len(loaded.checks),
        "rule": len(loaded.rules),
        "source": len(loaded.sources),
        "sink": len(loaded.sinks),
        "channel": len(loaded.channels),
        "route": len(loaded.routes),
        "user": len(loaded.users),
    }
    return ", ".join(f"{count} {what}{'' if count == 1 else 's'}" for what, count in counted.items())


def _fail(message: str) -> None:
    click.echo(message, err=True)
    raise SystemExit(2)
