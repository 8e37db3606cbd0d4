"""Heartbeats: their URLs by hash, the calls of their jobs, and where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Row, Select, select, update

from nightowl.adapters.store_sql.feed import SqlFeed
from nightowl.adapters.store_sql.schema import CHECK_IDS, CHECKS, HEARTBEAT_URLS, MARKS, PINGS, PULSES
from nightowl.adapters.store_sql.session import Session
from nightowl.adapters.store_sql.times import from_ms, to_ms
from nightowl.core.values import Ping, Pulse
from nightowl.ports import HeartbeatUrl

_PING = ("check_id", "at", "taken", "signal", "exit_code", "source", "tail", "run", "started", "event")
_LONGEST = 255  # characters of a run's id
_WATCHED = "watched_until"
_URLS = select(CHECKS.c.name, CHECKS.c.id, HEARTBEAT_URLS.c.generation, HEARTBEAT_URLS.c.token_hash).join(
    HEARTBEAT_URLS, HEARTBEAT_URLS.c.check_id == CHECKS.c.id, isouter=True
)

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Pulse).decode


class SqlHeartbeats:
    """See ``ports.Heartbeats``."""

    def __init__(self, session: Session, feed: SqlFeed) -> None:
        self._session = session
        self._connection = session.connection
        self._feed = feed

    def url(self, check: str) -> HeartbeatUrl | None:
        """The URL of a check, whatever its kind (None: there is no such check)."""
        row = self._connection.execute(_URLS.where(CHECKS.c.name == check)).one_or_none()
        return _url(row) if row else None

    def urls(self) -> dict[str, HeartbeatUrl]:
        """The URLs of all checks, by name."""
        return {row.name: _url(row) for row in self._connection.execute(_URLS.order_by(CHECKS.c.name))}

    def set_url(self, check: str, url: HeartbeatUrl) -> None:
        """Make this the URL of a check, and tell the change feed; the one before is unknown from then on."""
        self._session.upsert(HEARTBEAT_URLS, [(url.serial, url.generation, url.token_hash)])
        self._feed.add("ping", check)

    def owner(self, token_hash: bytes) -> str | None:
        """The check whose URL has a token with this hash."""
        owned = select(CHECK_IDS.c.name).join(HEARTBEAT_URLS, HEARTBEAT_URLS.c.check_id == CHECK_IDS.c.id)
        name: str | None = self._connection.execute(owned.where(HEARTBEAT_URLS.c.token_hash == token_hash)).scalar()
        return name

    def add(self, *pings: Ping) -> None:
        """Store calls, and tell the change feed.

        One of a check that is gone has no effect, nor has one whose event is stored already.
        """
        numbers = self._session.names.found([ping.check for ping in pings])
        known = [ping for ping in pings if ping.check in numbers]
        if self._session.insert_new(PINGS, [_row(numbers[ping.check], ping) for ping in known], _PING):
            for check in dict.fromkeys(ping.check for ping in known):
                self._feed.add("ping", check)

    def pings(self, check: str, limit: int) -> list[Ping]:
        """The newest calls of a check, newest first."""
        query = _pings().where(CHECK_IDS.c.name == check).order_by(PINGS.c.id.desc()).limit(limit)
        return [_ping(row) for row in self._connection.execute(query)]

    def untaken(self, limit: int) -> list[Ping]:
        """The oldest calls that the leader has not taken up."""
        query = _pings().where(~PINGS.c.taken).order_by(PINGS.c.id).limit(limit)
        return [_ping(row) for row in self._connection.execute(query)]

    def take(self, pings: Sequence[Ping]) -> None:
        """Note that calls were taken up."""
        if pings:
            numbers = [ping.id for ping in pings]
            self._connection.execute(update(PINGS).where(PINGS.c.id.in_(numbers)).values(taken=True))

    def pulses(self) -> list[Pulse]:
        """Where all heartbeats stand, by name."""
        query = select(PULSES.c.pulse).join(CHECK_IDS, CHECK_IDS.c.id == PULSES.c.check_id).order_by(CHECK_IDS.c.name)
        return [_decode(blob) for blob in self._connection.execute(query).scalars()]

    def pulse(self, check: str) -> Pulse | None:
        """Where one heartbeat stands."""
        query = select(PULSES.c.pulse).join(CHECK_IDS, CHECK_IDS.c.id == PULSES.c.check_id)
        blob = self._connection.execute(query.where(CHECK_IDS.c.name == check)).scalar()
        return None if blob is None else _decode(blob)

    def save(self, pulses: Sequence[Pulse]) -> None:
        """Store where heartbeats stand; those whose check is gone are left out."""
        numbers = self._session.names.found([pulse.check for pulse in pulses])
        rows = [(numbers[pulse.check], _encode(pulse)) for pulse in pulses if pulse.check in numbers]
        self._session.upsert(PULSES, rows)

    def watched_until(self) -> float | None:
        """The last moment at which a leader watched (None: never), to the millisecond."""
        value = self._connection.execute(select(MARKS.c.value).where(MARKS.c.name == _WATCHED)).scalar()
        return None if value is None else from_ms(value)

    def watch(self, moment: float) -> None:
        """Note that a leader watches at ``moment``."""
        self._session.upsert(MARKS, [(_WATCHED, to_ms(moment))])


def _url(row: Any) -> HeartbeatUrl:
    if row.token_hash is None:
        return HeartbeatUrl(serial=row.id)
    return HeartbeatUrl(serial=row.id, generation=row.generation, token_hash=bytes(row.token_hash))


def _pings() -> Select[Any]:
    return select(PINGS, CHECK_IDS.c.name).join(CHECK_IDS, CHECK_IDS.c.id == PINGS.c.check_id)


def _row(number: int, ping: Ping) -> tuple[Any, ...]:
    event = sha256(ping.event.encode()).hexdigest() if ping.event else None
    said = (ping.signal, ping.exit_code, ping.source, ping.tail)
    return (number, ping.at, False, *said, ping.run[:_LONGEST], ping.started, event)


def _ping(row: Row[Any]) -> Ping:
    return Ping(
        check=row.name,
        at=row.at,
        signal=row.signal,
        exit_code=row.exit_code,
        source=row.source,
        tail=row.tail,
        id=row.id,
        run=row.run,
        started=row.started,
    )
