"""``nightowl actor``: the role that runs checks at a location."""

from __future__ import annotations

import sys

import click

from nightowl.cli.actor_source import Source, source_options
from nightowl.cli.listen import listen_option, listeners
from nightowl.cli.logs import log_option, log_to_stderr
from nightowl.cli.opening import errors_told
from nightowl.cli.starting import refuse_memory, served, tell_start, warn_of_open_locations
from nightowl.roles.crew import Crew
from nightowl.roles.gathering import Role, run
from nightowl.wire.bus import prove

PATCHED = "from gevent import monkey; monkey.patch_all(); from nightowl.cli.actor_process import main; main()"
"""The actor's own process is patched by gevent before anything else is imported."""


@click.command()
@source_options
@click.option("--location", "locations", multiple=True, required=True, help="Where this actor is; may be repeated.")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes to run.")
@listen_option
@log_option
def actor(locations: tuple[str, ...], processes: int, listen: str, style: str, **source: str | None) -> None:
    """Run the checks of one location or several: each in its attempts, thousands at a time.

    Any number of actors and processes may serve a location; they share its queue. An actor needs the broker and the
    key of its location, and nothing else: no database. So one location needs no configuration file; the broker and the
    key come from the environment (and go to no command line, where others could read them):

    \b
    NIGHTOWL_BROKER=... NIGHTOWL_LOCATION_KEY=... nightowl actor --location sydney
    nightowl actor --location london --location tokyo -c nightowl.toml
    """  # noqa: D301 - \b is the character by which click keeps the lines
    log_to_stderr(style)
    given = Source(**source)
    command = [sys.executable, "-c", PATCHED, *given.arguments, "--log", style]
    crew = Crew("actor", [*command, *(part for name in locations for part in ("--location", name))], processes)
    with errors_told():
        configuration = given.configuration(locations)
        served(configuration, locations)
        refuse_memory(configuration, locations)
        prove(configuration, locations)
        tell_start("actor", configuration, locations, store=False)
        warn_of_open_locations(configuration, locations)
        roles: list[Role] = [crew, *listeners(listen, crew, crew.figures)]
    raise SystemExit(run(roles))
