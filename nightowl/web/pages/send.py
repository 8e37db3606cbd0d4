"""The form that sends a task of a cluster."""

from __future__ import annotations

import msgspec

from nightowl.web.cluster_head import ClusterHead, head, watched
from nightowl.web.page import Ask, Page
from nightowl.web.pages.tasks import NAMES
from nightowl.web.rendering import View


class SendForm(msgspec.Struct, frozen=True, kw_only=True):
    """The form: ``task`` and ``queue`` as the address has them; ``names`` and ``queues`` are proposed."""

    head: ClusterHead
    task: str
    queue: str
    names: tuple[str, ...]
    queues: tuple[str, ...]
    default_queue: str


def build(ask: Ask) -> View:
    """Propose the tasks that workers know and those that were seen."""
    settings, state = watched(ask)
    workers = state.workers if state else ()
    known = {*(name for worker in workers for name in worker.registered), *ask.handlers.tasks.names(settings.name)}
    data = SendForm(
        head=head(settings, state, ask.unit.incidents.open(), ask.now),
        task=ask.query.get("task", ""),
        queue=ask.query.get("queue", ""),
        names=tuple(sorted(filter(None, known))[:NAMES]),
        queues=tuple(queue.name for queue in state.queues) if state else (),
        default_queue=settings.default_queue,
    )
    return View(template="cluster/send.html", title=f"Send a task of {settings.name}", data=data)


PAGE = Page(path="/clusters/{cluster}/send", build=build, live=False)
