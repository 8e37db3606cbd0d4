"""The kinds of checks that can be run here, and of sources, sinks and channels that can be had."""

from __future__ import annotations

from nightowl import plugins

KINDS = ("http", "https")
"""The kinds of checks that the engine runs by itself."""
NAMED = ("celery",)
"""The kinds that do not follow from the scheme of a URL."""
NEEDS_PORT = ("tcp", "tls")
"""The kinds whose URLs lead nowhere without a port."""

HEARD = ("heartbeat", "task")
"""The kinds that nobody runs: a job calls, or a watched cluster runs a task."""


def check_kinds() -> tuple[str, ...]:
    """Return every kind of check that there can be here."""
    return (*probe_kinds(), *HEARD)


def channel_kinds() -> tuple[str, ...]:
    """Return every kind of channel that there can be here."""
    return tuple(plugins.channels())


def probe_kinds() -> tuple[str, ...]:
    """Return every kind of check that tries a target."""
    return (*KINDS, *plugins.probes())


def url_kinds() -> tuple[str, ...]:
    """Return every kind of check that follows from the scheme of a URL."""
    return tuple(kind for kind in probe_kinds() if kind not in NAMED)


def source_kinds() -> tuple[str, ...]:
    """Return every kind of source that can be read here."""
    return tuple(sorted(plugins.sources()))


def sink_kinds() -> tuple[str, ...]:
    """Return every kind of sink that samples can be sent to from here."""
    return tuple(sorted(plugins.sinks()))
