"""One process of an actor. It is started patched by gevent, and ends with the process that started it."""

from __future__ import annotations

import os
import threading
import time

import click

from nightowl.cli.actor_source import Source, source_options
from nightowl.cli.logs import log_option, log_to_stderr
from nightowl.cli.opening import errors_told
from nightowl.roles.actor import ActorRole
from nightowl.roles.gathering import run


@click.command()
@source_options
@click.option("--location", "locations", multiple=True)
@log_option
def main(locations: tuple[str, ...], style: str, **source: str | None) -> None:
    """Run checks until told to stop, or until the parent process is gone."""
    log_to_stderr(style)
    stop = threading.Event()
    threading.Thread(target=_end_with_parent, args=(stop, os.getppid()), daemon=True).start()
    with errors_told():
        configuration = Source(**source).configuration(locations)
        role = ActorRole(lambda: configuration, locations, pool="gevent")
    raise SystemExit(run([role], stop=stop))


def _end_with_parent(stop: threading.Event, parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    stop.set()
