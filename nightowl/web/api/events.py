"""``/api/v1/events``: what changes, as server-sent events (https://html.spec.whatwg.org/#server-sent-events)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Annotated, Literal, get_args

from fastapi import Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from nightowl.core.errors import Unavailable
from nightowl.ports import FeedItem
from nightowl.web.api.endpoints import Endpoints
from nightowl.web.api.models import Model
from nightowl.web.handlers import Handlers
from nightowl.web.sessions import Sessions

PERIOD = 1.0
"""Seconds between two looks at the feed."""

KEEPALIVE = 15
"""Periods after which a comment is sent and the reader's right to read is looked at again."""

LIFETIME = 40
"""Of these spans, after which a stream ends; whoever reads on comes through the door again."""

AT_ONCE = 500
"""Changes read at once."""

Kind = Literal["check", "rule", "verdict", "incident", "silence"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_DESCRIPTION = """A stream that does not end by itself for ten minutes. Each event is of one kind (`event:`), has an
increasing number (`id:`), and JSON (`data:`): `{"id": 7, "kind": "incident", "subject": "..."}`. The subject is the
name of a check or rule, the id of an incident or silence; a verdict has none, as many are stored at once. Ask for what
it is now by the endpoint of its kind. A reader that comes back with `Last-Event-ID` gets what it missed in a day."""


class Change(Model):
    """Something changed."""

    id: int
    kind: Kind
    subject: str


class Changes:
    """Streams of the change feed. They end when ``closed`` is set, so that a server can stop."""

    def __init__(self, handlers: Handlers, sessions: Sessions, closed: asyncio.Event) -> None:
        self._store = handlers.store
        self._sessions = sessions
        self._closed = closed

    async def stream(self, request: Request, kinds: Collection[str], after: int | None) -> AsyncIterator[str]:
        """Yield events from behind ``after`` on (None: from now on)."""
        seen = await run_in_threadpool(self._newest) if after is None else after
        yield "retry: 3000\n\n"
        for _ in range(LIFETIME):
            for _ in range(KEEPALIVE):
                items = await self._after(seen)
                for each in items:
                    seen = each.id
                    if each.kind in kinds:
                        change = Change(id=each.id, kind=each.kind, subject=each.subject)  # type: ignore[arg-type]
                        yield f"id: {each.id}\nevent: {each.kind}\ndata: {change.model_dump_json()}\n\n"
                if len(items) < AT_ONCE and await self._ends(PERIOD):
                    return
            if not await self._may_read(request):
                return
            yield ": nothing more\n\n"

    async def _after(self, seen: int) -> list[FeedItem]:
        """What came behind an item; nothing while the store cannot be reached."""

        def read() -> list[FeedItem]:
            with self._store.read() as unit:
                return unit.feed.after(seen, AT_ONCE)

        try:
            return await run_in_threadpool(read)
        except Unavailable:
            return []

    async def _ends(self, seconds: float) -> bool:
        """Whether the server stops within this time."""
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            return False
        return True

    async def _may_read(self, request: Request) -> bool:
        try:
            return bool(await run_in_threadpool(self._sessions.visitor, request, api=True) == request.state.visitor)
        except Unavailable:
            return True

    def _newest(self) -> int:
        with self._store.read() as unit:
            return unit.feed.last()


def endpoints(handlers: Handlers, sessions: Sessions, closed: asyncio.Event) -> Endpoints:
    """The endpoint of changes."""
    api = Endpoints("/events", "events")
    changes = Changes(handlers, sessions, closed)

    @api.get("", summary="What changes, as it does", description=_DESCRIPTION, response_class=StreamingResponse)
    async def get_events(
        request: Request,
        kind: Annotated[list[Kind] | None, Query(max_length=20, description="All kinds without it.")] = None,
        after: Annotated[int | None, Query(ge=0, lt=2**63, description="The number of the last one known.")] = None,
        last_event_id: Annotated[int | None, Header(ge=0, lt=2**63)] = None,
    ) -> StreamingResponse:
        since = after if last_event_id is None else last_event_id
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        stream = changes.stream(request, frozenset(kind or KINDS), since)
        return StreamingResponse(stream, headers=headers, media_type="text/event-stream")

    return api
