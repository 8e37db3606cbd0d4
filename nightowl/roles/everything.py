"""All roles of an installation, for one process."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nightowl.roles.actor import ActorRole
from nightowl.roles.director import DirectorRole
from nightowl.roles.evaluator import EvaluatorRole
from nightowl.roles.following import FollowingRole
from nightowl.roles.gathering import Role
from nightowl.roles.installation import Installation
from nightowl.roles.notifier import NotifierRole
from nightowl.roles.reaching import reach
from nightowl.roles.self_ping import SelfPingRole
from nightowl.roles.sinks import SinksRole
from nightowl.roles.watcher import WatcherRole
from nightowl.roles.web import WebRole, metrics_listeners


def everything(installation: Installation, locations: Sequence[str], *, ready: Callable[[int], None]) -> list[Role]:
    """Return the roles in the order in which they end: an actor's last reports still find the director.

    ``locations`` are those whose checks run here; ``ready`` is called with the web's port once it answers.
    """
    reach(installation, defines=True)
    director, notifier = DirectorRole(installation), NotifierRole(installation)
    actor = ActorRole(installation.current, locations)
    evaluator = EvaluatorRole(installation.current)
    watcher = WatcherRole(installation)
    working: list[Role] = [actor, evaluator, watcher, director, notifier]

    def faults() -> list[str]:
        return [role.fault for role in working if role.fault]

    web = WebRole(installation, faults, ready, watcher.metrics)
    pinging = SelfPingRole(installation, lambda: director.works)
    listening = metrics_listeners(installation, watcher.metrics)
    return [FollowingRole(installation, defines=True), pinging, web, *listening, SinksRole(installation), *working]
