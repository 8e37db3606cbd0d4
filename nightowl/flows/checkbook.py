"""The checks as they run, compiled from their stored definitions: each one once, until it or the configuration changes.

A book outlives a term of leading, and is kept warm while standing by, so that taking over does not begin with
compiling ten thousand checks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from nightowl.core.errors import ConfigurationError
from nightowl.core.values import Check
from nightowl.ports import StoredCheck, Unit

FEW = 200
"""Changed checks that are read one by one; more are read all together."""


class CheckBook:
    """``checks`` can run, ``broken`` says why the others cannot. ``compile_check`` raises ``ConfigurationError``."""

    def __init__(self, compile_check: Callable[[StoredCheck], Check]) -> None:
        self._compile = compile_check
        self._stored: dict[str, StoredCheck] = {}
        self._made_for: object = None
        self.checks: dict[str, Check] = {}
        self.broken: dict[str, str] = {}

    def load(self, unit: Unit, configuration: object) -> None:
        """Read all checks. Those that are as they were are left alone, unless ``configuration`` is another object."""
        if configuration is not self._made_for:
            self._stored.clear()
            self._made_for = configuration
        found = {stored.name: stored for stored in unit.checks.all()}
        for name in [name for name in (*self.checks, *self.broken) if name not in found]:
            self._forget(name)
        for stored in found.values():
            self._take(stored)

    def follow(self, unit: Unit, changed: Collection[str], configuration: object) -> None:
        """Read the checks of these names again."""
        if configuration is not self._made_for or len(changed) > FEW:
            self.load(unit, configuration)
            return
        for name in changed:
            stored = unit.checks.get(name)
            if stored is None:
                self._forget(name)
            else:
                self._take(stored)

    def needs(self, changed: Collection[str], configuration: object) -> bool:
        """Whether ``follow`` would have anything to do."""
        return bool(changed) or configuration is not self._made_for

    def _take(self, stored: StoredCheck) -> None:
        if self._stored.get(stored.name) == stored:
            return
        self._forget(stored.name)
        self._stored[stored.name] = stored
        try:
            self.checks[stored.name] = self._compile(stored)
        except ConfigurationError as error:
            self.broken[stored.name] = str(error)

    def _forget(self, name: str) -> None:
        self._stored.pop(name, None)
        self.checks.pop(name, None)
        self.broken.pop(name, None)
