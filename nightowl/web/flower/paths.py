"""Which paths are Flower's, and who may ask them. It imports nothing, as the door before all paths asks it."""

from __future__ import annotations

import re

_API = re.compile(r"/api/(?:workers|worker|tasks|task|queues)(?![a-z0-9_-])")
_ASKING = re.compile(r"/api/workers(?![a-z0-9_-])")
PAGES = frozenset({"/workers", "/tasks/datatable"})
"""Pages of Flower's that scripts read."""


def is_api(path: str) -> bool:
    """Whether a path belongs to Flower's API."""
    return _API.match(path) is not None


def is_flowers(path: str) -> bool:
    """Whether a path is one of Flower's."""
    return path in PAGES or is_api(path)


def asks_workers(path: str) -> bool:
    """Whether a request makes workers tell what they do and how they are configured, which is an operator's."""
    return _ASKING.match(path) is not None


def reads(method: str, path: str) -> bool:
    """Whether a request changes nothing."""
    return method in ("GET", "HEAD", "OPTIONS") or path in PAGES
