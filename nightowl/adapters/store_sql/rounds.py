"""Rounds: under way, and closed with a verdict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError

from nightowl.adapters.store_sql.feed import SqlFeed
from nightowl.adapters.store_sql.outcomes import Outcomes
from nightowl.adapters.store_sql.schema import (
    CHECK_IDS,
    CHECK_STATES,
    CHECKS,
    DAYS,
    ROUNDS,
    STANDINGS,
    STATES,
)
from nightowl.adapters.store_sql.session import Session
from nightowl.adapters.store_sql.tickets import Tickets
from nightowl.adapters.store_sql.times import from_ms, to_ms
from nightowl.core.values import CheckState, DayCount, Place, Round, State, Verdict

_CODES = {state: code for code, state in enumerate(STATES)}
_STANDING = {state: STANDINGS.index(state) for state in STATES}
_DAY = 86_400
_CHUNK = 400
_PLACE = (
    update(CHECKS)
    .where(CHECKS.c.id.in_(bindparam("checks", expanding=True)), CHECKS.c.standing != bindparam("code"))
    .where(~CHECKS.c.paused)
    .values(standing=bindparam("code"))
)

_encode = msgspec.msgpack.Encoder().encode
_decode_state = msgspec.msgpack.Decoder(CheckState).decode
_decode_places = msgspec.msgpack.Decoder(tuple[tuple[Place, ...], tuple[str, ...]]).decode


class Verdicts:
    """The part of ``ports.Rounds`` that keeps what closed rounds said."""

    def __init__(self, session: Session, feed: SqlFeed) -> None:
        self._session = session
        self._connection = session.connection
        self._feed = feed

    def close(self, verdicts: Sequence[Verdict], states: Sequence[CheckState]) -> None:
        """Store verdicts (once each), count them by day, and store the checks' new states."""
        checks = self._session.names.checks(
            [*(verdict.check for verdict in verdicts), *(state.check for state in states)]
        )
        self._count(checks, self._insert(checks, verdicts))
        latest = {state.check: state for state in states}.values()
        self._session.upsert(
            CHECK_STATES, [(checks[state.check], _CODES[state.verdict], _encode(state)) for state in latest]
        )
        self._place(checks, latest)
        if verdicts:
            self._feed.add("verdict", "")

    def closed(self, rounds: Sequence[Round]) -> set[Round]:
        """Those of ``rounds`` that have a verdict."""
        checks = self._session.names.found({item.check for item in rounds})
        wanted = {(to_ms(item.due), checks[item.check]): item for item in rounds if item.check in checks}
        # neighbours in time together: each check then has few rows between the first and the last of them
        keys = sorted(wanted)
        found: set[Round] = set()
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            query = select(ROUNDS.c.due, ROUNDS.c.check_id).where(
                ROUNDS.c.check_id.in_({check for _, check in chunk}), ROUNDS.c.due.between(chunk[0][0], chunk[-1][0])
            )
            rows = self._connection.execute(query)
            found.update(wanted[row.due, row.check_id] for row in rows if (row.due, row.check_id) in wanted)
        return found

    def state(self, check: str) -> CheckState | None:
        """The check's state."""
        query = (
            select(CHECK_STATES.c.state)
            .join(CHECK_IDS, CHECK_IDS.c.id == CHECK_STATES.c.check_id)
            .where(CHECK_IDS.c.name == check)
        )
        blob = self._connection.execute(query).scalar()
        return None if blob is None else _decode_state(blob)

    def states(self) -> list[CheckState]:
        """The states of all checks, by name."""
        query = (
            select(CHECK_STATES.c.state)
            .join(CHECK_IDS, CHECK_IDS.c.id == CHECK_STATES.c.check_id)
            .order_by(CHECK_IDS.c.name)
        )
        return [_decode_state(blob) for blob in self._connection.execute(query).scalars()]

    def verdicts(self, check: str, start: float, end: float, limit: int) -> list[Verdict]:
        """Verdicts with ``start < due <= end`` in order of due; the newest ``limit``."""
        query = (
            select(ROUNDS)
            .join(CHECK_IDS, CHECK_IDS.c.id == ROUNDS.c.check_id)
            .where(CHECK_IDS.c.name == check, ROUNDS.c.due > to_ms(start), ROUNDS.c.due <= to_ms(end))
            .order_by(ROUNDS.c.due.desc())
            .limit(limit)
        )
        return [_verdict(check, row) for row in reversed(self._connection.execute(query).all())]

    def days(self, check: str, first: int, last: int) -> list[DayCount]:
        """Counts of the UTC days from ``first`` to ``last`` inclusive that have any."""
        query = (
            select(DAYS)
            .join(CHECK_IDS, CHECK_IDS.c.id == DAYS.c.check_id)
            .where(CHECK_IDS.c.name == check, DAYS.c.day.in_(range(first, last + 1)))
            .order_by(DAYS.c.day)
        )
        return [
            DayCount(check=check, day=row.day, up=row.up, degraded=row.degraded, down=row.down, unknown=row.unknown)
            for row in self._connection.execute(query)
        ]

    def _insert(self, checks: dict[str, int], verdicts: Sequence[Verdict]) -> Sequence[Verdict]:
        """Insert all at once, as they are new all but never; else one by one, to learn which are."""
        rows = [_row(checks[verdict.check], verdict) for verdict in verdicts]
        try:
            with self._connection.begin_nested():
                self._session.insert(ROUNDS, rows)
        except IntegrityError:
            return [
                verdict for verdict, row in zip(verdicts, rows, strict=True) if self._session.insert_new(ROUNDS, [row])
            ]
        return verdicts

    def _count(self, checks: dict[str, int], verdicts: Sequence[Verdict]) -> None:
        days: dict[tuple[int, int], list[int]] = {}
        for verdict in verdicts:
            counts = days.setdefault((int(verdict.due // _DAY), checks[verdict.check]), [0] * len(STATES))
            counts[_CODES[verdict.state]] += 1
        # the columns of DAYS stand in the order of STATES
        self._session.tally(DAYS, [(*key, *counts) for key, counts in days.items()])

    def _place(self, checks: dict[str, int], states: Collection[CheckState]) -> None:
        """Let lists show the checks where they now stand; few checks move in a tick."""
        standing: defaultdict[State, list[int]] = defaultdict(list)
        for state in states:
            standing[state.verdict].append(checks[state.check])
        for verdict, numbers in standing.items():
            code = _STANDING[verdict]
            for start in range(0, len(numbers), _CHUNK):
                self._connection.execute(_PLACE, {"checks": numbers[start : start + _CHUNK], "code": code})


class SqlRounds(Tickets, Outcomes, Verdicts):
    """See ``ports.Rounds``."""

    def __init__(self, session: Session, feed: SqlFeed) -> None:
        Verdicts.__init__(self, session, feed)


def _row(check: int, verdict: Verdict) -> tuple[Any, ...]:
    return (
        check,
        to_ms(verdict.due),
        verdict.closed,
        _CODES[verdict.state],
        verdict.reason,
        verdict.detail,
        verdict.duration,
        _encode((verdict.places, verdict.dissent)),
    )


def _verdict(check: str, row: Any) -> Verdict:
    places, dissent = _decode_places(row.places)
    return Verdict(
        check=check,
        due=from_ms(row.due),
        closed=row.closed,
        state=STATES[row.state],
        places=places,
        dissent=dissent,
        reason=row.reason,
        detail=row.detail,
        duration=row.duration,
    )
