"""The Celery app of the acceptance fleet, as its workers and its client are configured."""

from __future__ import annotations

import os
from dataclasses import dataclass

from celery import Celery

POOLS = ("prefork", "threads", "gevent", "solo")


@dataclass(frozen=True)
class Place:
    """Where a fleet works: its broker, a folder for results, and whether ``task-sent`` events are sent."""

    broker: str
    results: str
    sent_events: bool = True

    def environment(self, pool: str) -> dict[str, str]:
        """What the process of the worker with this pool is told."""
        return os.environ | {
            "FLEET_POOL": pool,
            "FLEET_BROKER": self.broker,
            "FLEET_RESULTS": self.results,
            "FLEET_SENT": str(int(self.sent_events)),
        }

    @classmethod
    def of_environment(cls) -> Place:
        """What this process was told."""
        environ = os.environ
        return cls(environ["FLEET_BROKER"], environ["FLEET_RESULTS"], environ["FLEET_SENT"] == "1")


def node(pool: str) -> str:
    """The node name of the worker with this pool: all are on one host."""
    return f"{pool}@web-1"


def queue(pool: str) -> str:
    """The one queue that it consumes: with a name that has to be quoted nearly everywhere."""
    return f"{pool}/r&d"


def make_app(place: Place, pool: str = "solo") -> Celery:
    """An app that nobody else sees; what it sends goes to the worker with this pool.

    Results are files, for chords need them and RabbitMQ keeps none.
    """
    app = Celery("fleet", broker=place.broker, backend=f"file://{place.results}", set_as_current=False)
    app.conf.update(
        broker_connection_retry_on_startup=True,
        broker_heartbeat=0,
        task_default_queue=queue(pool),
        task_send_sent_event=place.sent_events,
        worker_send_task_events=True,
        worker_prefetch_multiplier=0,  # a task that is due later never waits for a place
    )
    return app
