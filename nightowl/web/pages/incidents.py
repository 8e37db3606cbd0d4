"""Incidents: the list, newest first, and one with its timeline and notices."""

from __future__ import annotations

import msgspec

from nightowl.core.errors import NotFound
from nightowl.core.values import Entry, Incident
from nightowl.ports import OutboxRow
from nightowl.web.page import Ask, Page
from nightowl.web.pages.silences import meant_by
from nightowl.web.rendering import View

ROWS = 100
"""Incidents on one page."""


class IncidentList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the list; ``number`` counts from 1."""

    rows: list[Incident]
    total: int
    number: int
    open_only: bool
    subject: str

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // ROWS))


class IncidentPage(msgspec.Struct, frozen=True, kw_only=True):
    """One incident with what happened and who was told.

    ``already``: the visitor acknowledged what another had acknowledged before. ``rule`` is the rule that it is of, and
    ``series`` the series of the rule while it is open (empty: none).
    """

    incident: Incident
    timeline: list[Entry]
    notices: list[OutboxRow]
    channels: tuple[str, ...]
    already: bool
    rule: str = ""
    series: str = ""

    @property
    def meant(self) -> str:
        """What a silence of its subject matches by, as the form of silences writes it."""
        return meant_by(self.incident)


def build_list(ask: Ask) -> View:
    """Find the page asked for."""
    asked = ask.query.get("page", "")
    number = max(1, int(asked)) if asked.isdecimal() and len(asked) < 7 else 1
    open_only, subject = ask.query.get("show") == "open", ask.query.get("subject", "").strip()
    rows, total = ask.unit.incidents.page(open_only=open_only, subject=subject, offset=(number - 1) * ROWS, limit=ROWS)
    data = IncidentList(rows=rows, total=total, number=number, open_only=open_only, subject=subject)
    return View(template="incidents.html", title="Incidents", data=data)


def build(ask: Ask) -> View:
    """Gather one incident."""
    incident = ask.unit.incidents.get(ask.path["id"])
    if incident is None:
        raise NotFound(f"There is no incident {ask.path['id']}.")
    rule = incident.subject.partition("{")[0] if incident.kind in ("rule", "nodata") else ""
    data = IncidentPage(
        incident=incident,
        rule=rule,
        series=_series(ask, rule, incident.id) if rule else "",
        timeline=ask.unit.incidents.timeline(incident.id),
        notices=ask.unit.outbox.of(incident.id),
        channels=tuple(channel.name for channel in ask.handlers.channels()),
        already="already" in ask.query,
    )
    return View(template="incident.html", title=incident.subject, data=data)


def _series(ask: Ask, rule: str, incident: str) -> str:
    standings = (each for each in ask.unit.rules.all() if each.rule == rule)
    return next((each.series for each in standings if incident in (each.incident, each.silence)), "")


LIST = Page(path="/incidents", build=build_list)
PAGE = Page(path="/incidents/{id}", build=build)
