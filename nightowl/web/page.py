"""What a page is: a path, and a function from what was asked to a view."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from nightowl.ports import Unit
from nightowl.web.handlers import Handlers
from nightowl.web.rendering import View
from nightowl.web.visitor import Visitor


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a page: ``path`` holds the path's parameters, ``query`` those after the question mark."""

    handlers: Handlers
    unit: Unit
    now: float
    path: Mapping[str, str]
    query: Mapping[str, str]
    visitor: Visitor | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page at ``path``, and its data at ``path`` + ``.json``; ``live`` ones keep themselves up to date.

    ``restless`` ones show what changes every second and is not in the feed.
    """

    path: str
    build: Callable[[Ask], View]
    live: bool = True
    restless: bool = False

    @property
    def json_path(self) -> str:
        """Where the data is: the first page's is at ``/now.json``."""
        return "/now.json" if self.path == "/" else f"{self.path}.json"
