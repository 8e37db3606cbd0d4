"""What locations said."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Select, and_, select

from nightowl.adapters.store_sql.schema import ATTEMPTS, CHECK_IDS, LOCATION_IDS, OUTCOMES, STATES
from nightowl.adapters.store_sql.session import Session
from nightowl.adapters.store_sql.times import from_ms, to_ms
from nightowl.core.values import Attempt, Certificate, Outcome, Phases, Round

_CODES = {state: code for code, state in enumerate(STATES)}
_NO_FIGURE = (None,) * 13
_CHUNK = 400

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int | None, tuple[Attempt, ...]]).decode


class Outcomes:
    """The part of ``ports.Rounds`` that keeps outcomes and their attempts."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection = session.connection

    def add_outcomes(self, outcomes: Sequence[Outcome], *, late: bool = False) -> None:
        """Store outcomes with all attempts; one that is already there has no effect."""
        checks = self._session.names.checks([outcome.check for outcome in outcomes])
        locations = self._session.names.locations([outcome.location for outcome in outcomes])
        rows, attempts = [], []
        for outcome in outcomes:
            check, due, location = checks[outcome.check], to_ms(outcome.due), locations[outcome.location]
            said = (_CODES[outcome.state], late, outcome.actor)
            rows.append((check, due, location, *said, *_figure(outcome.figure), outcome.offline))
            attempts.append((due, check, location, _encode((outcome.kept, outcome.attempts))))
        self._session.insert_new(OUTCOMES, rows)
        self._session.insert_new(ATTEMPTS, attempts)

    def outcomes(self, check: str, due: float) -> list[Outcome]:
        """A round's outcomes by location, with their attempts: once these are forgotten, with the kept one."""
        mine = and_(
            ATTEMPTS.c.due == OUTCOMES.c.due,
            ATTEMPTS.c.check_id == OUTCOMES.c.check_id,
            ATTEMPTS.c.location_id == OUTCOMES.c.location_id,
        )
        query = (
            select(OUTCOMES, LOCATION_IDS.c.name, ATTEMPTS.c.attempts)
            .select_from(_NAMED.outerjoin(ATTEMPTS, mine))
            .where(CHECK_IDS.c.name == check, OUTCOMES.c.due == to_ms(due))
            .order_by(LOCATION_IDS.c.name)
        )
        return [_outcome(check, row, row.attempts) for row in self._connection.execute(query)]

    def late(self, check: str, due: float) -> set[str]:
        """The locations of a round whose outcomes came too late for a vote."""
        query = (
            select(LOCATION_IDS.c.name)
            .select_from(_NAMED)
            .where(CHECK_IDS.c.name == check, OUTCOMES.c.due == to_ms(due), OUTCOMES.c.late)
        )
        return set(self._connection.execute(query).scalars())

    def votes(self, rounds: Sequence[Round]) -> list[Outcome]:
        """The outcomes of all these rounds that came in time, in order of due and check.

        Of their attempts only the kept one is there, without its excerpt, and of its certificate only the expiry.
        """
        checks = self._session.names.found({item.check for item in rounds})
        wanted = {(to_ms(item.due), checks[item.check]): item.check for item in rounds if item.check in checks}
        # neighbours in time together: each check then has few rows between the first and the last of them
        keys = sorted(wanted)
        found: list[Outcome] = []
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            rows = self._connection.execute(_in_time({check for _, check in chunk}, chunk[0][0], chunk[-1][0]))
            asked = set(chunk)  # a round of the next chunk may have this one's last moment and one of its checks
            inside = sorted((row for row in rows if (row.due, row.check_id) in asked), key=_place)
            found.extend(_outcome(wanted[row.due, row.check_id], row, None) for row in inside)
        return found

    def outcome_range(self, check: str, start: float, end: float, limit: int) -> list[Outcome]:
        """Outcomes with ``start < due <= end`` in order of due and location, the newest ``limit``.

        Of their attempts only the kept one is there, without its excerpt, and of its certificate only the expiry.
        """
        rows = self._connection.execute(outcome_range(check, start, end, limit)).all()
        return [_outcome(check, row, None) for row in reversed(rows)]


_NAMED = CHECK_IDS.join(OUTCOMES, OUTCOMES.c.check_id == CHECK_IDS.c.id).join(
    LOCATION_IDS, LOCATION_IDS.c.id == OUTCOMES.c.location_id
)


def _place(row: Any) -> tuple[int, int, str]:
    return row.due, row.check_id, row.name


def _in_time(checks: Collection[int], first: int, last: int) -> Select[Any]:
    return (
        select(OUTCOMES, LOCATION_IDS.c.name)
        .join(LOCATION_IDS, LOCATION_IDS.c.id == OUTCOMES.c.location_id)
        .where(OUTCOMES.c.check_id.in_(checks), OUTCOMES.c.due.between(first, last), ~OUTCOMES.c.late)
    )


def outcome_range(check: str, start: float, end: float, limit: int) -> Select[Any]:
    """The query for the newest outcomes of a check in a time range, newest first."""
    return (
        select(OUTCOMES, LOCATION_IDS.c.name)
        .select_from(_NAMED)
        .where(CHECK_IDS.c.name == check, OUTCOMES.c.due > to_ms(start), OUTCOMES.c.due <= to_ms(end))
        .order_by(OUTCOMES.c.due.desc(), LOCATION_IDS.c.name.desc())
        .limit(limit)
    )


def _figure(kept: Attempt | None) -> tuple[Any, ...]:
    if kept is None:
        return _NO_FIGURE
    phases = kept.phases
    return (
        _CODES[kept.state],
        kept.started,
        kept.duration,
        phases.dns,
        phases.connect,
        phases.tls,
        phases.first_byte,
        phases.transfer,
        kept.status,
        kept.address,
        kept.reason,
        kept.detail,
        kept.certificate and kept.certificate.not_after,
    )


def _outcome(check: str, row: Any, blob: bytes | None) -> Outcome:
    if blob is not None:
        kept, attempts = _decode(blob)
    elif row.kept_state is not None:
        kept, attempts = 0, (_kept(row),)
    else:
        kept, attempts = None, ()
    return Outcome(
        check=check,
        due=from_ms(row.due),
        location=row.name,
        state=STATES[row.state],
        attempts=attempts,
        kept=kept,
        actor=row.actor,
        offline=row.offline,
    )


def _kept(row: Any) -> Attempt:
    expiry = row.certificate_expiry
    return Attempt(
        state=STATES[row.kept_state],
        started=row.started,
        duration=row.duration,
        phases=Phases(dns=row.dns, connect=row.connect, tls=row.tls, first_byte=row.first_byte, transfer=row.transfer),
        status=row.status,
        address=row.address,
        reason=row.reason,
        detail=row.detail,
        certificate=None if expiry is None else Certificate(subject="", issuer="", not_before=0.0, not_after=expiry),
    )
