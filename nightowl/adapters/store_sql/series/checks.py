"""The series of checks, which are read off the outcomes: nothing is written twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import select

from nightowl.adapters.store_sql.schema import CHECK_IDS, LOCATION_IDS, OUTCOMES, STATES
from nightowl.adapters.store_sql.session import Session
from nightowl.adapters.store_sql.times import from_ms, to_ms
from nightowl.core.frame import Frame, settled
from nightowl.core.series import Labels, Series
from nightowl.core.values import State

_GOOD = tuple(STATES.index(state) for state in (State.UP, State.DEGRADED))
_PHASES = ("connect", "dns", "first_byte", "tls", "total", "transfer")
_FIGURES = {phase: OUTCOMES.c.duration if phase == "total" else OUTCOMES.c[phase] for phase in _PHASES}
_Point = tuple[Labels, float]


class CheckSeries:
    """Reads ``check_up`` and ``check_duration_seconds``."""

    def __init__(self, session: Session) -> None:
        self._connection = session.connection

    def frame(self, metric: str, where: Mapping[str, str], start: float, end: float) -> tuple[list[Series], Frame]:
        """Samples in ``(start, end]`` by series, then time; a number is the place of its series in the list."""
        derive = _DERIVED[metric]
        wanted = where.items()
        found: dict[Labels, int] = {}
        rows = []
        for row in self._outcomes(where, start, end):
            for labels, value in derive(row):
                if wanted <= dict(labels).items():
                    rows.append((found.setdefault(labels, len(found)), from_ms(row.due), value))
        order = sorted(found)
        places = {found[labels]: place for place, labels in enumerate(order)}
        return [Series(metric, labels) for labels in order], _frame(rows, places)

    def _outcomes(self, where: Mapping[str, str], start: float, end: float) -> Sequence[Any]:
        checks = select(CHECK_IDS.c.id).where(CHECK_IDS.c.name.is_not(None))
        if "check" in where:
            checks = checks.where(CHECK_IDS.c.name == where["check"])
        figures = [column.label(phase) for phase, column in _FIGURES.items()]
        query = (
            select(
                OUTCOMES.c.due,
                OUTCOMES.c.state,
                *figures,
                CHECK_IDS.c.name.label("check"),
                LOCATION_IDS.c.name.label("location"),
            )
            .join(CHECK_IDS, CHECK_IDS.c.id == OUTCOMES.c.check_id)
            .join(LOCATION_IDS, LOCATION_IDS.c.id == OUTCOMES.c.location_id)
            # the index is by check, then due: a range of it for each check
            .where(OUTCOMES.c.check_id.in_(checks), OUTCOMES.c.due > to_ms(start), OUTCOMES.c.due <= to_ms(end))
            .where(OUTCOMES.c.state != STATES.index(State.UNKNOWN))
        )
        if "location" in where:
            query = query.where(LOCATION_IDS.c.name == where["location"])
        return self._connection.execute(query).all()


def _frame(rows: Sequence[tuple[int, float, float]], places: Mapping[int, int]) -> Frame:
    numbers, times, values = zip(*rows, strict=True) if rows else ((), (), ())
    ordered = np.array([places[number] for number in numbers], dtype=np.int64)
    return settled(Frame(ordered, np.array(times, np.float64), np.array(values, np.float64)))


def _up(row: Any) -> Iterator[_Point]:
    yield (("check", row.check), ("location", row.location)), 1.0 if row.state in _GOOD else 0.0


def _durations(row: Any) -> Iterator[_Point]:
    for phase in _PHASES:
        seconds = getattr(row, phase)
        if seconds is not None:
            yield (("check", row.check), ("location", row.location), ("phase", phase)), seconds


_DERIVED: Mapping[str, Callable[[Any], Iterator[_Point]]] = {
    "check_up": _up,
    "check_duration_seconds": _durations,
}
