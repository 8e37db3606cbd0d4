"""A workflow's tree and time axis as small SVGs, one a row, so that rows stay rows of a table."""

from __future__ import annotations

from markupsafe import Markup

from nightowl.core.cluster.task import TaskState
from nightowl.core.cluster.workflow import Node, Workflow
from nightowl.web.words import iso, took

WIDTH = 1000
HEIGHT = 14
STEP = 14
"""Pixels that a level of the tree is moved to the right."""

DEEPEST = 12
"""Levels beyond which the tree moves no further to the right."""

_LEAST = 3.0
_BROKEN = frozenset({TaskState.FAILURE, TaskState.LOST, TaskState.REJECTED})


def branch(flow: Workflow, node: Node) -> Markup:
    """The line from a task's parent to it."""
    depth = min(node.depth, DEEPEST)
    if node.above is None or not depth:
        return Markup("")
    deeper = f", level {node.depth}" if node.depth > DEEPEST else ""
    caller = flow.nodes[node.above].task.name or "a task"
    return Markup(
        '<svg class="branch" role="img" aria-label="called by {}{}" width="{}" height="20" viewBox="0 0 {} 20">'
        '<path d="M{} 0v10h{}"/></svg>'
    ).format(caller, deeper, depth * STEP, depth * STEP, (depth - 1) * STEP + 5, STEP - 6)


def bar(flow: Workflow, node: Node) -> Markup:
    """When a task waited and ran, within the time of the whole workflow."""
    start = node.start if node.start is not None else node.end
    kind = "broke" if node.task.state in _BROKEN else "ran"
    waited, ran = max(0.0, start - node.begin), max(0.0, node.end - start)
    told = f"from {iso(node.begin)}: waited {took(waited)}, ran {took(ran)}"
    left, middle, right = (_x(flow, at) for at in (node.begin, start, node.end))
    if node.start is None:
        right = middle
    return Markup(
        '<svg class="bars" role="img" aria-label="{0}" viewBox="0 0 {1} {2}" preserveAspectRatio="none">'
        '<title>{0}</title><rect class="waited" x="{3}" y="4" width="{4}" height="6"/>'
        '<rect class="{5}" x="{6}" y="1" width="{7}" height="12"/></svg>'
    ).format(
        told, WIDTH, HEIGHT, left, round(max(0.0, middle - left), 1), kind, middle,
        round(max(_LEAST if node.start is not None else 0.0, right - middle), 1),
    )  # fmt: skip


def axis(flow: Workflow) -> Markup:
    """The marks of the time axis, counted from the beginning."""
    length = flow.end - flow.start
    marks = Markup("").join(Markup("<span>{}</span>").format(took(length * part / 4)) for part in range(5))
    return Markup('<span class="scale">{}</span>').format(marks)


def _x(flow: Workflow, at: float) -> float:
    length = flow.end - flow.start
    return round(min(max((at - flow.start) / length, 0.0), 1.0) * (WIDTH - _LEAST), 1) if length > 0 else 0.0
