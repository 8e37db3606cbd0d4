"""``nightowl web``: the role that serves pages, API and metrics."""

from __future__ import annotations

import click

from nightowl.cli.logs import log_option, log_to_stderr
from nightowl.cli.opening import config_option, errors_told
from nightowl.cli.starting import tell_start
from nightowl.roles.broker_watch import BrokerWatchRole
from nightowl.roles.cluster_watch import ClusterWatchRole
from nightowl.roles.following import FollowingRole
from nightowl.roles.gathering import Role, run
from nightowl.roles.installation import Installation
from nightowl.roles.reaching import reach
from nightowl.roles.web import WebRole, metrics_listeners


@click.command()
@config_option
@log_option
def web(path: str, style: str) -> None:
    """Serve pages, API and metrics at the address of [server] listen; any number may run over one store."""
    log_to_stderr(style)
    with errors_told():
        installation = Installation(path)
        tell_start("web", installation.current())
        reach(installation)
        looking: list[Role] = [BrokerWatchRole(installation.current()), ClusterWatchRole(installation)]
        serving = WebRole(installation, faults=lambda: [role.fault for role in looking if role.fault], ready=_tell_port)
        following = FollowingRole(installation, defines=False)
        roles: list[Role] = [following, serving, *metrics_listeners(installation), *looking]
    raise SystemExit(run(roles, reload=installation.reload))


def _tell_port(port: int) -> None:
    click.echo(f"NightOwl's pages are served on port {port}", err=True)
