"""Define: bring what the configuration files define into the store, where every role reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from nightowl.core.values import User
from nightowl.ports import Store, StoredCheck

Seal = Callable[[str, Mapping[str, Any]], dict[str, Any]]
"""From a check's name and definition to the definition as it is stored, its secrets sealed."""


def define(
    store: Store, specs: Mapping[str, Mapping[str, Any]], users: Sequence[User], now: float, *, seal: Seal
) -> None:
    """Make the checks and users that files define be exactly these; what was made by API or UI stays.

    A name that both have is the file's. A check that was paused by hand stays paused. What an older version stored
    unsealed is sealed.
    """
    with store.transaction() as unit:
        known = {check.name: check for check in unit.checks.all()}
        unit.checks.put_many([_defined(name, seal(name, spec), known.get(name), now) for name, spec in specs.items()])
        unit.checks.put_many(
            [
                replace(check, spec=seal(name, check.spec))
                for name, check in known.items()
                if check.origin == "stored" and name not in specs
            ]
        )
        for name, check in known.items():
            if check.origin == "file" and name not in specs:
                unit.checks.remove(name)
        named = {user.name for user in users}
        for user in users:
            unit.users.put(user)
        for user in unit.users.all():
            if user.origin == "file" and user.name not in named:
                unit.users.remove(user.name)


def _defined(name: str, spec: Mapping[str, Any], before: StoredCheck | None, now: float) -> StoredCheck:
    by_hand = before is not None and before.paused and not before.spec.get("paused", False)
    paused = bool(spec.get("paused", False)) or by_hand
    return StoredCheck(name=name, origin="file", paused=paused, spec=dict(spec), changed=now)
