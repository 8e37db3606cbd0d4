"""What a process has learned of series from committed transactions: their numbers, and which carry which labels.

Numbers are given in the order of the commits and never again. So what a number stands for is true for ever, and which
series are new is known by their numbers; only that a series was forgotten must be learned, by the mark
``series_forgotten``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from threading import Lock

import msgspec
import numpy as np
from sqlalchemy import Connection, select

from nightowl.adapters.store_sql.schema import SERIES
from nightowl.core.frame import Numbers
from nightowl.core.series import Labels, Series

_MOST = 1_000_000
"""Series that a process remembers; beyond them it starts anew."""

_CHUNK = 500
_labels = msgspec.json.Decoder(Labels).decode


class Catalogue:
    """Safe to use from any thread. ``numbers`` and ``names`` may be read, and hold what ``learn`` was told."""

    def __init__(self) -> None:
        self.numbers: dict[Series, int] = {}
        self.names: dict[int, Series] = {}
        self._refused: set[Series] = set()
        self._full: tuple[int, ...] = ()
        self._forgotten = 0
        self._metrics: dict[str, _Postings] = {}
        self._lock = Lock()

    def learn(self, numbers: Mapping[Series, int], forgotten: int) -> None:
        """Remember numbers that were committed, as the mark stood; what an older view says may be forgotten since."""
        with self._lock:
            if forgotten < self._forgotten:
                return
            if len(self.names) + len(numbers) > _MOST:
                self.numbers, self.names = {}, {}
            self.numbers.update(numbers)
            self.names.update({number: series for series, number in numbers.items()})

    def follow(self, connection: Connection, forgotten: int) -> None:
        """Drop what was forgotten, where the mark says that something was."""
        with self._lock:
            if forgotten <= self._forgotten:
                return
            left = set(connection.execute(select(SERIES.c.id)).scalars()) if self.names else set()
            self.numbers = {series: number for series, number in self.numbers.items() if number in left}
            self.names = {number: series for series, number in self.numbers.items()}
            self._metrics = {}
            self._forgotten = forgotten

    def refuse(self, series: Iterable[Series], full: tuple[int, ...]) -> None:
        """Remember that there was no room for these, for as long as the marks ``full`` stand."""
        with self._lock:
            before = self._refused if self._full == full and len(self._refused) < _MOST else ()
            self._refused = {*before, *series}
            self._full = full

    def refuses(self, full: tuple[int, ...]) -> set[Series]:
        """The series that are known to be refused as these marks stand."""
        return self._refused if self._full == full else set()

    def names_of(self, connection: Connection, numbers: Iterable[int], forgotten: int) -> dict[int, Series]:
        """The series with these numbers, where they are not forgotten; of committed ones only."""
        names = self.names
        wanted = list(numbers)
        missing = [number for number in wanted if number not in names]
        found: dict[int, Series] = {}
        for first in range(0, len(missing), _CHUNK):
            query = select(SERIES.c.id, SERIES.c.metric, SERIES.c.labels)
            for row in connection.execute(query.where(SERIES.c.id.in_(missing[first : first + _CHUNK]))):
                found[row.id] = Series(row.metric, _labels(row.labels))
        self.learn({series: number for number, series in found.items()}, forgotten)
        return {number: names.get(number) or found[number] for number in wanted if number in names or number in found}

    def select(self, connection: Connection, metric: str, where: Mapping[str, str], before: float) -> Numbers:
        """The numbers of a metric's series that carry these labels, up to the first that is not committed, sorted."""
        with self._lock:
            postings = self._metrics.setdefault(metric, _Postings())
            query = select(SERIES.c.id, SERIES.c.labels).where(SERIES.c.metric == metric, SERIES.c.id > postings.last)
            for number, blob in connection.execute(query.order_by(SERIES.c.id)):
                if number >= before:
                    break
                postings.add(number, _labels(blob))
            return postings.select(where)


class _Postings:
    """The series of a metric by each label that they carry."""

    def __init__(self) -> None:
        self.last = 0
        self._all: list[int] = []
        self._by_label: defaultdict[tuple[str, str], list[int]] = defaultdict(list)

    def add(self, number: int, labels: Labels) -> None:
        self.last = number
        self._all.append(number)
        for label in labels:
            self._by_label[label].append(number)

    def select(self, where: Mapping[str, str]) -> Numbers:
        lists = sorted((self._by_label.get(label, []) for label in where.items()), key=len)
        found = np.array(lists[0] if lists else self._all, dtype=np.int64)
        for each in lists[1:]:
            found = np.intersect1d(found, np.array(each, dtype=np.int64), assume_unique=True)
        return found
