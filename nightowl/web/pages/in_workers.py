"""What workers hold now, as they answer when the page is asked for: running, reserved, scheduled and revoked tasks."""

from __future__ import annotations

import msgspec

from nightowl.core.cluster.answers import HeldTask, held, shown
from nightowl.core.cluster.command import Answer
from nightowl.core.cluster.person import Person
from nightowl.core.errors import Refused, Unavailable
from nightowl.web.cluster_head import ClusterHead, head, watched
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View

ROWS = 500
"""Tasks that are shown at most."""

TIMEOUT = 2.0
"""Seconds that workers are given to answer."""

KINDS = {
    "active": ("Running", "Tasks that workers run now."),
    "reserved": ("Reserved", "Tasks that workers have fetched and not begun: they wait for a free process."),
    "scheduled": ("Scheduled", "Tasks that workers have fetched and that are not due yet."),
    "revoked": ("Revoked", "Tasks that workers will leave out when their turn comes."),
}
"""What may be asked for: a word, and what it means."""


class InWorkers(msgspec.Struct, frozen=True, kw_only=True):
    """The tasks of one kind. ``answered`` counts workers; ``wrong`` are those that refused, with why."""

    head: ClusterHead
    of: str
    rows: tuple[HeldTask, ...] = ()
    more: int = 0
    answered: int = 0
    silent: tuple[str, ...] = ()
    wrong: tuple[tuple[str, str], ...] = ()
    refused: str = ""

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """What else may be asked for."""
        return [(kind, word) for kind, (word, _) in KINDS.items()]

    @property
    def title(self) -> str:
        """The word of this kind."""
        return KINDS[self.of][0]

    @property
    def explained(self) -> str:
        """What this kind means."""
        return KINDS[self.of][1]


def build(ask: Ask) -> View:
    """Ask all workers."""
    settings, state = watched(ask)
    of = ask.query.get("of", "")
    data = InWorkers(head=head(settings, state, ask.unit.incidents.open(), ask.now), of=of if of in KINDS else "active")
    try:
        answers = ask.handlers.remote(settings.name).command(person(ask), data.of, {}, timeout=TIMEOUT)
        data = _with(ask, data, shown(answers, settings))
    except (Refused, Unavailable) as error:
        data = msgspec.structs.replace(data, refused=str(error))
    return View(template="cluster/in_workers.html", title=f"{data.title} in {settings.name}", data=data)


def person(ask: Ask) -> Person:
    """Who asks for a page that asks workers."""
    assert ask.visitor is not None
    return Person(ask.visitor.author(""), ask.visitor.role)


def _with(ask: Ask, data: InWorkers, answers: list[Answer]) -> InWorkers:
    rows = held(answers)
    kept = ask.handlers.tasks.get(data.head.name, [row.uuid for row in rows[:ROWS]])
    named = [
        msgspec.structs.replace(row, name=row.name or kept[row.uuid].name) if row.uuid in kept else row
        for row in rows[:ROWS]
    ]
    return msgspec.structs.replace(
        data,
        rows=tuple(named),
        more=max(0, len(rows) - ROWS),
        answered=sum(not answer.silent for answer in answers),
        silent=tuple(answer.worker for answer in answers if answer.silent),
        wrong=tuple((answer.worker, answer.error) for answer in answers if answer.error),
    )


PAGE = Page(path="/clusters/{cluster}/in-workers", build=build, live=False)
