"""Plug-ins, by entry points. The built-in kinds come in the same way.

``nightowl.probes``: the name is a kind of check, the object a ``ports.Probe``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType

from nightowl.ports import Probe

PROBES = "nightowl.probes"


@cache
def probes() -> Mapping[str, Probe]:
    """Return every installed probe by the kind of check that it runs. http and https are the engine's own."""
    return MappingProxyType({entry.name: entry.load() for entry in entry_points(group=PROBES)})
