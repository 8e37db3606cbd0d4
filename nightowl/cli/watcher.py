"""``nightowl watcher``: the role that watches Celery clusters."""

from __future__ import annotations

import click

from nightowl.cli.listen import listen_option, text_listeners
from nightowl.cli.logs import log_option, log_to_stderr
from nightowl.cli.opening import config_option, errors_told
from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.roles.following import FollowingRole
from nightowl.roles.gathering import Role, run
from nightowl.roles.installation import Installation
from nightowl.roles.reaching import reach
from nightowl.roles.watcher import WatcherRole


@click.command()
@config_option
@click.option("--cluster", "clusters", multiple=True, metavar="NAME", help="Watch this one; may be repeated.")
@listen_option
@log_option
def watcher(path: str, clusters: tuple[str, ...], listen: str, style: str) -> None:
    """Watch Celery clusters until stopped: all of the configuration, or those that --cluster names.

    Of several processes that are to watch one cluster one does, and the others stand by. A watcher needs the cluster's
    broker and the store, and waits for a store that is away. With --listen its /metrics are celery-exporter's, live.
    """
    log_to_stderr(style)
    with errors_told():
        installation = Installation(path)
        known = installation.current().clusters
        if unknown := [name for name in clusters if name not in known]:
            allowed = f"a declared cluster ({', '.join(known) or 'there is none'})"
            raise ConfigurationError([Mistake(file="", key="--cluster", found=unknown[0], allowed=allowed)])
        reach(installation)
        watching = WatcherRole(installation, clusters)
        roles: list[Role] = [FollowingRole(installation, defines=False), watching]
        roles += text_listeners(listen, watching, watching.metrics)
    raise SystemExit(run(roles, reload=installation.reload))
