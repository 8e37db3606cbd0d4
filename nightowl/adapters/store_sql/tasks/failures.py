"""Failed tasks by what went wrong, counted off an index."""

from __future__ import annotations

from sqlalchemy import func, select

from nightowl.adapters.store_sql.tasks.rows import finite, uuid_of
from nightowl.adapters.store_sql.tasks.schema import FAULTS, TASKS
from nightowl.adapters.store_sql.tasks.session import Session
from nightowl.core.cluster.task import Failures


def failures(session: Session, cluster: int, since: float, limit: int) -> list[Failures]:
    """Failures of a cluster after ``since`` by name, exception and place, most first, then newest first."""
    count, first, last = func.count(), func.min(TASKS.c.failed), func.max(TASKS.c.failed)
    query = (
        select(FAULTS.c.id, FAULTS.c.name, FAULTS.c.exception, FAULTS.c.place, count, first, last)
        .join(TASKS, (TASKS.c.fault == FAULTS.c.id) & (TASKS.c.failed > finite(since)))
        .where(FAULTS.c.cluster == cluster)
        .group_by(FAULTS.c.id, FAULTS.c.name, FAULTS.c.exception, FAULTS.c.place)
        .order_by(count.desc(), last.desc(), FAULTS.c.id)
        .limit(limit)
    )
    rows = session.connection.execute(query).all()
    names = session.numbers.names({number for row in rows for number in row[1:4]})
    return [
        Failures(
            name=names[name],
            exception=names[exception],
            place=names[place],
            count=count,
            first=first,
            last=last,
            uuid=_newest(session, fault, last),
        )
        for fault, name, exception, place, count, first, last in rows
    ]


def _newest(session: Session, fault: int, failed: float) -> str:
    query = select(TASKS.c.uuid, TASKS.c.body).where(TASKS.c.fault == fault, TASKS.c.failed == failed)
    return uuid_of(*session.connection.execute(query.order_by(TASKS.c.id.desc()).limit(1)).one())
