"""How clusters stand: what their watchers have written beside tasks."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, select, update

from nightowl.adapters.store_sql.tasks.rows import finite
from nightowl.adapters.store_sql.tasks.schema import CLUSTERS, GAPS
from nightowl.adapters.store_sql.tasks.session import Session
from nightowl.core.cluster.events import Gap
from nightowl.core.cluster.state import ClusterState

_MOST = 10_000
"""Gaps that are listed at once."""

_encode = msgspec.msgpack.Encoder().encode
_state = msgspec.msgpack.Decoder(ClusterState).decode
_gap = msgspec.msgpack.Decoder(Gap).decode


def write(session: Session, cluster: int, state: ClusterState | None) -> None:
    """Keep how a cluster of this number is seen, where that is given."""
    if state is not None:
        session.connection.execute(update(CLUSTERS).where(CLUSTERS.c.id == cluster).values(state=_encode(state)))


def add_gaps(session: Session, cluster: int, gaps: Sequence[Gap]) -> None:
    """Keep gaps; one with the same bounds is replaced."""
    rows = {(cluster, finite(gap.end), finite(gap.start)): _encode(gap) for gap in gaps}
    session.bulk.upsert(session.connection, GAPS, [(*bounds, gap) for bounds, gap in rows.items()])


def state(connection: Connection, cluster: int) -> ClusterState | None:
    """How a cluster was seen last."""
    found = connection.execute(select(CLUSTERS.c.state).where(CLUSTERS.c.id == cluster)).scalar_one_or_none()
    return None if found is None else _state(found)


def states(connection: Connection) -> list[ClusterState]:
    """How every cluster was seen last, by name."""
    query = select(CLUSTERS.c.state).where(CLUSTERS.c.state.is_not(None)).order_by(CLUSTERS.c.name)
    return [_state(found) for found in connection.execute(query).scalars()]


def gaps(connection: Connection, cluster: int, start: float, end: float) -> list[Gap]:
    """The gaps that touch this time, oldest first; of very many the first 10,000."""
    touching = (GAPS.c.cluster == cluster, GAPS.c.until >= finite(start), GAPS.c.since <= finite(end))
    query = select(GAPS.c.gap).where(*touching).order_by(GAPS.c.until, GAPS.c.since).limit(_MOST)
    return sorted((_gap(found) for found in connection.execute(query).scalars()), key=lambda gap: (gap.start, gap.end))


def forget_gaps(connection: Connection, cluster: int, before: float, limit: int) -> int:
    """Forget up to ``limit`` gaps of a cluster that ended before; how many."""
    before = finite(before)
    old = (GAPS.c.cluster == cluster, GAPS.c.until < before)
    query = select(GAPS.c.until).where(*old).order_by(GAPS.c.until).offset(limit).limit(1)
    last = connection.execute(query).scalar_one_or_none()
    bound = GAPS.c.until < (before if last is None else last)
    return connection.execute(delete(GAPS).where(GAPS.c.cluster == cluster, bound)).rowcount
