"""Letting pages of other sites read an API that is open to everybody."""

from __future__ import annotations

from starlette._utils import get_route_path
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nightowl.web.flower import paths
from nightowl.web.flower.answers import OPEN_TO_ALL


class Openness:
    """ASGI middleware: adds ``OPEN_TO_ALL`` to answers at Flower's paths, errors too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, and complete the answer's headers."""

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(OPEN_TO_ALL)
            await send(message)

        ours = scope["type"] == "http" and paths.is_flowers(get_route_path(scope))
        await self._app(scope, receive, complete if ours else send)
