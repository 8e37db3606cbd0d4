"""Reading ranges of tasks, newest or oldest first: merged, and never on and on for what is not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import CompoundSelect, Select, func, literal, select, union_all

from nightowl.adapters.store_sql.tasks.chunks import chunks
from nightowl.adapters.store_sql.tasks.schema import TASKS
from nightowl.adapters.store_sql.tasks.selection import Range
from nightowl.adapters.store_sql.tasks.session import Session

TRIED = 50_000
"""Tasks of a range that are tried at most in one go on conditions that no index answers."""

_TRIED_ON = ("id", "uuid", "name", "state", "worker", "queue", "fault", "root", "parent", "seen")


COUNTED = 1_000_000
"""The same, for a count."""


class Found(NamedTuple):
    """Ids of tasks, in order, and where to go on (None: that is all)."""

    ids: list[int]
    after: int | None


def scan(session: Session, ranges: Sequence[Range], limit: int, *, newest: bool = True) -> Found:
    """The first ids of all ranges together, up to ``limit``; fewer, where much had to be tried in vain."""
    if not ranges:
        return Found([], None)
    direction = -1 if newest else 1
    tried = TRIED // len(ranges)
    rows = session.connection.execute(_together([_ids(session, each, limit + 1, tried, newest) for each in ranges]))
    found = sorted(((id_, part) for id_, part in rows), reverse=newest)
    many = Counter(part for _, part in found)
    short = (each for part, each in enumerate(ranges) if each.left and many[part] <= limit)
    ends = [end for each in short if (end := _end(session, each, tried, newest)) is not None]
    # of no range is anything known behind where the first of them ended
    nearest = min(ends, key=lambda end: direction * end) if ends else None
    ids = [id_ for id_, _ in found if nearest is None or direction * id_ <= direction * nearest]
    return Found(ids[:limit], ids[limit - 1] if len(ids) > limit else nearest)


def _together(parts: Sequence[Select[Any]]) -> Select[Any] | CompoundSelect[Any]:
    """What all of these queries find, each with the number of its query."""
    numbered = [select(part.subquery().c.id, literal(number)) for number, part in enumerate(parts)]
    return union_all(*numbered) if len(numbered) > 1 else numbered[0]


def count(session: Session, each: Range, limit: int) -> int:
    """How many tasks a range has, counted up to ``limit``."""
    ids = _ids(session, each, limit, COUNTED, newest=True).subquery()
    return int(session.connection.execute(select(func.count()).select_from(ids)).scalar_one())


def stored(session: Session, ids: Sequence[int], column: str = "") -> Iterator[Any]:
    """The rows of these tasks, in no order; with ``column`` of each the id and this alone."""
    query = select(TASKS.c.id, TASKS.c[column]) if column else select(TASKS)
    for chunk in chunks(ids):
        yield from session.connection.execute(query.where(TASKS.c.id.in_(chunk))).all()


def _ids(session: Session, each: Range, limit: int, tried: int, newest: bool) -> Select[Any]:
    if not each.left:
        return _ordered(_of_index(session, each, whole=False), limit, newest=newest)
    part = _ordered(_of_index(session, each, whole=each.words is None), tried, newest=newest).subquery()
    if each.words is None:
        query = select(part.c.id).where(*(condition(part.c) for condition in each.left))
    else:
        left = (condition(TASKS.c) for condition in each.left)
        query = select(part.c.id).where(select(TASKS.c.id).where(TASKS.c.id == part.c.id, *left).exists())
    if session.connection.dialect.name != "sqlite":
        # SQLite takes the rows of the part as they come, one after another, and would sort them all once more
        query = query.order_by(part.c.id.desc() if newest else part.c.id)
    return query.limit(limit)


def _end(session: Session, each: Range, tried: int, newest: bool) -> int | None:
    """The last id that was tried, where there are more behind it."""
    query = _ordered(_of_index(session, each, whole=False), 1, newest=newest).offset(tried - 1)
    last: int | None = session.connection.execute(query).scalar_one_or_none()
    return last


def _of_index(session: Session, each: Range, *, whole: bool) -> Select[Any]:
    if each.words is not None:
        return session.words.select(each.words, each.span)
    columns = [TASKS.c[name] for name in _TRIED_ON] if whole else [TASKS.c.id]
    return select(*columns).where(*each.where, TASKS.c.id.between(*each.span))


def _ordered(query: Select[Any], limit: int, *, newest: bool) -> Select[Any]:
    order = query.selected_columns[0]
    return query.order_by(order.desc() if newest else order).limit(limit)
