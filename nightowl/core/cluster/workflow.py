"""A workflow as a tree with a time axis: who called whom, when each was received, started and ended.

Celery's events name a task's parent and root, and nothing of groups and chords. So children of one parent that were
sent together are drawn beside one another, and the callback of a chord stands below the member that ended last, which
is its parent in the events.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from nightowl.core.cluster.task import Task

UNLOCK = "celery.chord_unlock"
"""The task by which Celery itself waits for the members of a chord, where the result backend cannot count them."""


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A task in its place. ``row`` counts from 0, ``depth`` from the root.

    ``begin``, ``start`` and ``end`` are Unix seconds: sent or received, started (None: not yet), and ended or last
    heard of. ``together`` is how many children its parent has, but for Celery's own.
    """

    task: Task
    row: int
    depth: int
    above: int | None
    begin: float
    start: float | None
    end: float
    together: int = 1


class Workflow(msgspec.Struct, frozen=True, kw_only=True):
    """All nodes, by row, and the span of time that they take."""

    nodes: tuple[Node, ...]
    start: float
    end: float

    @property
    def count(self) -> int:
        """How many tasks it has, but for Celery's own."""
        return sum(node.task.name != UNLOCK for node in self.nodes)


def begin(task: Task) -> float:
    """When a task is first known to have been there."""
    known = [moment for moment in (task.sent, task.received, task.started) if moment is not None]
    return min(known, default=task.seen or task.updated)


def ended(task: Task) -> float | None:
    """When a task ended (None: it has not)."""
    moments = (task.succeeded, task.failed, task.revoked, task.rejected)
    known = [moment for moment in moments if moment is not None]
    return max(known, default=None)


def workflow(tasks: Sequence[Task]) -> Workflow:
    """Put the tasks of one root into their places; one whose parent is not among them stands at the left."""
    by_id = {task.uuid: task for task in tasks}
    children: dict[str, list[Task]] = {}
    for task in sorted(tasks, key=lambda task: (begin(task), task.uuid)):
        parent = task.parent if task.parent in by_id and task.parent != task.uuid else ""
        children.setdefault(parent, []).append(task)
    nodes = _placed(children)
    left_out = [task for task in tasks if task.uuid not in {node.task.uuid for node in nodes}]
    nodes += [_node(task, len(nodes) + at, 0, None, 1) for at, task in enumerate(left_out)]
    return Workflow(
        nodes=tuple(nodes),
        start=min((node.begin for node in nodes), default=0.0),
        end=max((node.end for node in nodes), default=0.0),
    )


def _placed(children: dict[str, list[Task]]) -> list[Node]:
    """Depth first, in the order of time; without recursion, as chains may be long."""
    nodes: list[Node] = []
    roots = children.get("", [])
    waiting: list[tuple[Task, int, int | None, int]] = [(task, 0, None, 1) for task in reversed(roots)]
    while waiting:
        task, depth, above, together = waiting.pop()
        nodes.append(_node(task, len(nodes), depth, above, together))
        inner = children.get(task.uuid, [])
        row, beside = len(nodes) - 1, sum(each.name != UNLOCK for each in inner)
        waiting += [(each, depth + 1, row, beside if each.name != UNLOCK else 1) for each in reversed(inner)]
    return nodes


def _node(task: Task, row: int, depth: int, above: int | None, together: int) -> Node:
    first = begin(task)
    return Node(
        task=task,
        row=row,
        depth=depth,
        above=above,
        begin=first,
        start=task.started,
        end=max(first, ended(task) or task.updated),
        together=together,
    )
