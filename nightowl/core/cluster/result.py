"""A task's result, as the cluster's result backend keeps it."""

from __future__ import annotations

import json
from typing import Any

import msgspec

READY = frozenset({"SUCCESS", "FAILURE", "REVOKED"})
"""States after which a result does not change any more."""

_LONGEST = 10_000


class TaskResult(msgspec.Struct, frozen=True, kw_only=True):
    """``state`` is Celery's (PENDING: nothing is known); ``error`` is the exception of one that failed, as text."""

    state: str
    value: Any = None
    error: str = ""
    traceback: str = ""

    @property
    def ready(self) -> bool:
        """Whether it does not change any more."""
        return self.state in READY


PENDING = TaskResult(state="PENDING")


class _Kept(msgspec.Struct):
    """What a backend keeps of a task, as far as it is used."""

    status: str
    result: Any = None
    traceback: Any = None


def read(data: bytes | str) -> TaskResult:
    """Read what a backend keeps. Raises ``ValueError`` for what is no result in JSON.

    An exception stays text: none of its classes is looked up, and nothing of it is made.
    """
    try:
        kept = msgspec.convert(json.loads(data), _Kept)
    except (ValueError, RecursionError, msgspec.ValidationError):
        raise ValueError("it is not what Celery keeps as JSON") from None
    state, value = kept.status, kept.result
    shown = kept.traceback if isinstance(kept.traceback, str) else ""
    if state in ("FAILURE", "RETRY", "REVOKED") and isinstance(value, dict) and "exc_type" in value:
        return TaskResult(state=state, error=_exception(value), traceback=shown)
    return TaskResult(state=state, value=value, traceback=shown)


def _exception(value: dict[str, Any]) -> str:
    said = value.get("exc_message", ())
    arguments = said if isinstance(said, (list, tuple)) else (said,)
    return f"{value['exc_type']}({', '.join(map(repr, arguments))})"[:_LONGEST]
