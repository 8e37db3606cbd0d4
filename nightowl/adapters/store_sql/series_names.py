"""Which series there are: those that were appended, and those of checks, which follow from their last rounds."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from sqlalchemy import select

from nightowl.adapters.store_sql.schema import CHECK_STATES, SERIES
from nightowl.adapters.store_sql.session import Session
from nightowl.core.series import Labels
from nightowl.core.values import CheckState

_PHASES = ("connect", "dns", "first_byte", "tls", "total", "transfer")
_OF_CHECKS = {"check_up": (), "check_duration_seconds": _PHASES}

_decode_labels = msgspec.json.Decoder(Labels).decode
_decode_state = msgspec.msgpack.Decoder(CheckState).decode


class SqlSeriesNames:
    """See ``ports.SeriesNames``."""

    def __init__(self, session: Session) -> None:
        self._connection = session.connection

    def metrics(self) -> list[str]:
        """All names of metrics, in order."""
        appended = self._connection.execute(select(SERIES.c.metric).distinct()).scalars()
        ran = self._connection.execute(select(CHECK_STATES.c.check_id).limit(1)).scalar() is not None
        return sorted({*appended, *(_OF_CHECKS if ran else ())})

    def labels(self, metric: str) -> list[Labels]:
        """The labels of each series of a metric, in order."""
        if metric in _OF_CHECKS:
            return sorted(self._of_checks(_OF_CHECKS[metric]))
        found = self._connection.execute(select(SERIES.c.labels).where(SERIES.c.metric == metric)).scalars()
        return sorted(map(_decode_labels, found))

    def _of_checks(self, phases: tuple[str, ...]) -> Iterator[Labels]:
        for blob in self._connection.execute(select(CHECK_STATES.c.state)).scalars():
            state = _decode_state(blob)
            for place in state.last.places if state.last else ():
                labels = (("check", state.check), ("location", place.location))
                yield from ((*labels, ("phase", phase)) for phase in phases) if phases else (labels,)
