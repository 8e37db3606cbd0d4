"""Plug-ins, by entry points. The built-in kinds come in the same way.

``nightowl.probes``: the name is a kind of check, the object a ``ports.Probe``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from nightowl.ports import Probe

PROBES = "nightowl.probes"


class Probes(Mapping[str, Probe]):
    """Probes by kind, each imported when it is first asked for: most processes run a few kinds only."""

    def __init__(self, entries: Mapping[str, EntryPoint]) -> None:
        self._entries = entries
        self._loaded: dict[str, Probe] = {}

    def __getitem__(self, kind: str) -> Probe:
        if kind not in self._loaded:
            self._loaded[kind] = self._entries[kind].load()
        return self._loaded[kind]

    def __contains__(self, kind: object) -> bool:
        return kind in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


@cache
def probes() -> Mapping[str, Probe]:
    """Return every installed probe by the kind of check that it runs. http and https are the engine's own."""
    return Probes({entry.name: entry for entry in entry_points(group=PROBES)})
