"""The rules in force: those of the configuration, and those of the store, which were made by API or UI.

What files define is in the store too, for pages to show; what is evaluated is what the configuration made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from nightowl.core.errors import ConfigurationError
from nightowl.core.rule import Rule
from nightowl.ports import StoredRule, Unit


class RuleBook:
    """``rules`` can be evaluated, ``broken`` says why others cannot. ``rules`` is another object only where it differs.

    A name that both have is the configuration's.
    """

    def __init__(self, compile_rule: Callable[[StoredRule], Rule]) -> None:
        """``compile_rule`` raises ``ConfigurationError``."""
        self._compile = compile_rule
        self._configured: Mapping[str, Rule] = {}
        self.rules: Mapping[str, Rule] = {}
        self.broken: dict[str, str] = {}

    def load(self, unit: Unit, configured: Mapping[str, Rule]) -> None:
        """Read all stored rules; ``configured`` are those of the configuration."""
        found = dict(configured)
        self.broken = {}
        for stored in unit.rule_definitions.all():
            if stored.origin == "stored" and stored.name not in configured:
                self._take(stored, found)
        self._configured = configured
        if found != self.rules:
            self.rules = found

    def needs(self, changed: Collection[str], configured: Mapping[str, Rule]) -> bool:
        """Whether ``load`` could find something else than the last time; ``changed`` are names from the change feed."""
        return bool(changed) or configured is not self._configured

    def _take(self, stored: StoredRule, into: dict[str, Rule]) -> None:
        try:
            into[stored.name] = self._compile(stored)
        except ConfigurationError as error:
            self.broken[stored.name] = str(error)
