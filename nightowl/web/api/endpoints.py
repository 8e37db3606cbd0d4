"""A resource's endpoints, kept until the application takes them.

FastAPI analyses an endpoint when it is added to a router, and once more for each router that includes that one. It is
most of what starting the web takes, so an endpoint is added once, to the application itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import FastAPI

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


class Endpoints:
    """Endpoints under the path ``prefix``, in the order in which they are matched; ``tag`` groups them where described.

    Decorators are named for methods, and take a path and what else ``FastAPI.add_api_route`` does.
    """

    def __init__(self, prefix: str, tag: str) -> None:
        self._prefix = prefix
        self._tag = tag
        self._added: list[tuple[str, Callable[..., Any], dict[str, Any]]] = []

    def get(self, path: str, **said: Any) -> Callable[[_Endpoint], _Endpoint]:
        """Answer GET."""
        return self._answer("GET", path, said)

    def put(self, path: str, **said: Any) -> Callable[[_Endpoint], _Endpoint]:
        """Answer PUT."""
        return self._answer("PUT", path, said)

    def post(self, path: str, **said: Any) -> Callable[[_Endpoint], _Endpoint]:
        """Answer POST."""
        return self._answer("POST", path, said)

    def patch(self, path: str, **said: Any) -> Callable[[_Endpoint], _Endpoint]:
        """Answer PATCH."""
        return self._answer("PATCH", path, said)

    def delete(self, path: str, **said: Any) -> Callable[[_Endpoint], _Endpoint]:
        """Answer DELETE."""
        return self._answer("DELETE", path, said)

    def add_to(self, app: FastAPI, base: str) -> None:
        """Have the application answer them, under the path ``base`` before the prefix."""
        for path, endpoint, said in self._added:
            app.add_api_route(base + self._prefix + path, endpoint, tags=[self._tag], **said)

    def _answer(self, method: str, path: str, said: dict[str, Any]) -> Callable[[_Endpoint], _Endpoint]:
        def add(endpoint: _Endpoint) -> _Endpoint:
            self._added.append((path, endpoint, {"methods": [method], **said}))
            return endpoint

        return add
