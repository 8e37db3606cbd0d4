"""Collects every mistake of a configuration, so that all are told at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from nightowl.config.masking import KeyPath, masked
from nightowl.core.errors import ConfigurationError, Mistake

_LONGEST = 200


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a tree of tables comes from: ``origins`` maps each table's key path to the file that defines it."""

    tree: dict[str, Any]
    name: str = ""
    origins: Mapping[KeyPath, str] = {}

    def file(self, path: KeyPath) -> str:
        """The file that defines what stands at ``path``."""
        return self.origins.get(path[:2]) or self.origins.get(path[:1]) or self.name


class Report:
    """The mistakes found so far, each key path once: the first one is the cause of the others."""

    def __init__(self, source: Source, mistakes: Iterable[Mistake] = ()) -> None:
        self.source = source
        self._mistakes = {(mistake.file, mistake.key): mistake for mistake in mistakes}
        self._touched: set[KeyPath] = set()

    def add(self, path: KeyPath, allowed: str, found: str | None = None) -> None:
        """Note a mistake at ``path``; without ``found`` the value as written there, masked."""
        where = self.source.file(path)
        said = self.shown(path) if found is None else found
        mistake = Mistake(file=where, key=dotted(path), found=said, allowed=allowed)
        self._mistakes.setdefault((where, mistake.key), mistake)
        self._touched.update(path[:length] for length in range(1, len(path) + 1))

    def shown(self, path: KeyPath) -> str:
        """Return what is written at ``path``, masked and shortened; ``nothing`` where nothing is."""
        value: Any = self.source.tree
        for key in path:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return "nothing"
        text = json.dumps(masked(value, path), ensure_ascii=False, default=str)
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What was found so far."""
        return tuple(self._mistakes.values())

    def touches(self, path: KeyPath) -> bool:
        """Whether there is a mistake at ``path`` or below."""
        return path in self._touched

    def raise_if_any(self) -> None:
        """Raise all mistakes as one error.

        Raises:
            ConfigurationError: there is at least one.
        """
        if self._mistakes:
            raise ConfigurationError(self.mistakes)


def dotted(path: KeyPath) -> str:
    """Return a key path as TOML would write it, with list indexes in brackets."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            text += f".{_quoted(key)}" if text else _quoted(key)
    return text


def _quoted(key: str) -> str:
    bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if bare else json.dumps(key)
