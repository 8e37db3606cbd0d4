"""Rules as they are defined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import delete, select

from nightowl.adapters.store_sql.feed import SqlFeed
from nightowl.adapters.store_sql.schema import RULES
from nightowl.adapters.store_sql.session import Session
from nightowl.ports import StoredRule

_COLUMNS = (RULES.c.name, RULES.c.origin, RULES.c.spec, RULES.c.changed)


class SqlRuleDefinitions:
    """See ``ports.RuleDefinitions``."""

    def __init__(self, session: Session, feed: SqlFeed) -> None:
        self._session = session
        self._connection = session.connection
        self._feed = feed

    def all(self) -> list[StoredRule]:
        """All of them, by name."""
        return [_stored(row) for row in self._connection.execute(select(*_COLUMNS).order_by(RULES.c.name))]

    def get(self, name: str) -> StoredRule | None:
        """One of them."""
        row = self._connection.execute(select(*_COLUMNS).where(RULES.c.name == name)).one_or_none()
        return _stored(row) if row else None

    def put(self, rules: Sequence[StoredRule]) -> None:
        """Insert or replace by name; a new ``changed`` alone is no difference."""
        known = {rule.name: rule for rule in self.all()}
        changed = [rule for rule in rules if _differs(rule, known.get(rule.name))]
        self._session.upsert(RULES, [_row(rule) for rule in changed])
        for rule in changed:
            self._feed.add("rule", rule.name)

    def remove(self, name: str) -> bool:
        """Forget one; False: there was none."""
        gone = self._connection.execute(delete(RULES).where(RULES.c.name == name)).rowcount > 0
        if gone:
            self._feed.add("rule", name)
        return gone


def _differs(rule: StoredRule, before: StoredRule | None) -> bool:
    return before is None or msgspec.structs.replace(before, changed=rule.changed) != rule


def _row(rule: StoredRule) -> tuple[Any, ...]:
    return (rule.name, rule.origin, msgspec.json.encode(rule.spec).decode(), rule.changed)


def _stored(row: Any) -> StoredRule:
    return StoredRule(name=row.name, origin=row.origin, spec=msgspec.json.decode(row.spec), changed=row.changed)
