"""``nightowl notifier``: the role that sends notices."""

from __future__ import annotations

import click

from nightowl.cli.listen import listen_option, listeners
from nightowl.cli.logs import log_option, log_to_stderr
from nightowl.cli.opening import config_option, errors_told
from nightowl.cli.starting import tell_start
from nightowl.roles.following import FollowingRole
from nightowl.roles.gathering import Role, run
from nightowl.roles.installation import Installation
from nightowl.roles.notifier import NotifierRole
from nightowl.roles.reaching import reach


@click.command()
@config_option
@listen_option
@log_option
def notifier(path: str, listen: str, style: str) -> None:
    """Send notices to their channels until stopped; any number of notifiers may run."""
    log_to_stderr(style)
    with errors_told():
        installation = Installation(path)
        tell_start("notifier", installation.current())
        reach(installation, tasks=False)
        sending = NotifierRole(installation)
        roles: list[Role] = [FollowingRole(installation, defines=False), sending, *listeners(listen, sending)]
    raise SystemExit(run(roles, reload=installation.reload))
