"""``/api/v1/incidents``."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from nightowl.core.errors import NotFound
from nightowl.web.api.asking import Asking
from nightowl.web.api.endpoints import Endpoints
from nightowl.web.api.models import Acknowledge, IncidentDetail, IncidentListModel, IncidentModel
from nightowl.web.handlers import Handlers


def endpoints(handlers: Handlers) -> Endpoints:
    """The endpoints of incidents."""
    api = Endpoints("/incidents", "incidents")

    @api.get("", summary="List incidents, newest first")
    def list_incidents(
        *,
        is_open: Annotated[bool, Query(alias="open", description="Only those that last.")] = False,
        subject: Annotated[str, Query(description="Only those of this check.")] = "",
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> IncidentListModel:
        with handlers.store.read() as unit:
            rows, total = unit.incidents.page(open_only=is_open, subject=subject, offset=offset, limit=limit)
        return IncidentListModel(incidents=[IncidentModel.of(row) for row in rows], total=total)

    @api.get("/{ident}", summary="One incident with its timeline and notices")
    def get_incident(ident: str) -> IncidentDetail:
        return _incident(handlers, ident)

    @api.post(
        "/{ident}/acknowledge",
        summary="Take care of an incident",
        description="Reminders and escalation stop, for a while or to its end.",
    )
    def acknowledge(ident: str, author: Asking, asked: Acknowledge | None = None) -> IncidentDetail:
        handlers.acknowledge(ident, author, asked.lasts if asked else None)
        return _incident(handlers, ident)

    return api


def _incident(handlers: Handlers, ident: str) -> IncidentDetail:
    with handlers.store.read() as unit:
        incident = unit.incidents.get(ident)
        if incident is None:
            raise NotFound(f"There is no incident {ident}.")
        return IncidentDetail.of_incident(incident, unit.incidents.timeline(ident), unit.outbox.of(ident))
