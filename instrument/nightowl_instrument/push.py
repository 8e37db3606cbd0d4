"""Carries events to NightOwl over HTTP, in the order in which they came."""

from __future__ import annotations

import gzip
import http.client
import json
import logging
import math
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

log = logging.getLogger(__name__)

EVERY = 0.25
"""Seconds that events gather."""
AT_ONCE = 1_000
"""Events in a request at most."""
LARGEST = 1024 * 1024
"""Bytes of a request's body at most, before it is compressed."""
COMPRESSED_FROM = 1024
"""Bytes from which on a body is compressed."""
TEXT = 8_192
"""Characters of one text of an event at most. Celery itself cuts arguments and results to 1,024."""
ANSWER = 10.0
"""Seconds that an answer may take."""
PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before the second attempt after a failure, the third, ... and all later ones."""
REFUSED = 30.0
"""Seconds before the next attempt where the request itself was refused, as for a wrong token."""

DROPPED = "X-NightOwl-Dropped"
"""The header that says how many events were dropped, as too many waited, and since when: ``COUNT since UNIXTIME``."""

CLOCK = "X-NightOwl-Clock"
"""The header that says what time it is here, in Unix seconds."""


class Destination(NamedTuple):
    """A NightOwl and a cluster that it watches. ``url`` is where its pages are."""

    url: str
    token: str
    cluster: str


def destination(url: str, token: str, cluster: str) -> Destination:
    """Return where to push. Raises ``ValueError`` for what cannot be meant."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"push: {url!r}; allowed is https://HOST[:PORT][/PATH] or http://HOST[:PORT][/PATH]")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("push: a URL with a name, a password, a query or a fragment; allowed is one without")
    if not cluster:
        raise ValueError("push: no cluster; allowed is the name of a [cluster.NAME] in NightOwl's configuration")
    if any(not "!" <= each <= "~" for each in token):
        raise ValueError("push: a token with spaces or characters that no token of NightOwl's has")
    return Destination(url.rstrip("/"), token, cluster)


class Pushing:
    """A ``Carrier``. What NightOwl does not take waits, and is sent again."""

    every, idle, at_once = EVERY, 3600.0, AT_ONCE

    def __init__(self, to: Destination) -> None:
        parts = urlsplit(to.url)
        self._to = to
        place = f"/api/v1/clusters/{quote(to.cluster, safe='')}/events"
        self._path, self._shown = parts.path + place, to.url + place
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port
        self._connection: http.client.HTTPConnection | None = None
        self._bodies: list[bytes] = []
        self._told = self._refused = self._failures = 0
        self._sure = time.time()
        self._said = ""
        self._is_forked = self._is_quiet = False

    def carry(self, items: list[dict[str, Any]], dropped: int) -> float:
        """Send events; return 0, or the seconds until the next attempt where they were not all taken."""
        if not self._bodies and (items or dropped):
            self._bodies = bodies(items)
        while self._bodies:
            again = self._offer(self._bodies[0], dropped + self._refused - self._told)
            if again:
                return again
            self._told = dropped + self._refused
            del self._bodies[0]
        self._told -= dropped
        return 0.0

    def reset(self) -> None:
        """Let go of the parent's connection, and of what the parent has to tell."""
        self._close()
        self._bodies = []
        self._told = self._refused = self._failures = 0
        self._sure = time.time()
        self._said = ""
        self._is_forked = True

    def be_quiet(self) -> None:
        """Leave it to the parent to tell the log what is wrong: it sees the same, as a worker does for its pool."""
        self._is_quiet = self._is_forked

    def _offer(self, body: bytes, dropped: int) -> float:
        """Send a request; return 0 where it is done with, else the seconds until it is to be sent again."""
        try:
            status, told = self._post(body, dropped)
        except (OSError, http.client.HTTPException) as error:
            self._close()
            return self._later(f"NightOwl cannot be reached at {self._shown}: {error or type(error).__name__}")
        if status == 202:
            self._failures, self._sure = 0, time.time()
            self._say("")
            return 0.0
        said = f"NightOwl answers {status} to events at {self._shown}: {told[:300]}"
        if status in (400, 413, 415, 422):  # it will never take this one
            self._say(said)
            self._refused += body.count(b'"type":') or 1
            return 0.0
        if status in (408, 429) or status >= 500:
            return self._later(said)
        self._say(said)
        return REFUSED

    def _post(self, body: bytes, dropped: int) -> tuple[int, str]:
        headers = {"Content-Type": "application/json", CLOCK: f"{time.time():.6f}"}
        if self._to.token:
            headers["Authorization"] = f"Bearer {self._to.token}"
        if len(body) > COMPRESSED_FROM:
            body = gzip.compress(body, 3)
            headers["Content-Encoding"] = "gzip"
        if dropped > 0:
            headers[DROPPED] = f"{dropped} since {self._sure:.3f}"
        is_new = self._connection is None
        try:
            return self._answer(body, headers)
        except (http.client.BadStatusLine, ConnectionError):
            if is_new:
                raise
            self._close()  # one that was kept had been closed meanwhile
            return self._answer(body, headers)

    def _answer(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        if self._connection is None:
            self._connection = self._connected()
        self._connection.request("POST", self._path, body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read(65_536).decode("utf-8", "replace")

    def _connected(self) -> http.client.HTTPConnection:
        if self._secure:
            trusted = ssl.create_default_context()
            return http.client.HTTPSConnection(self._host, self._port, timeout=ANSWER, context=trusted)
        return http.client.HTTPConnection(self._host, self._port, timeout=ANSWER)

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
            self._connection = None

    def _later(self, said: str) -> float:
        self._say(said)
        pause = PAUSES[min(self._failures, len(PAUSES) - 1)]
        self._failures += 1
        return pause

    def _say(self, said: str) -> None:
        """Tell the log once what is wrong (empty: nothing is), and again only when it is something else."""
        if said != self._said and not self._is_quiet:  # whoever reads of the one is to read of the other
            log.warning("%s", said or f"NightOwl takes events again at {self._shown}")
        self._said = said


def bodies(events: Sequence[dict[str, Any]], largest: int = LARGEST) -> list[bytes]:
    """Return events as lists of JSON, each of ``largest`` bytes at most; no events are one empty list."""
    found: list[bytes] = []
    gathered: list[bytes] = []
    length = 2
    for each in events:
        encoded = _encoded(each)
        if gathered and length + len(encoded) + 1 > largest:
            found.append(b"[" + b",".join(gathered) + b"]")
            gathered, length = [], 2
        gathered.append(encoded)
        length += len(encoded) + 1
    return [*found, b"[" + b",".join(gathered) + b"]"]


def _encoded(event: dict[str, Any]) -> bytes:
    """Return an event as JSON that any reader takes: what JSON cannot say is told by its ``repr``."""
    return json.dumps({key: _plain(value) for key, value in event.items()}, default=repr).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value[:TEXT].replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return repr(value) if isinstance(value, float) and not math.isfinite(value) else value
