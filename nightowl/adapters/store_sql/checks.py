"""Check definitions, and the lists that show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import Select, and_, delete, exists, func, select, update

from nightowl.adapters.store_sql.feed import SqlFeed
from nightowl.adapters.store_sql.schema import (
    CHECK_IDS,
    CHECK_LOCATIONS,
    CHECK_STATES,
    CHECK_TAGS,
    CHECKS,
    HEARTBEAT_URLS,
    MARKS,
    PINGS,
    PULSES,
    STANDINGS,
    STATES,
)
from nightowl.adapters.store_sql.session import Session
from nightowl.core.secrecy import map_url
from nightowl.core.values import CheckState
from nightowl.ports import CheckFilter, CheckRow, Page, StoredCheck

_EVERYWHERE = ""
_PAUSED = STANDINGS.index("paused")
_NEW = STANDINGS.index("new")
_NO_STANDING = -1
_CHUNK = 500
_DEFINITION = (CHECKS.c.name, CHECKS.c.origin, CHECKS.c.paused, CHECKS.c.spec, CHECKS.c.changed)

_decode_state = msgspec.msgpack.Decoder(CheckState).decode


class SqlChecks:
    """See ``ports.Checks``."""

    def __init__(self, session: Session, feed: SqlFeed) -> None:
        self._session = session
        self._connection = session.connection
        self._feed = feed

    def all(self) -> list[StoredCheck]:
        """All checks, by name."""
        return [_stored(row) for row in self._connection.execute(select(*_DEFINITION).order_by(CHECKS.c.name))]

    def get(self, name: str) -> StoredCheck | None:
        """One check."""
        row = self._connection.execute(select(*_DEFINITION).where(CHECKS.c.name == name)).one_or_none()
        return _stored(row) if row else None

    def put(self, check: StoredCheck) -> None:
        """Insert or replace by name; a new ``changed`` alone is no difference."""
        self.put_many([check])

    def put_many(self, checks: Sequence[StoredCheck]) -> None:
        """``put`` for many checks in a few statements; one transaction at a time, as any may define the same name."""
        self._session.names.hold_checks()
        wanted = {check.name: check for check in checks}
        numbers = self._session.names.checks(wanted)
        before = self._definitions(numbers.values())
        changed = {numbers[name]: check for name, check in wanted.items() if _differs(check, before.get(name))}
        standings = self._standings(changed)
        # by number, as the leader mostly comes upon these rows: so the two seldom meet in a deadlock
        self._session.upsert(CHECKS, [_row(number, changed[number], standings) for number in sorted(changed)])
        self._index(changed, [numbers[name] for name in before])
        for check in changed.values():
            self._feed.add("check", check.name)

    def remove(self, name: str) -> bool:
        """Forget a check; its rounds are out of sight at once and deleted by ``Retention.prune("outcomes")``."""
        self._session.names.hold_checks()
        number = self._connection.execute(select(CHECK_IDS.c.id).where(CHECK_IDS.c.name == name)).scalar()
        if number is None or self.get(name) is None:
            return False
        self._connection.execute(delete(CHECKS).where(CHECKS.c.id == number))
        for table in (CHECK_STATES, HEARTBEAT_URLS, PULSES):
            self._connection.execute(delete(table).where(table.c.check_id == number))
        self._connection.execute(delete(PINGS).where(PINGS.c.check_id == number, ~PINGS.c.taken))
        self._connection.execute(update(CHECK_IDS).where(CHECK_IDS.c.id == number).values(name=None))
        self._connection.execute(update(MARKS).where(MARKS.c.name == "removals").values(value=MARKS.c.value + 1))
        self._session.names.forget_checks()
        self._feed.add("check", name)
        return True

    def page(self, wanted: CheckFilter, offset: int, limit: int) -> Page:
        """Rows by state (down, degraded, unknown, never run, up, paused), then name."""
        in_order = select(CHECKS.c.id, *_DEFINITION).order_by(CHECKS.c.standing, CHECKS.c.name)
        found = self._connection.execute(_narrowed(in_order, wanted).offset(offset).limit(limit)).all()
        total = self._connection.execute(_narrowed(select(func.count()).select_from(CHECKS), wanted)).scalar_one()
        # apart, so that the first query reads no more than the rows of the page, in the order of the index
        states = self._states([row.id for row in found])
        return Page(rows=tuple(CheckRow(check=_stored(row), state=states.get(row.id)) for row in found), total=total)

    def counts(self) -> dict[str, int]:
        """How many checks are in each state (``up``, ..., ``paused``, ``new``); all are there, be it with 0."""
        query = select(CHECKS.c.standing, func.count().label("checks")).group_by(CHECKS.c.standing)
        found = {row.standing: row.checks for row in self._connection.execute(query)}
        return {name: found.get(code, 0) for code, name in enumerate(STANDINGS)}

    def _states(self, numbers: list[int]) -> dict[int, CheckState]:
        query = select(CHECK_STATES.c.check_id, CHECK_STATES.c.state).where(CHECK_STATES.c.check_id.in_(numbers))
        return {row.check_id: _decode_state(row.state) for row in self._connection.execute(query)}

    def _definitions(self, numbers: Iterable[int]) -> dict[str, StoredCheck]:
        return {
            row.name: _stored(row)
            for chunk in _chunks(numbers)
            for row in self._connection.execute(select(*_DEFINITION).where(CHECKS.c.id.in_(chunk)))
        }

    def _standings(self, numbers: Iterable[int]) -> dict[int, int]:
        """Where the checks that have a state stand while they are not paused."""
        columns = (CHECK_STATES.c.check_id, CHECK_STATES.c.verdict)
        return {
            row.check_id: STANDINGS.index(STATES[row.verdict])
            for chunk in _chunks(numbers)
            for row in self._connection.execute(select(*columns).where(CHECK_STATES.c.check_id.in_(chunk)))
        }

    def _index(self, checks: Mapping[int, StoredCheck], before: Iterable[int]) -> None:
        for chunk in _chunks(number for number in before if number in checks):
            self._connection.execute(delete(CHECK_TAGS).where(CHECK_TAGS.c.check_id.in_(chunk)))
            self._connection.execute(delete(CHECK_LOCATIONS).where(CHECK_LOCATIONS.c.check_id.in_(chunk)))
        tags: list[tuple[str, int, str]] = []
        locations: list[tuple[str, int]] = []
        for number, check in checks.items():
            tags.extend((name, number, str(value)) for name, value in (check.spec.get("tags") or {}).items())
            locations.extend((name, number) for name in dict.fromkeys(check.spec.get("locations") or [_EVERYWHERE]))
        self._session.insert(CHECK_TAGS, tags)
        self._session.insert(CHECK_LOCATIONS, locations)


def _chunks(numbers: Iterable[int]) -> Iterator[list[int]]:
    rest = iter(numbers)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def _differs(check: StoredCheck, before: StoredCheck | None) -> bool:
    return before is None or msgspec.structs.replace(before, changed=check.changed) != check


def _row(number: int, check: StoredCheck, standings: Mapping[int, int]) -> tuple[Any, ...]:
    return (
        number,
        check.name,
        check.origin,
        check.paused,
        msgspec.json.encode(check.spec).decode(),
        check.changed,
        f"{check.name}\n{map_url(str(check.spec.get('url', '')), _hidden)}".casefold(),
        _PAUSED if check.paused else standings.get(number, _NEW),
    )


def _hidden(_place: str, _secret: str) -> str:
    """Secrets are not looked for."""
    return ""


def _stored(row: Any) -> StoredCheck:
    return StoredCheck(
        name=row.name, origin=row.origin, paused=row.paused, spec=msgspec.json.decode(row.spec), changed=row.changed
    )


def _narrowed(query: Select[Any], wanted: CheckFilter) -> Select[Any]:
    if wanted.state:
        known = wanted.state in STANDINGS
        query = query.where(CHECKS.c.standing == (STANDINGS.index(wanted.state) if known else _NO_STANDING))
    if wanted.tag:
        name, has_value, value = wanted.tag.partition("=")
        tagged = and_(CHECK_TAGS.c.check_id == CHECKS.c.id, CHECK_TAGS.c.name == name)
        query = query.where(exists().where(and_(tagged, CHECK_TAGS.c.value == value) if has_value else tagged))
    if wanted.location:
        here = CHECK_LOCATIONS.c.location.in_([wanted.location, _EVERYWHERE])
        query = query.where(exists().where(and_(CHECK_LOCATIONS.c.check_id == CHECKS.c.id, here)))
    if wanted.text:
        query = query.where(CHECKS.c.search.contains(wanted.text.casefold(), autoescape=True, escape="!"))
    return query
