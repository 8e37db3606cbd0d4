"""``nightowl actor``: the role that runs checks at a location."""

from __future__ import annotations

import sys

import click

from nightowl.cli.listen import listen_option, listeners
from nightowl.cli.logs import log_option, log_to_stderr
from nightowl.cli.opening import config_option, errors_told
from nightowl.cli.starting import refuse_memory, tell_start
from nightowl.cli.up import served
from nightowl.roles.crew import Crew
from nightowl.roles.gathering import Role, run
from nightowl.wire.checks import load_configuration

PATCHED = "from gevent import monkey; monkey.patch_all(); from nightowl.cli.actor_process import main; main()"
"""The actor's own process is patched by gevent before anything else is imported."""


@click.command()
@config_option
@click.option("--location", "locations", multiple=True, required=True, help="Where this actor is; may be repeated.")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes to run.")
@listen_option
@log_option
def actor(path: str, locations: tuple[str, ...], processes: int, listen: str, style: str) -> None:
    """Run the checks of one location or several: each in its attempts, thousands at a time.

    Any number of actors and processes may serve a location; they share its queue. An actor needs the broker and
    nothing else: no database.
    """
    log_to_stderr(style)
    command = [sys.executable, "-c", PATCHED, "--config", path, "--log", style]
    crew = Crew("actor", [*command, *(part for name in locations for part in ("--location", name))], processes)
    with errors_told():
        configuration = load_configuration(path)
        served(configuration, locations)
        refuse_memory(configuration, locations)
        tell_start("actor", configuration, locations, store=False)
        roles: list[Role] = [crew, *listeners(listen, crew, crew.figures)]
    raise SystemExit(run(roles))
