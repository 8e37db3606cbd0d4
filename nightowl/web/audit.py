"""Writing down who changed what, beside the change itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from nightowl.core.values import AuditEntry, Author
from nightowl.ports import Unit
from nightowl.web.masking import mask

_UNTOLD = frozenset({"body", "send"})
"""Keys whose values are often long, and often hold what nobody marked as a secret."""

_LONGEST = 120
"""Characters of a value that are told."""


def record(unit: Unit, author: Author, at: float, what: str, subject: str, detail: str = "") -> None:
    """Add to the audit that ``author`` did ``what`` (``check.edit``) to ``subject``, in the change's own transaction.

    ``detail`` must hold no secrets; ``differences`` makes one of two definitions.
    """
    unit.audit.add(AuditEntry(at=at, author=author, what=what, subject=subject, detail=detail))


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What differs between two definitions, a line for each key, without secrets: ``every: "1m", now "5m"``."""
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    old, new = mask(before), mask(after)
    return "\n".join(f"{key}: {_change(key, old, new)}" for key in sorted(keys))


def _change(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    if key in _UNTOLD or old.get(key) == new.get(key):
        return "changed"
    if key not in old:
        return _short(new[key])
    return f"{_short(old[key])}, now {_short(new[key]) if key in new else 'gone'}"


def _short(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
