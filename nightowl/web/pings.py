"""Where jobs call: ``/ping/TOKEN``, open to whoever knows the token, which is never repeated in an answer or a log."""

from __future__ import annotations

import asyncio
from threading import Lock

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from nightowl.core.errors import Unavailable
from nightowl.core.heartbeat import token_hash
from nightowl.core.values import Ping
from nightowl.ports import Clock
from nightowl.web.access import PINGS
from nightowl.web.handlers import Handlers
from nightowl.web.heartbeats import is_heartbeat, register
from nightowl.web.sessions import client_address

TAIL = 10_000
"""Bytes of a log that are kept: its last ones."""

BODY = 1024 * 1024
"""Bytes of a body that are read; what comes after them is not waited for."""

PATIENCE = 10.0
"""Seconds that a body may take; a call counts with as much of it as came."""

RATE, BURST = 5.0, 10.0
"""Calls of one heartbeat a second that are stored, and how many may come at once."""

METHODS = ("GET", "HEAD", "POST")


class Allowance:
    """How many calls each heartbeat may still make (a token bucket each). Safe for threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, check: str) -> bool:
        """Whether one more call is let through."""
        now = self._clock.monotonic()
        with self._lock:
            left, at = self._left.get(check, (BURST, now))
            left = min(BURST, left + (now - at) * RATE)
            self._left[check] = (max(left - 1.0, 0.0) if left >= 1.0 else left, now)
            return left >= 1.0


class Pings:
    """The endpoints of heartbeats."""

    def __init__(self, handlers: Handlers) -> None:
        self._store = handlers.store
        self._clock = handlers.clock
        self._key = handlers.settings.secret_key
        self._allowance = Allowance(handlers.clock)
        self._registered = -1.0

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        paths = (f"{PINGS}{{token}}", f"{PINGS}{{token}}/{{signal:path}}")
        return [Route(path, self.ping, methods=list(METHODS)) for path in paths]

    async def ping(self, request: Request) -> Response:
        """Take a call, and answer in one word."""
        at = self._clock.now()
        try:
            name = await run_in_threadpool(self._owner, token_hash(request.path_params["token"]))
            heard = _signal(request.path_params.get("signal", "success"))
            if name is None or heard is None:
                return _said("unknown", 404)
            if not self._allowance.take(name):
                return _said("too many calls", 429)
            tail = await _tail(request)
            ping = msgspec.structs.replace(heard, check=name, at=at, source=client_address(request), tail=tail)
            await run_in_threadpool(self._add, ping)
        except ClientDisconnect:
            return _said("cut short", 400)
        except Unavailable:
            return _said("not now", 503)
        return _said("ok", 200)

    def _owner(self, digest: bytes) -> str | None:
        """The heartbeat of a token; one that was just defined is not known yet, so what is unknown is sought again."""
        name = self._find(digest)
        now = self._clock.monotonic()
        if name is None and now - self._registered >= 1.0:
            self._registered = now
            register(self._store, self._key)
            name = self._find(digest)
        return name

    def _find(self, digest: bytes) -> str | None:
        with self._store.read() as unit:
            name = unit.heartbeats.owner(digest)
            stored = unit.checks.get(name) if name else None
        return name if stored and is_heartbeat(stored) else None

    def _add(self, ping: Ping) -> None:
        with self._store.transaction() as unit:
            unit.heartbeats.add(ping)


def _signal(text: str) -> Ping | None:
    """What the last part of the path says, as a call without the rest."""
    if text in ("start", "success", "fail"):
        return Ping(check="", at=0.0, signal=text)  # type: ignore[arg-type]  # is one of these
    if text.isascii() and text.isdecimal() and len(text) <= 3 and int(text) <= 255:
        return Ping(check="", at=0.0, signal="fail" if int(text) else "success", exit_code=int(text))
    return None


async def _tail(request: Request) -> str:
    """The end of the body, as text."""
    kept, read = b"", 0
    try:
        async with asyncio.timeout(PATIENCE):
            async for chunk in request.stream():
                kept = (kept + chunk)[-TAIL:]
                read += len(chunk)
                if read >= BODY:
                    break
    except TimeoutError:
        pass
    return kept.decode(errors="replace").replace("\0", "\ufffd")


def _said(text: str, status: int) -> Response:
    headers = {"Retry-After": "1"} if status in (429, 503) else {}
    return PlainTextResponse(f"{text}\n", status, headers=headers)
