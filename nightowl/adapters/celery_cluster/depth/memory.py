"""Depth of queues in this very process's memory."""

from __future__ import annotations

from collections.abc import Collection

from kombu.transport.memory import Channel

from nightowl.core.cluster.state import Broker, Queue


class MemoryDepth:
    """See ``ports.clusters.ClusterDepth``. Of another process's memory nothing is seen."""

    def queues(self, names: Collection[str]) -> list[Queue]:
        """How full these queues are; one that does not exist is empty."""
        return [Queue(name=name, ready=Channel.queues[name].qsize() if name in Channel.queues else 0) for name in names]

    def broker(self) -> Broker:
        """There is nothing to tell."""
        return Broker(kind="memory", url="memory://")

    def close(self) -> None:
        """Nothing is kept open."""
