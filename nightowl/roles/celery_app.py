"""The roles of ``celery -A APP nightowl``: all that one cluster needs, in one process."""

from __future__ import annotations

from collections.abc import Callable

from nightowl.roles.director import DirectorRole
from nightowl.roles.following import FollowingRole
from nightowl.roles.gathering import Role
from nightowl.roles.installation import Installation
from nightowl.roles.notifier import NotifierRole
from nightowl.roles.reaching import reach
from nightowl.roles.watcher import WatcherRole
from nightowl.roles.web import WebRole
from nightowl.wire.own_app import OwnApp


def roles(installation: Installation, own: OwnApp, *, ready: Callable[[int], None]) -> list[Role]:
    """Return the roles in the order in which they end; ``ready`` is called with the web's port once it answers."""
    reach(installation, defines=True)
    watcher = WatcherRole(installation, own=own)
    director, notifier = DirectorRole(installation), NotifierRole(installation)
    working: list[Role] = [watcher, director, notifier]

    def faults() -> list[str]:
        return [role.fault for role in working if role.fault]

    web = WebRole(installation, faults, ready, watcher.flower_metrics, own=own)
    return [FollowingRole(installation, defines=True), web, *working]
