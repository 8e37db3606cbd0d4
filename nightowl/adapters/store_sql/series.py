"""Samples: appended ones as rows, and those of checks, which are read off the outcomes."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import select

from nightowl.adapters.store_sql.schema import CHECK_IDS, LOCATION_IDS, OUTCOMES, SAMPLES, SERIES, STATES
from nightowl.adapters.store_sql.session import Session
from nightowl.adapters.store_sql.times import from_ms, to_ms
from nightowl.core.values import Sample, State

_Labels = tuple[tuple[str, str], ...]

_CHUNK = 500
_POINT = (SAMPLES.c.time, SAMPLES.c.value)
_PHASES = ("connect", "dns", "first_byte", "tls", "total", "transfer")
_decode_labels = msgspec.json.Decoder(_Labels).decode


class SqlSeries:
    """See ``ports.SeriesStore``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection = session.connection

    def append(self, samples: Sequence[Sample]) -> None:
        """Store samples; of two with one series and time, the last written wins; NaN and infinities are dropped."""
        latest = {
            ((sample.metric, sample.labels), sample.time): sample.value
            for sample in samples
            if math.isfinite(sample.value)
        }
        numbers = self._numbers({series for series, _ in latest})
        self._session.upsert(SAMPLES, [(numbers[series], time, value) for (series, time), value in latest.items()])

    def window(self, metric: str, where: Mapping[str, str], start: float, end: float) -> list[Sample]:
        """Samples in ``(start, end]`` of all series that carry these labels, by series, then time."""
        derive = _DERIVED.get(metric)
        if derive is not None:
            samples = [sample for row in self._outcomes(where, start, end) for sample in derive(row)]
            wanted = where.items()
            return sorted(
                (sample for sample in samples if wanted <= dict(sample.labels).items()),
                key=lambda sample: (sample.labels, sample.time),
            )
        return self._appended(metric, where, start, end)

    def latest(self, since: float) -> list[Sample]:
        """The newest sample of each appended series, where it is newer than ``since``."""
        newest = select(SAMPLES).where(SAMPLES.c.series_id == SERIES.c.id).order_by(SAMPLES.c.time.desc()).limit(1)
        time, value = (newest.with_only_columns(column).correlate(SERIES).scalar_subquery() for column in _POINT)
        query = select(SERIES.c.metric, SERIES.c.labels, time.label("time"), value.label("value")).where(time > since)
        return sorted(
            (_sample(row) for row in self._connection.execute(query)), key=lambda sample: (sample.metric, sample.labels)
        )

    def _appended(self, metric: str, where: Mapping[str, str], start: float, end: float) -> list[Sample]:
        query = select(SERIES.c.id, SERIES.c.labels).where(SERIES.c.metric == metric)
        wanted = where.items()
        found = sorted(
            (labels, number)
            for number, blob in self._connection.execute(query)
            if wanted <= dict(labels := _decode_labels(blob)).items()
        )
        rows: dict[int, list[tuple[float, float]]] = {number: [] for _, number in found}
        for number, time, value in self._samples(list(rows), start, end):
            rows[number].append((time, value))
        return [Sample(metric, labels, time, value) for labels, number in found for time, value in rows[number]]

    def _samples(self, numbers: Sequence[int], start: float, end: float) -> Iterator[tuple[int, float, float]]:
        for first in range(0, len(numbers), _CHUNK):
            query = (
                select(SAMPLES.c.series_id, SAMPLES.c.time, SAMPLES.c.value)
                .where(SAMPLES.c.series_id.in_(numbers[first : first + _CHUNK]))
                .where(SAMPLES.c.time > start, SAMPLES.c.time <= end)
                .order_by(SAMPLES.c.series_id, SAMPLES.c.time)
            )
            yield from ((row.series_id, row.time, row.value) for row in self._connection.execute(query))

    def _outcomes(self, where: Mapping[str, str], start: float, end: float) -> Sequence[Any]:
        checks = select(CHECK_IDS.c.id).where(CHECK_IDS.c.name.is_not(None))
        if "check" in where:
            checks = checks.where(CHECK_IDS.c.name == where["check"])
        query = (
            select(OUTCOMES, CHECK_IDS.c.name.label("check"), LOCATION_IDS.c.name.label("location"))
            .join(CHECK_IDS, CHECK_IDS.c.id == OUTCOMES.c.check_id)
            .join(LOCATION_IDS, LOCATION_IDS.c.id == OUTCOMES.c.location_id)
            # the index is by check, then due: a range of it for each check
            .where(OUTCOMES.c.check_id.in_(checks), OUTCOMES.c.due > to_ms(start), OUTCOMES.c.due <= to_ms(end))
            .where(OUTCOMES.c.state != STATES.index(State.UNKNOWN))
        )
        if "location" in where:
            query = query.where(LOCATION_IDS.c.name == where["location"])
        return self._connection.execute(query).all()

    def _numbers(self, series: set[tuple[str, _Labels]]) -> dict[tuple[str, _Labels], int]:
        keys = {_key(*one): one for one in series}
        found = self._lookup(list(keys))
        new = [key for key in keys if key not in found]
        self._session.insert_new(
            SERIES,
            [(key, keys[key][0], msgspec.json.encode(keys[key][1]).decode()) for key in new],
            ("key", "metric", "labels"),
        )
        found |= self._lookup(new)
        return {one: found[key] for key, one in keys.items()}

    def _lookup(self, keys: Sequence[bytes]) -> dict[bytes, int]:
        found: dict[bytes, int] = {}
        for first in range(0, len(keys), _CHUNK):
            query = select(SERIES.c.key, SERIES.c.id).where(SERIES.c.key.in_(keys[first : first + _CHUNK]))
            found.update((bytes(key), number) for key, number in self._connection.execute(query))
        return found


def _key(metric: str, labels: _Labels) -> bytes:
    return hashlib.blake2b(msgspec.json.encode((metric, labels)), digest_size=16).digest()


def _sample(row: Any) -> Sample:
    return Sample(row.metric, _decode_labels(row.labels), row.time, row.value)


def _up(row: Any) -> Iterator[Sample]:
    good = STATES[row.state] in (State.UP, State.DEGRADED)
    labels = (("check", row.check), ("location", row.location))
    yield Sample("check_up", labels, from_ms(row.due), 1.0 if good else 0.0)


def _durations(row: Any) -> Iterator[Sample]:
    for phase in _PHASES:
        seconds = row.duration if phase == "total" else getattr(row, phase)
        if seconds is not None:
            labels = (("check", row.check), ("location", row.location), ("phase", phase))
            yield Sample("check_duration_seconds", labels, from_ms(row.due), seconds)


_DERIVED: Mapping[str, Callable[[Any], Iterator[Sample]]] = {
    "check_up": _up,
    "check_duration_seconds": _durations,
}
