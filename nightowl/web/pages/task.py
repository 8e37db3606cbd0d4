"""One task: how it is, its stages in time, what it was called with, what came of it, and its relatives."""

from __future__ import annotations

import msgspec

from nightowl.core.cluster.calls import call_of
from nightowl.core.cluster.parameters import SIGNALS
from nightowl.core.cluster.standing import standing
from nightowl.core.cluster.state import ClusterState
from nightowl.core.cluster.task import Task
from nightowl.core.errors import NotFound, Refused
from nightowl.web.cluster_head import ClusterHead, head, watched
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View
from nightowl.web.task_words import Stage, sentence, stages
from nightowl.web.wanted import NotYet

LOOKS = 8
"""Times that a page looks for a task, a second apart."""

RELATIVES = 50
"""Children that are listed at most."""


class TaskPage(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one task. ``parent`` is None where it has none, or that is not known.

    ``unrepeatable`` is why it cannot be sent again (empty: it can); ``backend``: whether one is configured.
    """

    head: ClusterHead
    task: Task
    sentence: str
    stages: tuple[Stage, ...]
    parent: Task | None
    children: tuple[Task, ...]
    family: bool
    backend: bool
    unrepeatable: str
    signals: tuple[str, ...] = SIGNALS


def build(ask: Ask) -> View:
    """Gather one task."""
    settings, state = watched(ask)
    tasks, uuid = ask.handlers.tasks, ask.path["uuid"]
    task = tasks.get(settings.name, [uuid]).get(uuid)
    if task is None:
        raise _missing(ask, settings.name, state)
    family = tasks.family(settings.name, task.root or task.uuid, RELATIVES + 1)
    children = [each for each in family if each.parent == task.uuid and each.uuid != task.uuid]
    data = TaskPage(
        head=head(settings, state, ask.unit.incidents.open(), ask.now),
        task=task,
        sentence=sentence(task, ask.now),
        stages=tuple(stages(task)),
        parent=tasks.get(settings.name, [task.parent]).get(task.parent) if task.parent else None,
        children=tuple(children[:RELATIVES]),
        family=len(family) > 1,
        backend=bool(settings.backend),
        unrepeatable=_unrepeatable(task, settings.name),
    )
    return View(template="cluster/task.html", title=f"{task.name or 'Task'} {task.uuid[:8]}", data=data)


def _missing(ask: Ask, cluster: str, state: ClusterState | None) -> NotFound:
    """Why there is no such task: what was sent just now is stored in a moment, so a browser looks again for a while."""
    uuid, look = ask.path["uuid"], ask.query.get("look", "0")
    looks = int(look) + 1 if look.isdecimal() and len(look) < 4 else LOOKS
    if looks < LOOKS and standing(state, ask.now)[0] in ("up", "degraded"):
        return NotYet(
            f"No task of {cluster} is called {uuid} as far as its workers and clients have told. "
            "One that was sent just now is shown in some seconds; this page looks again by itself.",
            f"1; url=?look={looks}",
        )
    return NotFound(f"No task of {cluster} is called {uuid}, or it is forgotten.")


def _unrepeatable(task: Task, cluster: str) -> str:
    try:
        call_of(task)
    except Refused as error:
        return str(error).replace("[cluster.NAME]", f"[cluster.{cluster}]")
    return ""


PAGE = Page(path="/clusters/{cluster}/tasks/{uuid:path}", build=build, restless=True)
