"""What the ``graphite`` sink writes by its default paths, of a recorded fleet and of checks beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from nightowl.adapters.celery_cluster.events.decode import Sieve
from nightowl.core.cluster.events import Intake
from nightowl.core.cluster.figures import Figures
from nightowl.core.cluster.fold import Fold
from nightowl.core.cluster.sampling import Sampling
from nightowl.core.cluster.state import Broker, ClusterState, Queue, Worker
from nightowl.core.cluster.workers import Workers
from nightowl.core.values import Sample
from nightowl.flows.figures import Figures as OwnFigures
from tests.celery_fleet import recording

CLUSTER = "shop"
RECORDING = "redis-prefork"
PHASES = ("dns", "connect", "first_byte", "transfer")
ORDER = ("name", "queue_name", "hostname", "worker", "exception", "check", "location", "phase")
"""The labels of a path in their order; others follow by name."""


def path(sample: Sample, prefix: str) -> str:
    """``PREFIX.CLUSTER.METRIC.LABELS``; what there is not drops out."""
    labels = dict(sample.labels)
    parts = [labels.pop("cluster", ""), sample.metric]
    parts += [labels.pop(name) for name in ORDER if name in labels]
    parts += [labels[name] for name in sorted(labels)]
    return ".".join([prefix, *(re.sub(r"[^A-Za-z0-9_-]", "_", part) for part in parts if part)])


def points(prefix: str, end: int, seconds: int) -> Iterator[tuple[str, float, float]]:
    """Paths, values and times, a point for each of so many seconds: half of the fleet's events at first, then all."""
    half, whole = (_samples(share) for share in (0.5, 1.0))
    for at in range(end - seconds, end + 1):
        now = half if at < end - seconds // 2 else whole
        yield from ((name, value, float(at)) for name, value in now(prefix).items())


class _Known:
    def __init__(self, samples: list[Sample]) -> None:
        self._samples = samples

    def __call__(self, prefix: str) -> dict[str, float]:
        """The value at each path."""
        return {path(sample, prefix): sample.value for sample in self._samples}


def _samples(share: float) -> _Known:
    recorded = recording.load(RECORDING)
    (queue,) = recorded.queues.values()
    fold, sieve = Fold(Figures(), Workers(), default_queue=queue), Sieve()
    messages = recorded.messages[: int(len(recorded.messages) * share)]
    for message in messages:
        assert sieve.take(json.dumps(message["body"]).encode())
        fold.take([Intake(at=message["at"], events=sieve.empty()[0])], message["at"])
    at = messages[-1]["at"] + 10.0
    fold.settle(at)
    return _Known(
        [*Sampling().step(fold.figures, _state(tuple(recorded.queues), queue, at), at), *_checks(at), *_own(at)]
    )


def _state(nodes: tuple[str, ...], queue: str, at: float) -> ClusterState:
    measured = {"active": 1, "concurrency": 2, "prefetch": 2, "memory": 2**25, "skew": 0.1}
    workers = tuple(Worker(name=node, up=True, heard=at, since=at, **measured) for node in nodes)
    waiting = Queue(name=queue, ready=3, unacked=1, scheduled=0, age=2.0, consumers=1, workers=1, processes=2)
    broker = Broker(kind="redis", url="redis://a", memory=2**20, clients=5)
    return ClusterState(name=CLUSTER, at=at, since=at, broker=broker, workers=workers, queues=(waiting,))


def _checks(at: float) -> Iterator[Sample]:
    for check in ("shop", "stock"):
        for place in ("london", "sydney"):
            labels = (("check", check), ("location", place))
            yield Sample("check_up", labels, at, 1.0)
            for phase in PHASES:
                yield Sample("check_duration_seconds", (*labels, ("phase", phase)), at, 0.01)


def _own(at: float) -> list[Sample]:
    figures = OwnFigures()
    figures.evaluation = 0.01
    figures._lateness = [0.001, 0.002]
    return figures.samples(at, {"nightowl.report": 0}, None)
