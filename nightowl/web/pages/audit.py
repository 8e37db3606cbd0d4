"""The audit: who changed what, newest first; for admins."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec

from nightowl.core.values import AuditEntry
from nightowl.ports import AuditFilter
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View

ROWS = 100
"""Entries on one page."""


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the audit; ``number`` counts from 1."""

    rows: list[AuditEntry]
    total: int
    number: int
    wanted: AuditFilter

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // ROWS))

    def query(self, **changed: str | int) -> str:
        """The address's query for this list with something changed, without what is empty."""
        asked = {**msgspec.structs.asdict(self.wanted), **changed}
        return "?" + urlencode({key: value for key, value in asked.items() if value})


def build(ask: Ask) -> View:
    """Find the page asked for."""
    asked = ask.query.get("page", "")
    number = max(1, int(asked)) if asked.isdecimal() and len(asked) < 7 else 1
    wanted = AuditFilter(**{key: ask.query.get(key, "").strip() for key in ("who", "what", "subject")})
    rows, total = ask.unit.audit.page(wanted, (number - 1) * ROWS, ROWS)
    data = AuditPage(rows=rows, total=total, number=number, wanted=wanted)
    return View(template="audit.html", title="Audit", data=data)


PAGE = Page(path="/audit", build=build, live=False)
