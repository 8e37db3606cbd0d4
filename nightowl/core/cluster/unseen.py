"""What a watcher cannot see of a cluster as it is configured, with the setting that mends it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from nightowl.core.cluster.inspection import losing_events
from nightowl.core.cluster.selection import listed
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.cluster.state import Worker

RABBITMQ = frozenset({"amqp", "amqps", "pyamqp"})


PUSHED = (
    "Events are pushed, so that not all of what is lost is told as a gap: a client that ends while NightOwl cannot be "
    "reached takes its last task-sent with it, and a process that is killed what it had not sent yet."
)


def unseen(settings: ClusterSettings, workers: Collection[Worker], *, pushes: bool = False) -> Iterator[str]:
    """Yield sentences; of workers those that are up and were asked count. ``pushes``: workers pushed events lately."""
    table = f"[cluster.{settings.name}]"
    quiet = sorted(worker.name for worker in workers if worker.up and worker.inspected and not worker.events_on)
    if quiet and not settings.enable_events:
        yield f"Tasks of {listed(quiet)} are not told of: run it with -E, or set enable_events = true in {table}."
    yield from losing_events(workers)
    if pushes:
        yield PUSHED
    yield from unset(settings).values()


def unset(settings: ClusterSettings) -> dict[str, str]:
    """Return what the settings alone leave unseen: sentences by the part of the cluster."""
    table = f"[cluster.{settings.name}]"
    found = {}
    if settings.broker.partition(":")[0] in RABBITMQ and not settings.rabbitmq_api:
        found["management"] = (
            "How many messages workers hold, how old the oldest is, and the memory and alarms of RabbitMQ are unknown: "
            f"set rabbitmq_api in {table}."
        )
    if not settings.app and not settings.beat:
        found["beat"] = (
            "What beat is to send, and when, is unknown: set app or beat in "
            f"{table}, or watch single jobs by a check of the kind task."
        )
    if not settings.backend:
        found["results"] = f"Results cannot be read, nor tasks be asked to end by themselves: set backend in {table}."
    return found
