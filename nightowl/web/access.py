"""Who may do what: every path is closed unless this file opens it.

========================================  ==================================================
open to everyone                          ``OPEN``: liveness, readiness and metrics; the URLs of heartbeats,
                                          whose secret is all that they ask for
the way in                                ``DOORS``: sign-in, first set-up, and what they look like
people, the audit, reading the            admin
configuration again
the forms that add, edit and send, and      operator
pages for which workers are asked
``OWN``: signing out, own preferences,    viewer
own password, own tokens
reading (GET, HEAD) any other area        viewer
``TRIES``: trying a rule on the past      viewer
writing in any other area                 operator
Flower's paths (``flower.paths``)         the same; its own ways in are those of ``flower.door``
outside of all areas                      nobody: nothing is there
========================================  ==================================================

A role may do all that a lesser one may. An area is told by how the path begins, whatever follows: so no ending of a
path, which a route may take for the same and a pattern may not, leads to a lesser role.
"""

from __future__ import annotations

import re

from nightowl.core.values import Role
from nightowl.web.flower import paths

OPEN = frozenset({"/health", "/ready", "/healthcheck", "/metrics"})
DOORS = frozenset({"/login", "/setup", "/favicon.svg"})
PINGS = "/ping/"
CLUSTER_METRICS = "/metrics/cluster/"
STATIC = "/static/"
READING = frozenset({"GET", "HEAD"})

ADMIN = frozenset({"users", "audit", "configuration"})
OWN = frozenset({"logout", "preferences", "account", "tokens"})
SHARED = frozenset(
    {
        "now",
        "checks",
        "add",
        "rules",
        "clusters",
        "tasks",
        "task",
        "worker",
        "broker",
        "locations",
        "incidents",
        "silences",
        "maintenance",
        "routes",
        "channels",
        "series",
        "events",
        "live",
        "openapi",
    }
)

_AREA = re.compile(r"/(?:api/v1/)?([a-z]+)")
TRIES = frozenset({"/api/v1/rules/backtest", "/rules/preview", "/rules/try"})
"""What is posted because it is long, and changes nothing."""

_FORM = re.compile(r"/add|/(?:checks|rules)/[^/]+/edit|/rules/new(?:\.json|(?![\w.-]))")
_ASKING = re.compile(r"/clusters/[^/]+/(?:in-workers|settings|send)")
"""Pages that send something to workers of a cluster, or are a form that does."""

_RANKS: dict[Role, int] = {"viewer": 0, "operator": 1, "admin": 2}


def is_open(method: str, path: str) -> bool:
    """Whether anybody may ask this, always."""
    return path.startswith(PINGS) or (method in READING and (path in OPEN or path.startswith(CLUSTER_METRICS)))


def is_door(path: str) -> bool:
    """Whether the path belongs to signing in, which nobody can do from inside."""
    return path in DOORS or path.startswith(STATIC)


def needed(method: str, path: str) -> Role | None:
    """The least role for a request to anything that is neither open nor a door; None: nothing is there."""
    if paths.is_flowers(path):
        return "viewer" if paths.reads(method, path) and not paths.asks_workers(path) else "operator"
    area = _area(path)
    if area in ADMIN:
        return "admin"
    if area in OWN:
        return "viewer"
    if area not in SHARED:
        return None
    reads = method in READING or (method == "POST" and path in TRIES)
    return "viewer" if reads and not _FORM.match(path) and not _ASKING.match(path) else "operator"


def suffices(role: Role, least: Role | None) -> bool:
    """Whether ``role`` includes ``least``; none does where nothing is."""
    return least is not None and _RANKS[role] >= _RANKS[least]


def _area(path: str) -> str:
    """The first word of a path, with ``/api/v1`` or without; the start page is that of what is wrong now."""
    found = _AREA.match(path)
    return found[1] if found else "now" if path == "/" else ""
