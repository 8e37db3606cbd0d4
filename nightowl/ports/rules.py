"""Rules, as the store keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from nightowl.core.rule_incident import Standing
from nightowl.core.values import (
    Origin,
)


class RuleStandings(Protocol):
    """Where rules stand for series; what is at rest is not there."""

    def all(self) -> list[Standing]:
        """All of them, by rule and series."""

    def put(self, standings: Sequence[Standing]) -> None:
        """Insert or replace by rule and series."""

    def remove(self, standings: Sequence[Standing]) -> None:
        """Forget these, by rule and series."""


class StoredRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it is defined: ``spec`` has the keys of a ``[rule.NAME]`` table."""

    name: str
    origin: Origin
    spec: dict[str, Any]
    changed: float = 0.0


class RuleDefinitions(Protocol):
    """Definitions of rules. Every write appends to the change feed, with the kind ``rule``."""

    def all(self) -> list[StoredRule]:
        """All of them, by name."""

    def get(self, name: str) -> StoredRule | None:
        """One of them."""

    def put(self, rules: Sequence[StoredRule]) -> None:
        """Insert or replace by name; writes nothing where nothing differs."""

    def remove(self, name: str) -> bool:
        """Forget one; False: there was none."""
