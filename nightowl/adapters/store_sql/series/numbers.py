"""Numbers of series: looked up, given to new ones while there is room, and taken back by forgetting."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np
from sqlalchemy import bindparam, select, update

from nightowl.adapters.store_sql.schema import MARKS, SERIES
from nightowl.adapters.store_sql.series.blocks import meant
from nightowl.adapters.store_sql.series.catalogue import Catalogue
from nightowl.adapters.store_sql.session import Session
from nightowl.core.frame import Numbers
from nightowl.core.series import Series
from nightowl.ports import Refusals

_CHUNK = 500
_MARKS = ("series_forgotten", "series_known", "series_limit")
_VALUE = select(MARKS.c.value).where(MARKS.c.name == bindparam("mark"))
_SET = update(MARKS).where(MARKS.c.name == bindparam("mark")).values(value=bindparam("to"))
_ADD = update(MARKS).where(MARKS.c.name == bindparam("mark")).values(value=MARKS.c.value + bindparam("by"))


class SeriesNumbers:
    """The numbers, in one transaction. Locks are taken in the order of ``series_forgotten``, ``series``."""

    def __init__(self, session: Session, catalogue: Catalogue) -> None:
        self._session = session
        self._connection = session.connection
        self._catalogue = catalogue
        self._forgotten = -1
        self._new: dict[Series, int] = {}
        self._found: dict[Series, int] = {}
        self._refused = 0

    def give(self, series: Sequence[Series]) -> Numbers:
        """The numbers of these; a new one gets one where there is room, else -1."""
        self._follow()
        known = self._catalogue.numbers
        missing = {one for one in series if one not in known}
        given = self._given(missing) if missing else {}
        return np.array([known[one] if one in known else given[one] for one in series], dtype=np.int64)

    def names(self, numbers: Iterable[int]) -> dict[int, Series]:
        """The series with these numbers."""
        self._follow()
        new = {number: series for series, number in self._new.items()}
        wanted = list(numbers)
        old = self._catalogue.names_of(self._connection, [each for each in wanted if each not in new], self._forgotten)
        return old | {number: new[number] for number in wanted if number in new}

    def select(self, metric: str, where: Mapping[str, str]) -> Numbers:
        """The numbers of a metric's series that carry these labels, sorted."""
        self._follow()
        first = min(self._new.values(), default=np.inf)
        new = [
            number
            for series, number in self._new.items()
            if series.metric == metric and where.items() <= dict(series.labels).items()
        ]
        old = self._catalogue.select(self._connection, metric, where, first)
        return np.concatenate([old, np.array(sorted(new), dtype=np.int64)])

    def limit(self, most: int) -> None:
        """Set how many series there may be."""
        self._connection.execute(_SET, {"mark": "series_limit", "to": most})

    def refused(self) -> Refusals:
        """What was refused in committed transactions."""
        return Refusals(self._mark("series_refused"), float(self._mark("series_refused_at")))

    def flush(self, at: float) -> None:
        """Count what was refused in the step that ended at this moment."""
        if self._refused:
            self._connection.execute(_ADD, {"mark": "series_refused", "by": self._refused})
            self._connection.execute(_SET, {"mark": "series_refused_at", "to": int(meant(at))})
            self._refused = 0

    def share(self) -> None:
        """The transaction was committed."""
        self._catalogue.learn(self._found | self._new, self._forgotten)

    def _follow(self) -> None:
        """Learn what was forgotten. Whoever writes lets nobody forget more until the transaction ends."""
        if self._forgotten >= 0:
            return
        query = _VALUE.with_for_update(read=True) if self._session.writes else _VALUE
        self._forgotten = self._connection.execute(query, {"mark": "series_forgotten"}).scalar_one()
        self._catalogue.follow(self._connection, self._forgotten)

    def _given(self, series: set[Series]) -> dict[Series, int]:
        given = {one: number for one, number in self._new.items() if one in series}
        given |= {one: number for one, number in self._found.items() if one in series}
        full = self._full()
        refused = (series - given.keys()) & self._catalogue.refuses(full)
        newest = self._mark("series")
        found = self._lookup(series - given.keys() - refused)
        self._found |= found
        given |= found
        new = series - given.keys() - refused
        if new:
            given |= self._register(new, newest)
            refused |= new - given.keys()
            self._catalogue.refuse(new - given.keys(), self._full())
        self._refused += len(refused)
        return given | dict.fromkeys(refused, -1)

    def _full(self) -> tuple[int, ...]:
        """The marks that change before there is room where there was none."""
        rows = self._connection.execute(select(MARKS.c.value).where(MARKS.c.name.in_(_MARKS)).order_by(MARKS.c.name))
        return tuple(rows.scalars())

    def _register(self, series: set[Series], newest: int) -> dict[Series, int]:
        """Number as many of these as there is room for, unless another has done so since ``newest`` was the newest."""
        last = self._connection.execute(_VALUE.with_for_update(), {"mark": "series"}).scalar_one()
        found = self._lookup(series) if last != newest else {}
        self._found |= found
        room = max(0, self._mark("series_limit") - self._mark("series_known"))
        new = sorted(series - found.keys())[:room]
        if new:
            numbers = range(last + 1, last + 1 + len(new))
            self._insert(new, numbers)
            self._connection.execute(_ADD, {"mark": "series", "by": len(new)})
            self._connection.execute(_ADD, {"mark": "series_known", "by": len(new)})
            self._new.update(zip(new, numbers, strict=True))
        return found | {one: self._new[one] for one in new}

    def _insert(self, series: Sequence[Series], numbers: Sequence[int]) -> None:
        born = self._mark("steps")
        rows = [
            (number, _key(one), one.metric, msgspec.json.encode(one.labels).decode(), born, -1)
            for one, number in zip(series, numbers, strict=True)
        ]
        self._session.insert(SERIES, rows)

    def _lookup(self, series: Iterable[Series]) -> dict[Series, int]:
        keys = {_key(one): one for one in series}
        wanted = list(keys)
        found: dict[Series, int] = {}
        for first in range(0, len(wanted), _CHUNK):
            query = select(SERIES.c.key, SERIES.c.id).where(SERIES.c.key.in_(wanted[first : first + _CHUNK]))
            found.update((keys[bytes(key)], number) for key, number in self._connection.execute(query))
        return found

    def _mark(self, name: str) -> int:
        return int(self._connection.execute(_VALUE, {"mark": name}).scalar_one())


def _key(series: Series) -> bytes:
    return hashlib.blake2b(msgspec.json.encode((series.metric, series.labels)), digest_size=16).digest()
