"""Bodies that the rest of NightOwl can keep: JSON that is not too deep, of numbers and texts that can be written."""

from __future__ import annotations

import json
import math
from typing import Any

from starlette._utils import get_route_path
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nightowl.web.access import READING
from nightowl.web.guard import Refusal

DEEPEST = 32
"""Levels of arrays and objects in a body."""

_LARGEST = 2**63 - 1


class StrictJson:
    """ASGI middleware: refuses writes to the API with JSON that no store, page or message could show."""

    def __init__(self, app: ASGIApp, refusal: Refusal) -> None:
        self._app = app
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on with the body as it came."""
        if scope["type"] != "http" or scope["method"] in READING or not get_route_path(scope).startswith("/api/"):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            body = await request.body()
        except HTTPException as error:
            await self._refusal(request, error.status_code, error.detail)(scope, receive, send)
            return
        if mistake := _mistake(body):
            await self._refusal(request, 400, f"The body holds {mistake}.")(scope, receive, send)
            return
        await self._app(scope, _again(body, receive), send)


def _again(body: bytes, receive: Receive) -> Receive:
    """A body that was read, to be read once more."""
    is_read = False

    async def once_more() -> Message:
        nonlocal is_read
        if is_read:
            return await receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once_more


def _mistake(body: bytes) -> str:
    """Say what cannot be kept (empty: nothing); what is no JSON at all is told by who reads it."""
    try:
        return _mistake_in(json.loads(body))
    except RecursionError:
        return f"more than {DEEPEST} levels of arrays and objects"
    except ValueError as error:
        return "" if isinstance(error, json.JSONDecodeError | UnicodeDecodeError) else "a number that is too large"


def _mistake_in(value: Any) -> str:
    """Look level by level, so that no depth can exhaust the stack."""
    level = [value]
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inner += [*each, *each.values()]
            elif isinstance(each, list):
                inner += each
            elif mistake := _unkeepable(each):
                return mistake
        if not inner:
            return ""
        level = inner
    return f"more than {DEEPEST} levels of arrays and objects"


def _unkeepable(value: Any) -> str:
    if isinstance(value, str):
        return _unwritable(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "a number that is none, or too large"
    return "a number that is too large" if isinstance(value, int) and abs(value) > _LARGEST else ""


def _unwritable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return "half of a surrogate pair"
    return "the character NUL" if "\0" in text else ""
