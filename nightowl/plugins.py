"""Plug-ins, by entry points. The built-in kinds come in the same way.

``nightowl.probes``: the name is a kind of check, the object a ``ports.Probe``.
"""

from __future__ import annotations

from importlib.metadata import entry_points

from nightowl.ports import Probe

PROBES = "nightowl.probes"


def probes() -> dict[str, Probe]:
    """Return every installed probe by the kind of check that it runs. http and https are the engine's own."""
    return {entry.name: entry.load() for entry in entry_points(group=PROBES)}
