"""Who changed what."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func, select

from nightowl.adapters.store_sql.schema import AUDIT
from nightowl.adapters.store_sql.session import Session
from nightowl.core.values import AuditEntry, Author
from nightowl.ports import AuditFilter

_ENTRY = ("at", "kind", "who", "address", "what", "subject", "detail")
_NAME = 255  # characters that a name's column holds
_DETAIL = 4000  # characters of a detail that are worth keeping


class SqlAudit:
    """See ``ports.Audit``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection = session.connection

    def add(self, entry: AuditEntry) -> None:
        """Append an entry; what is longer than there is room for is cut."""
        author = entry.author
        who, address, subject = (text[:_NAME] for text in (author.name, author.address, entry.subject))
        row = (entry.at, author.kind, who, address, entry.what, subject, entry.detail[:_DETAIL])
        self._session.bulk.insert(self._connection, AUDIT, [row], _ENTRY)

    def page(self, wanted: AuditFilter, offset: int, limit: int) -> tuple[list[AuditEntry], int]:
        """Entries newest first, and how many match."""
        conditions = _conditions(wanted)
        query = (
            select(*(AUDIT.c[name] for name in _ENTRY))
            .where(*conditions)
            .order_by(AUDIT.c.at.desc(), AUDIT.c.id.desc())
            .offset(offset)
            .limit(limit)
        )
        total = self._connection.execute(select(func.count()).select_from(AUDIT).where(*conditions)).scalar_one()
        return [_entry(row) for row in self._connection.execute(query)], total


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    asked = {AUDIT.c.who: wanted.who, AUDIT.c.what: wanted.what, AUDIT.c.subject: wanted.subject}
    return [column == value for column, value in asked.items() if value]


def _entry(row: Any) -> AuditEntry:
    author = Author(row.kind, row.who, row.address)
    return AuditEntry(at=row.at, author=author, what=row.what, subject=row.subject, detail=row.detail)
