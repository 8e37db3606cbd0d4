"""``nightowl up``: all roles in one process."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

import click
from msgspec.structs import replace

from nightowl.cli.listen import naming_listen, place
from nightowl.cli.logs import log_option, log_to_stderr
from nightowl.cli.opening import USUAL, errors_told
from nightowl.cli.starting import served
from nightowl.config import Configuration
from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.roles.everything import everything
from nightowl.roles.gathering import run
from nightowl.roles.installation import Installation
from nightowl.wire.brokers import for_brokers
from nightowl.wire.checks import for_urls

log = logging.getLogger(__name__)


@click.command()
@click.option("-c", "--config", "path", help="A TOML file, or a folder of them. Without one: defaults.")
@click.option("--check", "urls", multiple=True, metavar="URL", help="Check this URL every minute; may be repeated.")
@click.option(
    "--watch", "brokers", multiple=True, metavar="BROKER_URL", help="Watch the Celery cluster there; likewise."
)
@click.option("--listen", default="", metavar="HOST:PORT", help="Serve the pages there; wins over [server] listen.")
@click.option("--location", "locations", multiple=True, help="Run checks of this location only; may be repeated.")
@log_option
def up(
    path: str | None,
    urls: tuple[str, ...],
    brokers: tuple[str, ...],
    listen: str,
    locations: tuple[str, ...],
    style: str,
) -> None:
    """Run all roles in one process: director, actor, watcher, notifier and web.

    Nothing else needs to be installed: without a configuration the broker is in memory and the store is an SQLite
    file in the state folder.

    \b
    nightowl up                                 begin empty; the page explains the first steps
    nightowl up --check https://example.com/    check one site
    nightowl up --watch redis://127.0.0.1/0     watch one Celery cluster, which is called celery
    nightowl up --watch redis://a/0 --watch amqp://b//     watch two, called by their hosts a and b
    nightowl up -c nightowl.toml                as configured
    """  # noqa: D301 - \b is the character by which click keeps the lines
    log_to_stderr(style)
    with errors_told(), naming_listen():
        for key, given, table in (("--check", urls, "check"), ("--watch", brokers, "cluster")):
            if path is not None and given:
                raise _refused(key, "it together with -c", f"a [{table}.NAME] table in the configuration")
        fixed = replace(for_urls(urls), clusters=for_brokers(brokers)) if path is None else None
        installation = Installation(path, fixed=fixed, listen=place(listen) if listen else None)
        _tell_hints(installation.current(), unused=path is None and Path(USUAL).exists())
        roles = everything(
            installation,
            served(installation.current(), locations),
            ready=partial(_tell_address, installation.current().server.listen_host),
        )
    raise SystemExit(run(roles, reload=installation.reload))


def _tell_hints(configuration: Configuration, *, unused: bool) -> None:
    """Log what is likely not as meant."""
    if unused:
        log.info("%s is in this folder and is not used; -c %s uses it", USUAL, USUAL)
    for hint in configuration.hints:
        log.info("hint %s", hint)


def _refused(key: str, found: str, allowed: str) -> ConfigurationError:
    return ConfigurationError([Mistake(file="", key=key, found=found, allowed=allowed)])


def _tell_address(host: str, port: int) -> None:
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"NightOwl is at http://{shown}:{port}/ (Ctrl-C ends it)", err=True)
