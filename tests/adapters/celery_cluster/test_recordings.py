"""What workers of each version of Celery said, read and folded: all counts and tasks are what the plain count says."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from nightowl.adapters.celery_cluster.events.decode import Sieve
from nightowl.core.cluster.events import Intake
from nightowl.core.cluster.figures import KINDS, Figures
from nightowl.core.cluster.fold import Fold
from nightowl.core.cluster.task import Task
from nightowl.core.cluster.workers import Workers
from tests.celery_fleet import recording, reference
from tests.celery_fleet.recording import Recording
from tests.end_to_end import expected

SETTLED = 10.0
VERSIONS = {"5.4", "5.5", "5.6", "5.7"}
WHOLE = [name for name in recording.names() if "without-sent" not in name]
"""Those in which events alone tell the queue of each task; else its watcher asks the workers."""


def folded(recorded: Recording) -> tuple[Fold, dict[str, Task]]:
    """Let each message in at the moment at which it was captured; return the tasks as they would be written."""
    (queue,) = recorded.queues.values()
    fold, sieve, tasks = Fold(Figures(), Workers(), default_queue=queue), Sieve(), {}
    for message in recorded.messages:
        at = message["at"]
        assert sieve.take(json.dumps(message["body"]).encode())
        fold.take([Intake(at=at, events=sieve.empty()[0])], at)
        fold.known({}, fold.unknown(), at)
        tasks |= {task.uuid: task for task in fold.due(at)}
    fold.settle(at + SETTLED)
    return fold, tasks | {task.uuid: task for task in fold.due(at + SETTLED)}


def counted(figures: Figures) -> Counter[reference.Key]:
    """What is counted, in the terms of the plain count; of what was sent, the node is a host."""
    found: Counter[reference.Key] = Counter()
    for labels, cell in figures.cells.items():
        found.update({reference.Key(*labels, kind): count for kind, count in zip(KINDS, cell.counts, strict=True)})
        found.update({reference.Key(*labels, "failed", name): failed.count for name, failed in cell.failed.items()})
    found.update({reference.Key(*labels, "sent"): sent.count for labels, sent in figures.sent.items()})
    return +found


def plainly_counted(recorded: Recording) -> Counter[reference.Key]:
    """Failures by the class without its module; a ``Reject`` is a rejection, whether it is told as a failure or not."""
    found: Counter[reference.Key] = Counter()
    for key, count in reference.counts(recorded.events, recorded.queues).items():
        node = key.node.rpartition("@")[2] if key.stage == "sent" else key.node
        bare = key._replace(node=node, exception=key.exception.rpartition(".")[2])
        if bare.exception != "Reject":
            found[bare] += count
    return found


def as_told(task: Task) -> dict[str, object]:
    """A task in the terms in which the test of a whole installation compares it."""
    told = ("name", "state", "worker", "queue", "retries", "args", "kwargs", "root", "parent")
    ends = ("exception", "result", "runtime", "error", "traceback")
    times = {stage: at for stage in expected.STAGES if (at := getattr(task, stage)) is not None}
    return {name: getattr(task, name) for name in (*told, *ends)} | {"times": times}


def test_there_is_a_recording_of_each_version_on_both_brokers():
    recorded = [recording.load(name) for name in recording.names()]
    found = {(each.broker, each.celery.rpartition(".")[0]) for each in recorded}
    assert found == {(broker, version) for broker in ("redis", "rabbitmq") for version in VERSIONS}


@pytest.mark.parametrize("name", WHOLE)
def test_all_that_a_recorded_worker_said_is_counted_as_it_must(name):
    recorded = recording.load(name)
    fold, _ = folded(recorded)
    assert counted(fold.figures) == plainly_counted(recorded)
    assert fold.figures.events == expected.of_tasks(recorded.events)


@pytest.mark.parametrize("name", WHOLE)
def test_each_task_of_a_recorded_worker_is_as_it_must_be(name):
    recorded = recording.load(name)
    _, tasks = folded(recorded)
    wanted = expected.tasks(recorded.events, recorded.queues)
    assert tasks.keys() == wanted.keys()
    unlike = {uuid: expected.unlike(as_told(tasks[uuid]), wanted[uuid]) for uuid in wanted}
    assert not {uuid: differences for uuid, differences in unlike.items() if differences}
