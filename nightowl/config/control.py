"""Turns the control targets of a location into targets: URLs of any kind of check that a URL is enough for."""

from __future__ import annotations

from collections.abc import Sequence

from nightowl.config import kinds
from nightowl.config.checks import Bench
from nightowl.config.fields import split_url
from nightowl.config.masking import KeyPath
from nightowl.config.numbered import one_of
from nightowl.core.values import Target

TIMEOUT = 2.0
"""Seconds that a control target has to answer."""


def control_targets(urls: Sequence[str], path: KeyPath, bench: Bench) -> tuple[Target, ...]:
    """Return the targets of the list at ``path``, after reporting those that cannot be tried."""
    targets, known = [], kinds.follows_from(bench.kinds)
    for index, url in enumerate(urls):
        parts = split_url(url)
        kind = parts.scheme if parts else ""
        if kind not in known:
            bench.report.add((*path, index), one_of("a URL that begins with a kind", known))
        elif problem := kinds.url_problem(kind, url):
            bench.report.add((*path, index), problem)
        else:
            targets.append(Target(kind=kind, url=url, timeout=TIMEOUT))
    return tuple(targets)
