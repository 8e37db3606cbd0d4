"""Who may do what: every path is closed unless this file opens it.

========================================  ==================================================
open to everyone                          ``OPEN``: liveness, readiness and metrics; the URLs of heartbeats,
                                          whose secret is all that they ask for
the way in                                ``DOORS``: sign-in, first set-up, and what they look like
people, the audit, reading the            admin
configuration again
the forms that add and edit a check       operator
``OWN``: signing out, own preferences,    viewer
own password, own tokens
reading (GET, HEAD) anything else         viewer
writing anything else                     operator
========================================  ==================================================

A role may do all that a lesser one may.
"""

from __future__ import annotations

import re

from nightowl.core.values import Role

OPEN = frozenset({"/health", "/ready", "/healthcheck", "/metrics"})
DOORS = frozenset({"/login", "/setup", "/favicon.svg"})
PINGS = "/ping/"
STATIC = "/static/"
READING = frozenset({"GET", "HEAD"})

_ADMIN = re.compile(r"(/users|/audit|/api/v1/users|/api/v1/audit|/api/v1/configuration)([./].*)?", re.DOTALL)
_OWN = re.compile(r"/logout|/preferences|(/account|/api/v1/tokens)([./].*)?", re.DOTALL)
_FORM = re.compile(r"(/add|/checks/[^/]+/edit)(\.json)?")
_RANKS: dict[Role, int] = {"viewer": 0, "operator": 1, "admin": 2}


def is_open(method: str, path: str) -> bool:
    """Whether anybody may ask this, always."""
    return path.startswith(PINGS) or (method in READING and path in OPEN)


def is_door(path: str) -> bool:
    """Whether the path belongs to signing in, which nobody can do from inside."""
    return path in DOORS or path.startswith(STATIC)


def needed(method: str, path: str) -> Role:
    """The least role for a request to anything that is neither open nor a door."""
    if _ADMIN.fullmatch(path):
        return "admin"
    if _OWN.fullmatch(path):
        return "viewer"
    return "viewer" if method in READING and not _FORM.fullmatch(path) else "operator"


def suffices(role: Role, least: Role) -> bool:
    """Whether ``role`` includes ``least``."""
    return _RANKS[role] >= _RANKS[least]
