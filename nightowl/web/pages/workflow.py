"""A workflow: its tasks as a tree with a time axis."""

from __future__ import annotations

import msgspec

from nightowl.core.cluster.workflow import Workflow, workflow
from nightowl.core.errors import NotFound
from nightowl.web.cluster_head import ClusterHead, head, watched
from nightowl.web.family import family
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View

TASKS = 500
"""Tasks that are drawn at most."""


class WorkflowPage(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow by the id of its root; ``cut`` where it has more tasks than are drawn."""

    head: ClusterHead
    root: str
    workflow: Workflow
    cut: bool
    most: int = TASKS


def build(ask: Ask) -> View:
    """Gather the tasks of the workflow that a task is of, whether it is the root or not."""
    settings, state = watched(ask)
    asked = ask.path["root"]
    root, found = family(ask.handlers.tasks, settings.name, asked, TASKS + 1)
    if not found:
        raise NotFound(f"No workflow of {settings.name} holds {asked}, or it is forgotten.")
    data = WorkflowPage(
        head=head(settings, state, ask.unit.incidents.open(), ask.now),
        root=root,
        workflow=workflow(found[:TASKS]),
        cut=len(found) > TASKS,
    )
    return View(template="cluster/workflow.html", title=f"Workflow {root[:8]}", data=data)


PAGE = Page(path="/clusters/{cluster}/workflows/{root:path}", build=build, restless=True)
