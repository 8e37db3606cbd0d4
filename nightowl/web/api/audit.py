"""``/api/v1/audit``: who changed what; for admins."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from nightowl.ports import AuditFilter
from nightowl.web.api.access_models import AuditListModel, AuditModel
from nightowl.web.api.endpoints import Endpoints
from nightowl.web.handlers import Handlers


def endpoints(handlers: Handlers) -> Endpoints:
    """The endpoint of the audit."""
    api = Endpoints("/audit", "audit")

    @api.get("", summary="Who changed what, newest first")
    def list_audit(
        who: Annotated[str, Query(description="Only what this user or token did.")] = "",
        what: Annotated[str, Query(description="Only this kind of change.", examples=["check.edit"])] = "",
        subject: Annotated[str, Query(description="Only what was done to this.")] = "",
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> AuditListModel:
        with handlers.store.read() as unit:
            entries, total = unit.audit.page(AuditFilter(who=who, what=what, subject=subject), offset, limit)
        return AuditListModel(entries=[AuditModel.of_entry(entry) for entry in entries], total=total)

    return api
