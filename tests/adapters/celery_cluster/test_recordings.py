"""What real workers of several versions of Celery have sent is counted, and shown, as a plain count of it says."""

from __future__ import annotations

import json

import pytest

from nightowl.adapters.celery_cluster.events.decode import Sieve
from nightowl.core.cluster.events import Intake
from nightowl.core.cluster.exposition import Exposition
from nightowl.core.cluster.figures import Figures
from nightowl.core.cluster.fold import Fold
from nightowl.core.cluster.state import ClusterState
from nightowl.core.cluster.task import Task
from nightowl.core.cluster.workers import Workers
from tests.celery_fleet import recording, reference
from tests.celery_fleet.recording import Recording
from tests.end_to_end.expected import differences, series, shown

# Without task-sent the fold knows more than the plain count: which task it was that no worker knew.
NAMES = [name for name in recording.names() if not name.endswith("-without-sent")]

SETTLED = 5.0
"""Seconds after the last message; then nothing waits for an event that does not come."""


def folded(recorded: Recording) -> tuple[Figures, dict[str, Task]]:
    """The figures, and all tasks by their ids as they were written last."""
    fold = Fold(Figures(), Workers())
    fold.books.consumes({node: (queue,) for node, queue in recorded.queues.items()})
    written: dict[str, Task] = {}
    for message in recorded.messages:
        sieve = Sieve()
        assert sieve.take(json.dumps(message["body"]).encode()), message
        fold.take([Intake(at=message["at"], events=sieve.empty()[0])], message["at"])
        fold.known({}, fold.unknown(), message["at"])
        written |= {task.uuid: task for task in fold.due(message["at"])}
    end = recorded.messages[-1]["at"] + SETTLED
    fold.settle(end)
    written |= {task.uuid: task for task in fold.due(end)}
    return fold.figures, written


@pytest.mark.parametrize("name", NAMES)
def test_what_workers_sent_is_counted_as_it_must(name: str) -> None:
    recorded = recording.load(name)
    figures, _ = folded(recorded)
    page = Exposition().render([(figures, ClusterState(name="shop", at=0.0, since=0.0))], labelled=False)
    assert differences(shown(page), series(recorded.events, recorded.queues)) == []


@pytest.mark.parametrize("name", NAMES)
def test_each_task_is_shown_as_it_ended(name: str) -> None:
    recorded = recording.load(name)
    _, tasks = folded(recorded)
    told = reference.tasks(recorded.events, recorded.queues)
    assert {uuid: (task.name, task.state, task.worker, task.queue) for uuid, task in tasks.items()} == {
        uuid: (each.name, each.state, each.node, each.queue) for uuid, each in told.items()
    }
