"""Define: bring what the configuration files define into the store, where every role reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from nightowl.core.values import AuditEntry, Author, User
from nightowl.ports import Store, StoredCheck, StoredRule, Unit

NAMED = 20
"""Names that the audit lists of what a reload changes."""

Seal = Callable[[str, Mapping[str, Any]], dict[str, Any]]
"""From a check's name and definition to the definition as it is stored, its secrets sealed."""


def define(
    store: Store,
    specs: Mapping[str, Mapping[str, Any]],
    users: Sequence[User],
    now: float,
    *,
    seal: Seal,
    rules: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Make the checks, users and rules that files define be exactly these; what was made by API or UI stays.

    A name that both have is the file's. A check that was paused by hand stays paused. What an older version stored
    unsealed is sealed.
    """
    with store.transaction() as unit:
        known = {check.name: check for check in unit.checks.all()}
        defined = [_defined(name, seal(name, spec), known.get(name), now) for name, spec in specs.items()]
        unit.checks.put_many(defined)
        unit.checks.put_many(
            [
                replace(check, spec=seal(name, check.spec))
                for name, check in known.items()
                if check.origin == "stored" and name not in specs
            ]
        )
        gone = [name for name, check in known.items() if check.origin == "file" and name not in specs]
        for name in gone:
            unit.checks.remove(name)
        told = _told("checks", {name: replace(check, changed=now) for name, check in known.items()}, defined, gone)
        if told := [*told, *_define_users(unit, users), *_define_rules(unit, rules or {}, now)]:
            entry = AuditEntry(
                at=now, author=Author("file"), what="configuration.define", subject="", detail="\n".join(told)
            )
            unit.audit.add(entry)


def _define_users(unit: Unit, users: Sequence[User]) -> list[str]:
    known = {user.name: user for user in unit.users.all()}
    named = {user.name for user in users}
    gone = [name for name, user in known.items() if user.origin == "file" and name not in named]
    for user in users:
        unit.users.put(user)
    for name in gone:
        unit.users.remove(name)
    return _told("users", known, users, gone)


def _define_rules(unit: Unit, specs: Mapping[str, Mapping[str, Any]], now: float) -> list[str]:
    known = {rule.name: replace(rule, changed=now) for rule in unit.rule_definitions.all()}
    defined = [StoredRule(name=name, origin="file", spec=dict(spec), changed=now) for name, spec in specs.items()]
    gone = [name for name, rule in known.items() if rule.origin == "file" and name not in specs]
    unit.rule_definitions.put(defined)
    for name in gone:
        unit.rule_definitions.remove(name)
    return _told("rules", known, defined, gone)


def _told(kind: str, known: Mapping[str, Any], defined: Sequence[Any], gone: Sequence[str]) -> list[str]:
    """What a definition changes, in lines for the audit: ``checks added: shop, blog``."""
    names = {
        "added": [each.name for each in defined if each.name not in known],
        "changed": [each.name for each in defined if each.name in known and known[each.name] != each],
        "removed": gone,
    }
    return [f"{kind} {what}: {_listed(which)}" for what, which in names.items() if which]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:NAMED])
    return f"{shown} and {len(names) - NAMED} more" if len(names) > NAMED else shown


def _defined(name: str, spec: Mapping[str, Any], before: StoredCheck | None, now: float) -> StoredCheck:
    by_hand = before is not None and before.paused and not before.spec.get("paused", False)
    paused = bool(spec.get("paused", False)) or by_hand
    return StoredCheck(name=name, origin="file", paused=paused, spec=dict(spec), changed=now)
