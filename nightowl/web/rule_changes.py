"""What pages and API may change of rules, in one place, so that both refuse the same things in the same words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nightowl.core.errors import NotFound, Refused
from nightowl.core.values import Author
from nightowl.ports import StoredRule
from nightowl.web.audit import differences, record
from nightowl.web.handlers import Handlers
from nightowl.web.parents import confirm_parents


def put(handlers: Handlers, author: Author, name: str, spec: Mapping[str, Any]) -> bool:
    """Define a rule; whether it is new.

    Raises ``ConfigurationError`` with every mistake, ``Refused`` for one that a file defines.
    """
    now = handlers.clock.now()
    with handlers.store.transaction() as unit:
        before = unit.rule_definitions.get(name)
        _refuse_file(handlers, before, name)
        handlers.rule_from_spec(name, spec)
        confirm_parents(handlers, unit, "rule", {name: spec})
        unit.rule_definitions.put([StoredRule(name=name, origin="stored", spec=dict(spec), changed=now)])
        detail = differences(before.spec if before else {}, spec)
        if before is None or detail:
            record(unit, author, now, "rule.edit" if before else "rule.add", name, detail)
    return before is None


def remove(handlers: Handlers, author: Author, name: str) -> None:
    """Forget a rule; the leader resolves what is open of it. Raises ``NotFound`` or ``Refused``."""
    with handlers.store.transaction() as unit:
        stored = unit.rule_definitions.get(name)
        _refuse_file(handlers, stored, name)
        if stored is None:
            raise NotFound(f"There is no rule named {name}.")
        unit.rule_definitions.remove(name)
        record(unit, author, handlers.clock.now(), "rule.delete", name, differences(stored.spec, {}))


def _refuse_file(handlers: Handlers, stored: StoredRule | None, name: str) -> None:
    if name in handlers.rules() or (stored is not None and stored.origin == "file"):
        raise Refused(f"{name} is defined in a configuration file: change it there.")
