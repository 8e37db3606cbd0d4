"""What cannot be seen as a cluster is configured, and what mends it."""

from __future__ import annotations

from msgspec.structs import replace

from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.cluster.state import Worker
from nightowl.core.cluster.unseen import unseen

BARE = ClusterSettings(name="shop", broker="amqp://h", enable_events=False)
WHOLE = ClusterSettings(name="shop", broker="redis://h", app="shop", backend="redis://h")


def worker(name: str, **fields: object) -> Worker:
    return Worker(**({"name": name, "up": True, "heard": 1.0, "since": 0.0, "inspected": 1.0} | fields))  # type: ignore[arg-type]


def test_each_thing_that_is_missing_is_named_with_its_setting() -> None:
    workers = [worker("a"), worker("b", events_on=True), worker("c", up=False), worker("d", inspected=None)]
    events, *others = unseen(BARE, workers)
    assert events == "Tasks of a are not told of: run it with -E, or set enable_events = true in [cluster.shop]."
    for sentence, setting in zip(others, ("rabbitmq_api", "app or beat", "backend"), strict=True):
        assert f"set {setting} in [cluster.shop]" in sentence


def test_what_no_gap_tells_of_a_cluster_that_pushes_is_said() -> None:
    (told,) = unseen(WHOLE, [worker("a")], pushes=True)
    assert "takes its last task-sent with it" in told


def test_nothing_is_said_where_all_is_set() -> None:
    assert list(unseen(WHOLE, [worker("a")])) == []
    assert list(unseen(replace(WHOLE, app="", beat="sqlite:///django.db"), [])) == []
    assert list(unseen(replace(WHOLE, broker="amqps://h", rabbitmq_api="https://h/api/"), [])) == []
