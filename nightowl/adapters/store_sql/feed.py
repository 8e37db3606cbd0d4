"""The change feed."""

from __future__ import annotations

from sqlalchemy import bindparam, select, update

from nightowl.adapters.store_sql.schema import FEED, MARKS
from nightowl.adapters.store_sql.session import Session
from nightowl.adapters.store_sql.statements import clock
from nightowl.ports import FeedItem

_LAST = select(MARKS.c.value).where(MARKS.c.name == "feed")
_ADVANCE = update(MARKS).where(MARKS.c.name == "feed").values(value=MARKS.c.value + bindparam("step"))


class SqlFeed:
    """Items are written at the end of the transaction, each once.

    Their numbers come from a counter whose row stays locked until the commit. So numbers become visible in their
    order, and no follower can miss one that was committed late; and as this lock is always taken last, it
    cannot be part of a deadlock.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._pending: dict[tuple[str, str], None] = {}

    def add(self, kind: str, subject: str) -> None:
        """Append an item; in one transaction, one of a kind and subject."""
        self._pending[kind, subject] = None

    def after(self, item: int, limit: int) -> list[FeedItem]:
        """Items with a greater id, in order."""
        self.flush()
        query = select(FEED.c.id, FEED.c.kind, FEED.c.subject).where(FEED.c.id > item).order_by(FEED.c.id).limit(limit)
        return [
            FeedItem(id=row.id, kind=row.kind, subject=row.subject) for row in self._session.connection.execute(query)
        ]

    def last(self) -> int:
        """The newest id (0: none)."""
        self.flush()
        return int(self._session.connection.execute(_LAST).scalar_one())

    def flush(self) -> None:
        """Write what is pending."""
        if not self._pending:
            return
        connection = self._session.connection
        step = len(self._pending)
        connection.execute(_ADVANCE, {"step": step})
        last = connection.execute(_LAST).scalar_one()
        now = connection.execute(select(clock(connection))).scalar_one()
        items = enumerate(self._pending, start=last - step + 1)
        self._session.insert(FEED, [(number, kind, subject, now) for number, (kind, subject) in items])
        self._pending.clear()
