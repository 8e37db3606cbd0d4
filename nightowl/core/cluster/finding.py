"""What goes wrong in a cluster, as its watcher has found it by itself."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import msgspec
from msgspec.structs import replace

from nightowl.core.values import Severity

MOST = 500
"""Findings that a cluster's state has at most; the worst are kept."""

MOST_DETAILS = 100_000
"""Characters of details in all findings of a state together."""

_REST = 150
"""Characters of a finding's ``rest``; what is longer is cut and told from others by a hash."""


class Finding(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Something that goes wrong. Moments are Unix seconds by the watcher's clock.

    ``detector`` and ``rest`` name it within its cluster; it is one episode ``since`` then. ``sentence`` is for people.
    ``count`` is of how many times or tasks it is, as ``tally`` says in words with the time of the ``last`` (empty:
    nothing is counted). ``uuid`` is a task that proves it, ``details`` its arguments and traceback, and ``path`` the
    page about it, below the public URL.
    """

    detector: str
    rest: str
    since: float
    severity: Severity
    sentence: str
    count: int = 0
    tally: str = ""
    last: float = 0.0
    task: str = ""
    queue: str = ""
    worker: str = ""
    uuid: str = ""
    details: str = ""
    path: str = ""

    @property
    def key(self) -> str:
        """What names it within its cluster."""
        return f"{self.detector}/{self.rest}" if self.rest else self.detector


def shortened(rest: str) -> str:
    """Return a name that is not too long for a subject."""
    if len(rest) <= _REST:
        return rest
    return f"{rest[:_REST]}...{sha256(rest.encode(errors='replace')).hexdigest()[:8]}"


def bounded(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the worst of them, the oldest of these first, with as many details as there is room for.

    The order depends on nothing that changes while a finding lasts, so that none comes and goes for others' sake.
    """
    made, room = [], MOST_DETAILS
    for finding in sorted(findings, key=_worst_first)[:MOST]:
        room -= len(finding.details)
        made.append(finding if room >= 0 else replace(finding, details=""))
    return tuple(made)


def _worst_first(finding: Finding) -> tuple[int, float, str]:
    return -finding.severity.rank, finding.since, finding.key
