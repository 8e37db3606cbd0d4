"""``nightowl director``: the role that schedules rounds, takes in results and decides."""

from __future__ import annotations

import click

from nightowl.cli.listen import listen_option, listeners
from nightowl.cli.logs import log_option, log_to_stderr
from nightowl.cli.opening import config_option, errors_told
from nightowl.cli.starting import refuse_memory, tell_start, warn_of_open_locations
from nightowl.roles.director import DirectorRole
from nightowl.roles.following import FollowingRole
from nightowl.roles.gathering import Role, run
from nightowl.roles.installation import Installation
from nightowl.roles.reaching import reach
from nightowl.roles.self_ping import SelfPingRole
from nightowl.roles.sinks import SinksRole


@click.command()
@config_option
@listen_option
@log_option
def director(path: str, listen: str, style: str) -> None:
    """Schedule rounds, take in results, decide and raise incidents.

    Several directors may run over one PostgreSQL or MariaDB store: one leads, the others stand by and go on
    within seconds when it dies.
    """
    log_to_stderr(style)
    with errors_told():
        installation = Installation(path)
        configuration = installation.current()
        refuse_memory(configuration, configuration.locations)
        tell_start("director", configuration, configuration.locations)
        warn_of_open_locations(configuration, configuration.locations)
        reach(installation, defines=True)
        leading = DirectorRole(installation)
        pinging = SelfPingRole(installation, lambda: leading.works)
        sinks = SinksRole(installation)
        roles: list[Role] = [FollowingRole(installation, defines=True), pinging, sinks, leading]
        roles += listeners(listen, leading, lambda: [*leading.figures(), *sinks.figures()])
    raise SystemExit(run(roles, reload=installation.reload))
