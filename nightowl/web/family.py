"""The tasks of a workflow, by the id of any of them."""

from __future__ import annotations

from nightowl.core.cluster.task import Task
from nightowl.ports.clusters import TaskStore


def family(tasks: TaskStore, cluster: str, uuid: str, limit: int) -> tuple[str, list[Task]]:
    """Return the id of the root of a task's workflow, and up to ``limit`` of its tasks, by when they were first seen.

    What a chain returns to its caller is the id of its last task, not that of its root.
    """
    task = tasks.get(cluster, [uuid]).get(uuid)
    root = task.root if task and task.root else uuid
    return root, tasks.family(cluster, root, limit)
