"""Forgetting tasks, oldest first, in bounded batches."""

from __future__ import annotations

from sqlalchemy import select

from nightowl.adapters.store_sql.tasks import clusters, places, writing
from nightowl.adapters.store_sql.tasks.schema import CLUSTERS, TASKS
from nightowl.adapters.store_sql.tasks.session import Session


def prune(session: Session, before: float, most: int | None, limit: int) -> int:
    """Forget up to ``limit`` tasks first seen before ``before``, or beyond the newest ``most`` of their cluster.

    Gaps that ended before then go with them. Returns how many tasks went.
    """
    gone = 0
    for number, kept in session.connection.execute(select(CLUSTERS.c.id, CLUSTERS.c.tasks).order_by(CLUSTERS.c.id)):
        excess = 0 if most is None else max(kept - most, 0)
        gone += _prune(session, number, before, excess, limit - gone)
        clusters.forget_gaps(session.connection, number, before, limit)
    return gone


def _prune(session: Session, cluster: int, before: float, excess: int, limit: int) -> int:
    first = places.of_cluster(cluster).first
    span = places.Span(first, places.first_of(first, before) - 1)
    old = _oldest(session, span, limit)
    if excess > len(old):
        old = _oldest(session, places.of_cluster(cluster), min(excess, limit))
    if old:
        session.numbers.hold(cluster)
        writing.remove(session, cluster, old)
    return len(old)


def _oldest(session: Session, span: places.Span, limit: int) -> list[int]:
    query = select(TASKS.c.id).where(TASKS.c.id.between(*span)).order_by(TASKS.c.id).limit(limit)
    return list(session.connection.execute(query).scalars())
