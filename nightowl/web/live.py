"""Pages that keep themselves up to date.

One follower per process reads the change feed once a second. When something changed, each page that somebody looks
at is drawn again, once for all who look at it, and those of its live elements that differ are sent: at most one
message a second and page, with only what is on screen. A reader that was slow or away gets what it missed, merged.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from nightowl.core.errors import Unavailable
from nightowl.web.handlers import Handlers
from nightowl.web.rendering import Frame, Rendered
from nightowl.web.sessions import Sessions
from nightowl.web.site import Site
from nightowl.web.visitor import Visitor
from nightowl.web.words import plural

PERIOD = 1.0
"""Seconds between two looks at the feed."""

REFRESH = 15
"""Periods after which pages are drawn again though nothing changed, for what is not in the feed."""

LIFETIME = 600.0
"""Seconds after which a stream ends; the browser comes back at once, and through the door again."""

KEEPALIVE = 15.0
"""Seconds of silence after which a comment is sent, so that proxies keep the connection."""

_log = logging.getLogger(__name__)
_RELATIVE_TIME = re.compile(r"(<time [^>]*>)[^<]*")


class Fragment(msgspec.Struct, frozen=True):
    """A live element as last drawn: ``essence`` is its HTML without relative times, which browsers keep themselves."""

    html: str
    essence: str
    version: int
    feed: int


class Board:
    """A page that somebody looks at: its live elements, and since when they are as they are."""

    def __init__(self, address: str, visitor: Visitor | None) -> None:
        self.address = address
        self.visitor = visitor
        self.readers = 0
        self.version = 0
        self.feed = 0
        self.changed = asyncio.Event()
        self._fragments: dict[str, Fragment] = {}
        self._lists: dict[str, tuple[int, list[str]]] = {}
        self._counts: Mapping[str, int] = {}
        self._headline = (0, "")
        self._said = (0, "")

    def take(self, rendered: Rendered, frame: Frame) -> None:
        """Compare a new drawing with the last; readers are woken where anything differs."""
        version = self.version + 1
        self.feed = frame.feed
        before = self._looks()
        self._fragments = {ident: self._fragment(ident, html, version) for ident, html in rendered.fragments.items()}
        for name, order in rendered.lists.items():
            if self._lists.get(name, (0, None))[1] != order:
                self._lists[name] = (version, order)
        told = change_of_counts(self._counts, frame.counts) if self.version else ""
        self._said = (version, told) if told else self._said
        self._counts = frame.counts
        self._headline = (frame.wrong, frame.headline)
        if self._looks() != before:
            self.version = version
            self.changed.set()
            self.changed = asyncio.Event()

    def since(self, version: int, feed: int) -> dict[str, Any]:
        """What a reader needs who has seen ``version`` of this board, or a page as new as ``feed``."""
        return {
            "swap": {
                ident: fragment.html
                for ident, fragment in self._fragments.items()
                if fragment.version > version and fragment.feed > feed
            },
            "lists": {name: order for name, (changed, order) in self._lists.items() if changed > version},
            "wrong": self._headline[0],
            "headline": self._headline[1],
            "say": self._said[1] if self._said[0] > version > 0 else "",
        }

    def _looks(self) -> tuple[Any, ...]:
        orders = {name: order for name, (_, order) in self._lists.items()}
        return self._fragments, orders, self._counts, self._headline

    def _fragment(self, ident: str, html: str, version: int) -> Fragment:
        essence = _RELATIVE_TIME.sub(r"\1", html)
        last = self._fragments.get(ident)
        return last if last and last.essence == essence else Fragment(html, essence, version, self.feed)


class Live:
    """The follower and its boards. ``closed`` is set once streams are to end."""

    def __init__(self, site: Site, handlers: Handlers, sessions: Sessions) -> None:
        self._site = site
        self._store = handlers.store
        self._sessions = sessions
        self._boards: dict[tuple[str, str], Board] = {}
        self.closed = asyncio.Event()
        self._seen = -1

    async def follow(self) -> None:
        """Draw again what changed, until cancelled. While the store cannot be reached, pages stay as they are."""
        rounds = 0
        while True:
            await asyncio.sleep(PERIOD)
            rounds += 1
            try:
                await self._look(all_boards=rounds % REFRESH == 0)
            except Unavailable:
                continue
            except Exception:  # noqa: BLE001  # pages that nobody foresaw must not end the follower of all others
                _log.exception("Open pages could not be brought up to date.")

    async def _look(self, *, all_boards: bool) -> None:
        if not self._boards:
            return
        newest = await run_in_threadpool(self._newest)
        all_boards = all_boards or newest != self._seen
        self._seen = newest
        for board in list(self._boards.values()):
            if all_boards or self._site.restless(board.address):
                await self._draw(board)

    def close(self) -> None:
        """End all streams, so that a server can stop."""
        self.closed.set()
        for board in self._boards.values():
            board.changed.set()

    async def endpoint(self, request: Request) -> Response:
        """Stream the changes of the live page ``?page=`` as server-sent events, from feed item ``?at=`` on."""
        address = request.query_params.get("page", "/")
        visitor: Visitor | None = request.state.visitor
        asked = request.headers.get("last-event-id") or request.query_params.get("at", "0")
        feed = int(asked) if asked.isdecimal() and len(asked) < 19 else 0
        if self._site.restless(address):
            feed = -1  # what such a page shows may be older than the board, though nothing came in the feed
        key = (address, visitor.role if visitor else "")
        board = self._boards.get(key) or Board(address, visitor)
        if not board.version and not await self._draw(board):
            return Response(status_code=204)
        board = self._boards.setdefault(key, board)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(
            self._stream(key, board, feed, request), headers=headers, media_type="text/event-stream"
        )

    async def _stream(self, key: tuple[str, str], board: Board, feed: int, request: Request) -> AsyncIterator[str]:
        board.readers += 1
        loop = asyncio.get_running_loop()
        end = loop.time() + LIFETIME
        version = board.version if feed == board.feed else 0
        try:
            yield "retry: 3000\n\n"
            while not self.closed.is_set() and loop.time() < end and await self._is_still(request):
                changed = board.changed
                if version < board.version:
                    yield _event(board.feed, board.since(version, feed))
                    version, feed = board.version, -1
                    await asyncio.sleep(PERIOD)
                elif not await _within(changed, KEEPALIVE):
                    yield ": nothing new\n\n"
        finally:
            board.readers -= 1
            if not board.readers:
                self._boards.pop(key, None)

    async def _is_still(self, request: Request) -> bool:
        """Whether the request's visitor would be let in again, as what they were."""
        visitor: Visitor | None = request.state.visitor
        try:
            return await run_in_threadpool(self._sessions.visitor, request, api=False) == visitor
        except Unavailable:
            return True

    async def _draw(self, board: Board) -> bool:
        drawn = await run_in_threadpool(self._site.redraw, board.address, board.visitor)
        if drawn is None:
            return False
        board.take(*drawn)
        return True

    def _newest(self) -> int:
        with self._store.read() as unit:
            return unit.feed.last()


def change_of_counts(before: Mapping[str, int], after: Mapping[str, int]) -> str:
    """Say what changed, for those who listen rather than look (empty: nothing of note)."""
    down = after.get("down", 0) - before.get("down", 0)
    if not down:
        return ""
    now = after.get("down", 0)
    stands = f"{plural(now, 'check')} {'is' if now == 1 else 'are'} down now" if now else "none is down now"
    return f"{plural(abs(down), 'check')} {'went down' if down > 0 else 'recovered'}; {stands}."


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


def _event(ident: int, message: dict[str, Any]) -> str:
    return f"id: {ident}\ndata: {msgspec.json.encode(message).decode()}\n\n"
