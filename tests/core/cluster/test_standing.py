"""How a cluster stands, in words."""

from __future__ import annotations

from nightowl.core.cluster.standing import UNHEARD, fault_of, standing, unreadable
from nightowl.core.cluster.state import ClusterState

NOW = 1_790_000_000.0


def test_a_broker_that_carries_no_events_leaves_the_queues_and_nothing_is_wrong_with_that() -> None:
    silent = ClusterState(name="shop", at=NOW, since=0.0, silent="this kind of broker carries no events of Celery")
    assert standing(silent, NOW) == (
        "up",
        "Only its queues are seen, as this kind of broker carries no events of Celery; nothing waiting.",
    )
    assert unreadable([silent], NOW) == []


def test_a_broker_that_cannot_be_read_is_named_with_its_cluster_as_long_as_its_watcher_is_heard() -> None:
    away = "the broker at 127.0.0.1:6379 does not answer: Connection refused"
    states = [
        ClusterState(name="shop", at=NOW - UNHEARD, since=0.0, fault=away),
        ClusterState(name="well", at=NOW, since=0.0),
        ClusterState(name="old", at=NOW - UNHEARD - 1, since=0.0, fault=away),
    ]
    assert unreadable(states, NOW) == [f"the cluster shop is not read: {away}"]
    assert fault_of("well", "") == ""
