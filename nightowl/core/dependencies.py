"""Dependencies: what a check or rule can only work with, directly and indirectly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def ancestors(parents: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return for each name that has parents all whom it depends on, the nearest first; a name is none of its own.

    ``parents`` has the direct ones by name. Circles end where they close.
    """
    return {name: _above(name, parents) for name, direct in parents.items() if direct}


def circle(parents: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return names that depend on one another in a circle, the first of them last again (empty: there is none)."""
    done: set[str] = set()
    for start in parents:
        path: list[str] = []
        if found := _circle_from(start, parents, path, done):
            return found
    return ()


def _above(name: str, parents: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    waiting = list(parents.get(name, ()))
    while waiting:
        parent = waiting.pop(0)
        if parent != name and parent not in found:
            found[parent] = None
            waiting += parents.get(parent, ())
    return tuple(found)


def _circle_from(name: str, parents: Mapping[str, Sequence[str]], path: list[str], done: set[str]) -> tuple[str, ...]:
    """Walk down from a name, without recursion: a chain may be as long as there are checks."""
    waiting = [(name, iter(parents.get(name, ())))]
    path.append(name)
    while waiting:
        here, rest = waiting[-1]
        parent = next(rest, None)
        if parent is None:
            waiting.pop()
            done.add(here)
            path.pop()
        elif parent in path:
            return (*path[path.index(parent) :], parent)
        elif parent not in done:
            path.append(parent)
            waiting.append((parent, iter(parents.get(parent, ()))))
    return ()
