"""What checks and rules depend on: names that there are, and no circles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from nightowl.core import dependencies
from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.ports import Unit
from nightowl.web.handlers import Handlers
from nightowl.web.rules_in_force import in_force

Table = Literal["check", "rule"]


def confirm_parents(handlers: Handlers, unit: Unit, table: Table, specs: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse what depends on a name that nobody has, or in the end on itself."""
    if not any(spec.get("depends_on") for spec in specs.values()):
        return
    mine = {name: tuple(spec.get("depends_on", ())) for name, spec in specs.items()}
    checks = {stored.name: tuple(stored.spec.get("depends_on", ())) for stored in unit.checks.all()}
    rules = {name: each.rule.depends_on for name, each in in_force(handlers, unit).items() if each.rule}
    (checks if table == "check" else rules).update(mine)
    whole = {name: (*checks.get(name, ()), *rules.get(name, ())) for name in {**checks, **rules}}
    mistakes = [
        _mistake(table, name, f'"{parent}"', "the name of a check or rule")
        for name, parents in mine.items()
        for parent in parents
        if parent not in whole
    ]
    if circle := dependencies.circle(whole):
        found, allowed = f"a circle: {' -> '.join(circle)}", "what does not depend on it"
        mistakes.append(_mistake(table, circle[0], found, allowed))
    if mistakes:
        raise ConfigurationError(mistakes)


def _mistake(table: Table, name: str, found: str, allowed: str) -> Mistake:
    return Mistake(file="", key=f"{table}.{name}.depends_on", found=found, allowed=allowed)
