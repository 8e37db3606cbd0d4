"""Where watchers write how their clusters are, as a dictionary."""

from __future__ import annotations

from nightowl.core.cluster.state import ClusterState
from nightowl.core.errors import StoreUnavailable


class KeptStates:
    """Gives out what a test put into ``kept``, by name of the cluster. ``away``: it does not answer."""

    def __init__(self) -> None:
        self.kept: dict[str, ClusterState] = {}
        self.away = False

    def states(self) -> list[ClusterState]:
        """How every cluster was seen last, by name."""
        if self.away:
            raise StoreUnavailable("the task store is away, by the test's wish")
        return [self.kept[name] for name in sorted(self.kept)]
