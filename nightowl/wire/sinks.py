"""What sinks need of the outside."""

from __future__ import annotations

from nightowl import plugins
from nightowl.core.sinks.settings import SinkSettings
from nightowl.ports import Sink


def make_sink(settings: SinkSettings) -> Sink:
    """Return the sink of some settings. Raises whatever keeps it from being made."""
    return plugins.sinks()[settings.kind](settings)
