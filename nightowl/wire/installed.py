"""What is installed here, as whoever loads a configuration has to know it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypedDict

from nightowl.wire.kinds import channel_kinds, check_kinds, sink_kinds, source_kinds
from nightowl.wire.strategies import strategies


class Known(TypedDict):
    """The kinds of checks, sources, channels and sinks that there can be, and the strategies that rules may name."""

    kinds: Collection[str]
    strategies: Collection[str]
    sources: Collection[str]
    channel_kinds: Collection[str]
    sink_kinds: Collection[str]


def installed() -> Known:
    """Return it, as arguments of ``config.load``."""
    return Known(
        kinds=check_kinds(),
        strategies=strategies(),
        sources=source_kinds(),
        channel_kinds=channel_kinds(),
        sink_kinds=sink_kinds(),
    )
