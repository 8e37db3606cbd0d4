"""Living under a path of a larger site."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class Prefix:
    """ASGI middleware: routes are looked for below ``prefix``, whether or not a proxy has taken it away already."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on with the prefix as the root path."""
        await self._app({**scope, "root_path": self._prefix} if scope["type"] == "http" else scope, receive, send)
