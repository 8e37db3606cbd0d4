"""Forgetting, in bounded batches, so that no deletion holds up what is being written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, bindparam, delete, exists, or_, select, true

from nightowl.adapters.store_sql import sizes
from nightowl.adapters.store_sql.schema import (
    ATTEMPTS,
    AUDIT,
    CHECK_IDS,
    DAYS,
    FEED,
    HOURS,
    INCIDENTS,
    OUTBOX,
    OUTCOMES,
    PINGS,
    ROLLUPS,
    ROUNDS,
    SESSIONS,
    SILENCES,
    STEPS,
    TIMELINE,
    TOKENS,
)
from nightowl.adapters.store_sql.series.blocks import HOUR, SIZE
from nightowl.adapters.store_sql.series.forgetting import Forgetting
from nightowl.adapters.store_sql.session import Session
from nightowl.adapters.store_sql.times import to_ms

_DAY = 86_400


class SqlRetention:
    """See ``ports.Retention``."""

    def __init__(self, session: Session) -> None:
        self._connection = session.connection
        self._forgetting = Forgetting(session)

    def prune(self, kind: str, before: float, limit: int) -> int:
        """Delete up to ``limit`` rows of ``kind`` older than ``before``; how many went.

        Kinds: attempts, pings, outcomes (with verdicts and days, and with the rounds of removed checks of any age),
        series (hours of samples that are older as a whole), rollups (days; then series of which nothing is left),
        incidents (resolved before, with timelines and notices; also silences that ended before), feed, outbox (sent or
        given up), sessions (ended; also expired tokens), audit.
        """
        pruners: Mapping[str, Callable[[float, int], int]] = {
            "attempts": self._attempts,
            "pings": self._pings,
            "outcomes": self._outcomes,
            "series": self._series,
            "rollups": self._rollups,
            "incidents": self._incidents,
            "feed": self._feed,
            "outbox": self._outbox,
            "sessions": self._sessions,
            "audit": self._audit,
        }
        return pruners[kind](before, limit)

    def size(self) -> int:
        """Bytes that the store takes, without what is free and used again."""
        return sizes.size(self._connection)

    def _attempts(self, before: float, limit: int) -> int:
        return self._by_age(
            ATTEMPTS, [ATTEMPTS.c.due, ATTEMPTS.c.check_id, ATTEMPTS.c.location_id], to_ms(before), limit
        )

    def _pings(self, before: float, limit: int) -> int:
        return self._by_age(PINGS, [PINGS.c.at, PINGS.c.id], before, limit)

    def _outcomes(self, before: float, limit: int) -> int:
        self._connection.execute(delete(DAYS).where(DAYS.c.day < int(before // _DAY)))
        gone = 0
        for table in (OUTCOMES, ROUNDS):
            key = (table.c.check_id, table.c.due)
            for unwanted in (CHECK_IDS.c.name.is_(None), table.c.due < to_ms(before)):
                gone += self._by_owner(CHECK_IDS.c.id, key, unwanted, limit - gone)
        self._free_numbers()
        return gone

    def _free_numbers(self) -> None:
        left = or_(*(exists().where(table.c.check_id == CHECK_IDS.c.id) for table in (OUTCOMES, ROUNDS)))
        self._connection.execute(delete(CHECK_IDS).where(CHECK_IDS.c.name.is_(None), ~left))

    def _series(self, before: float, limit: int) -> int:
        rows, weight = _blocks(limit)
        gone = self._by_age(HOURS, [HOURS.c.hour, HOURS.c.block], int(before // HOUR), rows)
        return weight * (gone + self._by_age(STEPS, [STEPS.c.newest, STEPS.c.position], before, rows))

    def _rollups(self, before: float, limit: int) -> int:
        day = int(before // _DAY)
        rows, weight = _blocks(limit)
        gone = self._by_age(ROLLUPS, [ROLLUPS.c.day, ROLLUPS.c.block], day, rows)
        return weight * gone or self._forgetting.run(day, limit)

    def _incidents(self, before: float, limit: int) -> int:
        self._by_age(SILENCES, [SILENCES.c.ends, SILENCES.c.id], before, limit)
        query = select(INCIDENTS.c.id).where(INCIDENTS.c.resolved < before).order_by(INCIDENTS.c.resolved).limit(limit)
        old = list(self._connection.execute(query).scalars())
        if old:
            self._connection.execute(delete(TIMELINE).where(TIMELINE.c.incident.in_(old)))
            self._connection.execute(delete(OUTBOX).where(OUTBOX.c.incident.in_(old)))
            self._connection.execute(delete(INCIDENTS).where(INCIDENTS.c.id.in_(old)))
        return len(old)

    def _feed(self, before: float, limit: int) -> int:
        return self._by_age(FEED, [FEED.c.at, FEED.c.id], before, limit)

    def _outbox(self, before: float, limit: int) -> int:
        return self._by_age(OUTBOX, [OUTBOX.c.finished, OUTBOX.c.id], before, limit)

    def _audit(self, before: float, limit: int) -> int:
        return self._by_age(AUDIT, [AUDIT.c.at, AUDIT.c.id], before, limit)

    def _sessions(self, before: float, limit: int) -> int:
        self._connection.execute(delete(TOKENS).where(TOKENS.c.expires < before))
        return self._by_age(SESSIONS, [SESSIONS.c.expires, SESSIONS.c.token_hash], before, limit)

    def _by_age(self, table: Table, key: Sequence[Column[Any]], before: float, limit: int) -> int:
        """Delete the first ``limit`` rows by ``key``, an index whose first column is the age."""
        old = key[0] < before
        last = self._connection.execute(select(*key).where(old).order_by(*key).offset(limit - 1).limit(1)).one_or_none()
        chosen = old if last is None else and_(key[0] <= last[0], _up_to(key, last))
        return self._connection.execute(delete(table).where(chosen)).rowcount

    def _by_owner(
        self, owner: Column[Any], key: Sequence[Column[Any]], unwanted: ColumnElement[bool], limit: int
    ) -> int:
        """Delete rows of a table that is clustered by ``key`` (its owner, its age): owner after owner, oldest first."""
        if limit <= 0:
            return 0
        reference, age = key
        owned = owner.table.join(reference.table, reference == owner)
        query = select(owner, age).select_from(owned).where(unwanted).order_by(owner, age).limit(limit)
        newest = {row[0]: row[1] for row in self._connection.execute(query)}
        if not newest:
            return 0
        statement = delete(reference.table).where(reference == bindparam("owner"), age <= bindparam("newest"))
        rows = [{"owner": number, "newest": moment} for number, moment in newest.items()]
        return self._connection.execute(statement, rows).rowcount


def _blocks(limit: int) -> tuple[int, int]:
    """How many rows of blocks to delete for so many rows, and for how many one counts, as many series are in it."""
    rows = max(1, limit // SIZE)
    return rows, ceil(limit / rows)


def _up_to(key: Sequence[Column[Any]], values: Sequence[Any]) -> ColumnElement[bool]:
    """The rows whose key is not greater, compared column by column."""
    if not key:
        return true()
    return or_(key[0] < values[0], and_(key[0] == values[0], _up_to(key[1:], values[1:])))
