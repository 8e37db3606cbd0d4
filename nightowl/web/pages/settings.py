"""The settings of a worker, as it tells them when the page is asked for."""

from __future__ import annotations

import msgspec

from nightowl.core.cluster.answers import rows, shown
from nightowl.core.errors import Refused, Unavailable
from nightowl.web.cluster_head import ClusterHead, head, watched
from nightowl.web.page import Ask, Page
from nightowl.web.pages.in_workers import TIMEOUT, person
from nightowl.web.rendering import View


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings by name, of one of the ``workers`` that are up; ``defaults``: those that nobody has set, too."""

    head: ClusterHead
    worker: str
    workers: tuple[str, ...]
    text: str = ""
    defaults: bool = False
    rows: tuple[tuple[str, str], ...] = ()
    refused: str = ""


def build(ask: Ask) -> View:
    """Ask one worker."""
    settings, state = watched(ask)
    workers = tuple(worker.name for worker in state.workers if worker.up) if state else ()
    data = Settings(
        head=head(settings, state, ask.unit.incidents.open(), ask.now),
        worker=ask.query.get("worker", "") or next(iter(workers), ""),
        workers=workers,
        text=ask.query.get("text", "").strip(),
        defaults=bool(ask.query.get("defaults")),
    )
    try:
        data = msgspec.structs.replace(data, rows=_rows(ask, data))
    except (Refused, Unavailable) as error:
        data = msgspec.structs.replace(data, refused=str(error))
    return View(template="cluster/settings.html", title=f"Settings of {data.worker or settings.name}", data=data)


def _rows(ask: Ask, data: Settings) -> tuple[tuple[str, str], ...]:
    if data.worker not in data.workers:
        raise Refused(f"No worker called {data.worker} is up." if data.worker else "No worker is up.")
    given = {"with_defaults": True} if data.defaults else {}
    remote = ask.handlers.remote(data.head.name)
    (answer,) = shown(
        remote.command(person(ask), "conf", given, [data.worker], timeout=TIMEOUT),
        ask.handlers.clusters()[data.head.name],
    )
    if answer.silent or answer.error:
        raise Refused(answer.error or f"{data.worker} said nothing in time: it is busy, or away.")
    return tuple(rows(answer.value, data.text))


PAGE = Page(path="/clusters/{cluster}/settings", build=build, live=False)
