"""Plug-ins, by entry points. The built-in ones come in the same way.

``nightowl.probes``: the name is a kind of check, the object a ``ports.Probe``.
``nightowl.sources``: the name is a kind of source, the object makes a ``ports.Source`` of ``reading.SourceSettings``.
``nightowl.strategies``: the name is what rules call it, the object a ``core.strategies.Strategy``, such as a module.
``nightowl.sinks``: the name is a kind of sink, the object makes a ``ports.Sink`` of ``sinks.settings.SinkSettings``.
``nightowl.channels``: the name is a kind of channel, the object makes a ``ports.Channel`` of the channel's keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from nightowl.core.reading import SourceSettings
from nightowl.core.sinks.settings import SinkSettings
from nightowl.core.strategies import Strategy
from nightowl.ports import Channel, Probe, Sink, Source

PROBES = "nightowl.probes"
SOURCES = "nightowl.sources"
STRATEGIES = "nightowl.strategies"
CHANNELS = "nightowl.channels"
SINKS = "nightowl.sinks"

_BUILT_IN = ("nightowl.core.strategies.", "nightowl.adapters.channels.", "nightowl.adapters.sinks.")

T = TypeVar("T")

MakeSource = Callable[[SourceSettings], Source]

MakeSink = Callable[[SinkSettings], Sink]


class Installed(Mapping[str, T], Generic[T]):
    """Plug-ins by name, each imported when it is first asked for: most processes use a few only."""

    def __init__(self, entries: Mapping[str, EntryPoint], made: Callable[[EntryPoint], T] = EntryPoint.load) -> None:
        """``made`` makes of an entry point what it stands for."""
        self._entries = entries
        self._made = made
        self._loaded: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        if name not in self._loaded:
            self._loaded[name] = self._made(self._entries[name])
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


@cache
def probes() -> Mapping[str, Probe]:
    """Return every installed probe by the kind of check that it runs. http and https are the engine's own."""
    return Installed({entry.name: entry for entry in entry_points(group=PROBES)})


@cache
def sources() -> Mapping[str, MakeSource]:
    """Return what makes sources, by their kind."""
    return Installed({entry.name: entry for entry in entry_points(group=SOURCES)})


def strategies(foreign: Callable[[EntryPoint], Strategy]) -> Mapping[str, Strategy]:
    """Return every installed strategy by the name that rules have for it; ``foreign`` loads those of plug-ins.

    The names of built-in ones are taken: a plug-in cannot replace what rules rely on.
    """
    return Installed(
        {entry.name: entry for entry in _own_last(entry_points(group=STRATEGIES))},
        lambda entry: entry.load() if _own(entry) else foreign(entry),
    )


@cache
def channels() -> Mapping[str, Callable[..., Channel]]:
    """Return what makes a channel, by kind. The names of built-in kinds are taken."""
    return Installed({entry.name: entry for entry in _own_last(entry_points(group=CHANNELS))})


@cache
def sinks() -> Mapping[str, MakeSink]:
    """Return what makes sinks, by their kind. The names of built-in kinds are taken."""
    return Installed({entry.name: entry for entry in _own_last(entry_points(group=SINKS))})


def _own_last(entries: Iterable[EntryPoint]) -> list[EntryPoint]:
    return sorted(entries, key=_own)


def _own(entry: EntryPoint) -> bool:
    return entry.module.startswith(_BUILT_IN)
