"""Tasks in another order than the newest first: the newest of those that are asked for, sorted here.

No index has such an order for whatever is asked for, so how many are sorted is bounded.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

import msgspec

from nightowl.adapters.store_sql.tasks.rows import TEXTS, sort_values
from nightowl.adapters.store_sql.tasks.scanning import scan, stored
from nightowl.adapters.store_sql.tasks.selection import Range, before
from nightowl.adapters.store_sql.tasks.session import Session
from nightowl.core.cluster.task import ORDERS, SORTED, Order

SCANS = 20
"""Times that the database is asked for more, where much has to be tried in vain."""

Value = str | float | None
"""What a task is sorted by (None: it is not known)."""

Ranked = tuple[Value, int]
"""What a task is sorted by, and its id."""


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: behind this task. Tasks newer than ``newest`` came later, and stand on none of its pages."""

    by: str
    descending: bool
    newest: int
    value: Value
    id: int

    def told(self) -> str:
        """The place as it stands in an address."""
        return urlsafe_b64encode(msgspec.msgpack.encode(self)).decode()


def place_of(after: str, order: Order) -> Place:
    """The place that a page of this order told. Raises ``ValueError``."""
    try:
        place = msgspec.msgpack.decode(urlsafe_b64decode(after), type=Place)
    except (ValueError, msgspec.MsgspecError):
        raise ValueError("no page of tasks ended there") from None
    is_text = place.by in TEXTS
    fits = place.value is None or isinstance(place.value, str) == is_text
    if (place.by, place.descending) != (order.by, order.descending) or not fits:
        raise ValueError("no page of tasks in this order ended there")
    return place


def ranked(session: Session, ranges: Sequence[Range], order: Order) -> list[Ranked]:
    """The newest tasks of ranges, in order: those of which it is not known come last, equal ones newest first.

    Raises ``ValueError`` for an order that there is not.
    """
    if order.by not in ORDERS:
        raise ValueError(f"tasks cannot be sorted by {order.by}")
    ids = _newest(session, ranges)
    column = order.by if order.by in TEXTS else "body"
    values = sort_values(session.numbers, stored(session, ids, column), order.by)
    known = sorted((id_ for id_ in ids if values[id_] is not None), key=values.__getitem__, reverse=order.descending)
    return [(values[id_], id_) for id_ in [*known, *(id_ for id_ in ids if values[id_] is None)]]


def behind(found: Sequence[Ranked], place: Place) -> list[Ranked]:
    """What of a list in order stands behind a place; a task that moved meanwhile stands where it stands now."""
    return [each for each in found if _is_behind(each, place)]


def _is_behind(each: Ranked, place: Place) -> bool:
    value, id_ = each
    if value == place.value:
        return id_ < place.id
    if value is None or place.value is None:
        return value is None
    return (value > place.value) != place.descending  # type: ignore[operator]  # both are texts, or both are numbers


def _newest(session: Session, ranges: Sequence[Range]) -> list[int]:
    """Ids, newest first."""
    ids: list[int] = []
    left = list(ranges)
    for _ in range(SCANS):
        found = scan(session, left, SORTED - len(ids))
        ids += found.ids
        if found.after is None or len(ids) >= SORTED:
            break
        left = before(left, found.after)
    return ids
