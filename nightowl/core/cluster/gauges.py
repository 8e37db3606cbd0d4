"""What is measured of workers, queues and brokers, by the names that it has on ``/metrics`` and in series.

A name stands without its prefix (``celery_``). What is not known is left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from nightowl.core.cluster.state import Broker, Queue, Worker

HELP = {
    "worker_up": "Whether the worker is heard.",
    "worker_stopped": "Whether the worker said goodbye.",
    "worker_tasks_active": "Tasks that the worker processes at the moment.",
    "worker_processes": "Processes or threads of the worker's pool.",
    "worker_prefetch_count": "Messages that the worker takes before it has acknowledged others.",
    "worker_memory_bytes": "The most memory that the worker's main process has taken.",
    "worker_clock_skew_seconds": "Seconds by which the worker's clock is fast; negative: slow.",
    "queue_length": "Messages that wait in the queue.",
    "queue_unacked": "Messages of the queue that are with a worker.",
    "queue_scheduled": "Messages of the queue that are with a worker and not due yet.",
    "queue_oldest_age_seconds": "Age of the oldest message that waits in the queue.",
    "active_consumer_count": "Consumers of the queue.",
    "active_worker_count": "Workers that consume the queue.",
    "active_process_count": "Pool processes of workers that consume the queue.",
    "broker_memory_bytes": "Memory that the broker takes.",
    "broker_clients": "Connections to the broker.",
    "broker_pubsub_buffer_bytes": "Events that Redis holds for subscribers that have not read them yet.",
    "broker_alarms": "Alarms that the broker has raised.",
}
"""What is said of each."""


def of_worker(worker: Worker) -> Iterator[tuple[str, float | None]]:
    """Yield what is measured of a worker."""
    yield "worker_up", int(worker.up)
    yield "worker_stopped", int(worker.goodbye)
    yield "worker_tasks_active", worker.active if worker.up else 0
    yield "worker_processes", worker.size if worker.up else 0
    yield "worker_prefetch_count", worker.prefetch
    yield "worker_memory_bytes", worker.memory
    yield "worker_clock_skew_seconds", worker.skew


def of_queue(queue: Queue) -> Iterator[tuple[str, float | None]]:
    """Yield what is measured of a queue."""
    yield "queue_length", queue.ready
    yield "queue_unacked", queue.unacked
    yield "queue_scheduled", queue.scheduled
    yield "queue_oldest_age_seconds", queue.age
    yield "active_consumer_count", queue.consumers
    yield "active_worker_count", queue.workers
    yield "active_process_count", queue.processes


def of_broker(broker: Broker | None) -> Iterator[tuple[str, float | None]]:
    """Yield what is measured of a broker (None: nothing is known of it)."""
    if broker is not None:
        yield "broker_memory_bytes", broker.memory
        yield "broker_clients", broker.clients
        yield "broker_pubsub_buffer_bytes", broker.pubsub_buffer
        yield "broker_alarms", len(broker.alarms)
