"""Events from Redis: a socket of our own that is subscribed to the channels on which kombu publishes them.

Redis drops a subscriber that leaves too much unread (``client-output-buffer-limit pubsub``: 32 MiB, or 8 MiB for a
minute). Only a ping that was answered proves that nothing is outstanding, so one is always under way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import hiredis

from nightowl.adapters.celery_cluster.events import envelope
from nightowl.adapters.celery_cluster.events.channels import EXCHANGE, database, pattern
from nightowl.adapters.celery_cluster.events.decode import Sieve
from nightowl.adapters.celery_cluster.events.line import Line
from nightowl.adapters.celery_cluster.events.redis_protocol import Refused, Session, pack
from nightowl.adapters.celery_cluster.events.sentinel import master
from nightowl.adapters.celery_cluster.events.stream import Stream
from nightowl.adapters.celery_cluster.place import Place
from nightowl.adapters.celery_cluster.tls import Told, tls
from nightowl.ports.clock import Clock

PING = 1.0
"""Seconds between pings."""

SILENCE = 10.0
"""Seconds without a byte, a ping being unanswered, after which a connection is lost."""

MOST = 4 * 1024 * 1024
"""Bytes after which a read returns, whatever came of them."""

LARGEST = 64 * 1024 * 1024
"""Bytes of one message that are buffered at most. Redis itself usually drops a subscriber at half of that."""

_PING = pack("PING")


class RedisStream:
    """A connection that is subscribed."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._line = Line(session.sock)
        self._reader = session.reader
        self._clock = clock
        self.since = self.sure = clock.now()
        self._asked: float | None = None
        """When the ping was sent that is not answered (Unix seconds)."""
        self._beaten = self._heard = clock.monotonic()
        self._buffered = 0

    def pump(self, sieve: Sieve, seconds: float) -> None:
        """Give the sieve what has arrived, waiting for the first of it."""
        self._beat()
        data = self._line.receive()
        if not data:
            self._line.wait(seconds)
            data = self._line.receive()
        if not data:
            self._listen()
            return
        self._heard = self._clock.monotonic()
        taken = 0
        while data:
            taken += len(data)
            self._take(data, sieve)
            data = self._line.receive() if taken < MOST and not sieve.has_enough else data[:0]

    def _take(self, data: memoryview, sieve: Sieve) -> None:
        self._reader.feed(data)  # type: ignore[arg-type]  # its stub knows nothing of buffers
        self._buffered += len(data)
        gets, open_ = self._reader.gets, envelope.take
        while (reply := gets()) is not False:
            self._buffered = 0
            if reply.__class__ is list and reply[0] == b"pmessage":
                open_(reply[3], sieve)
            else:
                self._told(reply)
        if self._buffered > LARGEST:
            raise ConnectionAbortedError("a message was larger than can be taken in")

    def _told(self, reply: Any) -> None:
        if isinstance(reply, hiredis.HiredisError):
            raise Refused(str(reply))
        if isinstance(reply, list) and reply[0] == b"pong" and self._asked is not None:
            self.sure, self._asked = self._asked, None

    def _beat(self) -> None:
        now = self._clock.monotonic()
        if self._asked is None and now - self._beaten >= PING:
            self._asked, self._beaten = self._clock.now(), now
            self._line.send(_PING)

    def _listen(self) -> None:
        """Notice a connection over which nothing comes any more."""
        now = self._clock.monotonic()
        if self._asked is not None and now - max(self._heard, self._beaten) > SILENCE:
            raise TimeoutError(f"no answer to a ping for {SILENCE:.0f} seconds")

    def close(self) -> None:
        """Give the connection back."""
        self._line.close()


def connector(
    places: Sequence[Place], options: Mapping[str, Any], told: Told, clock: Clock, exchange: str = EXCHANGE
) -> Callable[[], Stream]:
    """Return what connects to Redis and subscribes: to the places in turn, or to the master that Sentinels know of."""
    turn = -1

    def connect() -> Stream:
        nonlocal turn
        turn += 1
        sentinels = places[0].scheme == "sentinel"
        if sentinels:
            place = master(places, str(options.get("master_name") or ""), options.get("sentinel_kwargs") or {})
        else:
            place = places[turn % len(places)]
        always = place.scheme == "rediss"
        session = Session(place, tls(told or _of_query(place), always=always))
        try:
            session.log_in(place.user, place.password)
            if sentinels:
                _must_be_master(session)
            number = database(place.query.get("virtual_host") if place.scheme == "redis+socket" else place.path)
            session.ask("PSUBSCRIBE", pattern(options, number, exchange))
            return RedisStream(session, clock)
        except BaseException:
            session.close()
            raise

    return connect


def _of_query(place: Place) -> dict[str, str]:
    return {key: value for key, value in place.query.items() if key.startswith("ssl_")}


def _must_be_master(session: Session) -> None:
    """Raise where a Sentinel that is behind has named one that was the master (a user may not be allowed to ask)."""
    try:
        role = session.ask("ROLE")
    except Refused:
        return
    if role and role[0] != b"master":
        raise ConnectionAbortedError("the Redis that a Sentinel named is no master now")
