"""The rules that are evaluated, and how each is defined: those of the configuration, and those of the store."""

from __future__ import annotations

from typing import Any

import msgspec

from nightowl.core.errors import ConfigurationError, NotFound
from nightowl.core.rule import Rule
from nightowl.core.values import Origin
from nightowl.ports import StoredRule, Unit
from nightowl.web.handlers import Handlers


class Defined(msgspec.Struct, frozen=True, kw_only=True):
    """A rule beside its definition; ``mistake`` says why it cannot be evaluated (then ``rule`` is None)."""

    name: str
    origin: Origin
    spec: dict[str, Any]
    rule: Rule | None
    mistake: str = ""


def in_force(handlers: Handlers, unit: Unit) -> dict[str, Defined]:
    """All rules by name; one that both define is the configuration's."""
    stored = {each.name: each for each in unit.rule_definitions.all()}
    configured = handlers.rules()
    found = {name: _configured(rule, stored.get(name)) for name, rule in configured.items()}
    made = {name: _stored(handlers, each) for name, each in stored.items() if each.origin == "stored"}
    return made | found


def found(handlers: Handlers, unit: Unit, name: str) -> Defined:
    """One of them. Raises ``NotFound``."""
    stored, rule = unit.rule_definitions.get(name), handlers.rules().get(name)
    if rule is not None:
        return _configured(rule, stored)
    if stored is None or stored.origin == "file":
        raise NotFound(f"There is no rule named {name}.")
    return _stored(handlers, stored)


def _configured(rule: Rule, stored: StoredRule | None) -> Defined:
    spec = stored.spec if stored and stored.origin == "file" else {}
    return Defined(name=rule.name, origin="file", spec=spec, rule=rule)


def _stored(handlers: Handlers, stored: StoredRule) -> Defined:
    rule, mistake = None, ""
    try:
        rule = handlers.rule_from_spec(stored.name, stored.spec)
    except ConfigurationError as error:
        mistake = str(error)
    return Defined(name=stored.name, origin="stored", spec=stored.spec, rule=rule, mistake=mistake)
