"""What workers answer, made fit to be shown: arguments and settings without what is redacted, tasks as rows."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from nightowl.core.cluster.command import Answer
from nightowl.core.cluster.moments import moment
from nightowl.core.cluster.redact import Redaction, without_passwords
from nightowl.core.cluster.result import TaskResult
from nightowl.core.cluster.settings import REDACTED, ClusterSettings
from nightowl.core.redaction import MASK

DEEPEST = 20
"""Levels of tables and lists that are shown; what is deeper is left out."""

_ARGUMENTS = frozenset({"args", "kwargs", "argsrepr", "kwargsrepr"})
_LONGEST = 2000


class HeldTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task that a worker has. ``eta`` and ``started`` are Unix seconds (None: not told)."""

    worker: str
    uuid: str
    name: str = ""
    args: str = ""
    kwargs: str = ""
    queue: str = ""
    eta: float | None = None
    started: float | None = None


def shown(answers: Iterable[Answer], settings: ClusterSettings) -> list[Answer]:
    """Return answers without what is redacted in this cluster, at any depth, and without passwords of URLs."""
    veil = _Veil(settings)
    return [msgspec.structs.replace(each, value=veil.over(each.value)) for each in answers]


def outcome(result: TaskResult, settings: ClusterSettings) -> TaskResult:
    """Return a result as this cluster shows results: as it is, without what is redacted, or without its value."""
    if settings.arguments == "full":
        return result
    veil = _Veil(settings)
    return msgspec.structs.replace(
        result,
        value=None if settings.arguments == "none" else veil.over(result.value),
        error=veil.over(result.error),
        traceback=veil.over(result.traceback),
    )


def held(answers: Iterable[Answer]) -> list[HeldTask]:
    """The tasks of answers to ``active``, ``reserved``, ``scheduled`` or ``revoked``, worker by worker."""
    return [_held(answer.worker, each) for answer in answers for each in _listed(answer.value)]


def rows(conf: Any, text: str = "") -> list[tuple[str, str]]:
    """A worker's settings by name, each as text; with ``text`` those in whose name or value it stands."""
    table = conf if isinstance(conf, dict) else {}
    found = sorted((str(key), _text(value)) for key, value in table.items())
    wanted = text.lower()
    return [(key, value) for key, value in found if wanted in key.lower() or wanted in value.lower()]


class _Veil:
    """Hides values of named keys, and what texts hold of such; settings named like secrets even where all is kept."""

    def __init__(self, settings: ClusterSettings) -> None:
        self._redaction = Redaction(settings.arguments, settings.redact)
        self._nothing = settings.arguments == "none"
        self._patterns = tuple(pattern.lower() for pattern in (*settings.redact, *REDACTED))

    def over(self, value: Any, levels: int = DEEPEST) -> Any:
        if isinstance(value, str):
            return without_passwords(self._redaction.text(value) or "")
        if not isinstance(value, (dict, list, tuple)):
            return value
        if levels == 0:
            return "..."
        if not isinstance(value, dict):
            return [self.over(each, levels - 1) for each in value]
        return {str(key): self._field(str(key), each, levels - 1) for key, each in value.items()}

    def _field(self, key: str, value: Any, levels: int) -> Any:
        if self._nothing and key in _ARGUMENTS:
            return None
        secret = any(fnmatchcase(key.lower(), pattern) for pattern in self._patterns)
        return MASK if secret and value not in (None, "", [], {}) else self.over(value, levels)


def _held(worker: str, each: Any) -> HeldTask:
    if not isinstance(each, dict):
        return HeldTask(worker=worker, uuid=str(each)[:_LONGEST])
    request = each["request"] if isinstance(each.get("request"), dict) else each
    delivery = request.get("delivery_info")
    started = request.get("time_start")
    return HeldTask(
        worker=worker,
        uuid=_text(request.get("id")),
        name=_text(request.get("name") or request.get("type")),
        args=_text(request.get("args")),
        kwargs=_text(request.get("kwargs")),
        queue=_text(delivery.get("routing_key")) if isinstance(delivery, dict) else "",
        eta=moment(_text(each.get("eta"))),
        started=float(started) if isinstance(started, (int, float)) else None,
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    if value is None:
        return ""
    return (value if isinstance(value, str) else msgspec.json.encode(value).decode())[:_LONGEST]
