"""Events out of what is nearly one: a field of another kind becomes what it most likely means, or is left out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from nightowl.core.cluster.events import LATEST, LOADS, NAME, TEXT, WHOLE, Event

NO_EVENT = "no event"
TOO_LONG_A_NAME = "a type, host name or task id that is too long"

ELLIPSIS = "…"


class NoEvent(Exception):
    """Why something cannot be taken as an event; never anything of its content."""


def event(raw: object) -> Event:
    """Return the event that a decoded message is. Raises ``NoEvent``."""
    if not isinstance(raw, Mapping) or not isinstance(raw.get("type"), str) or not raw["type"]:
        raise NoEvent(NO_EVENT)
    kind, hostname, uuid = (text(raw.get(field)) or "" for field in ("type", "hostname", "uuid"))
    if max(len(kind), len(hostname), len(uuid)) > NAME:
        raise NoEvent(TOO_LONG_A_NAME)
    found: dict[str, Any] = {field: read(raw[field]) for field, read in _READ.items() if field in raw}
    return Event(type=kind, hostname=hostname, uuid=uuid, timestamp=_moment(raw.get("timestamp")), **found)


def text(value: object) -> str | None:
    """Return a value's text: one that databases and UTF-8 take, without NUL and halves of surrogate pairs."""
    if value is None:
        return None
    try:
        found = value if isinstance(value, str) else repr(value)
    except (ValueError, RecursionError):
        return None
    return found.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _short(value: object) -> str | None:
    found = text(value)
    return found if found is None or len(found) <= NAME else found[: NAME - 1] + ELLIPSIS


def _long(value: object) -> str | None:
    found = text(value)
    return found if found is None or len(found) <= TEXT else found[: TEXT - 1] + ELLIPSIS


def _traceback(value: object) -> str | None:
    """The end of a traceback, where the exception stands."""
    found = text(value)
    return found if found is None or len(found) <= TEXT else ELLIPSIS + found[1 - TEXT :]


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _whole(value: object) -> int | None:
    if isinstance(value, str) and len(value) > len(str(WHOLE)) + 1:
        return None
    try:
        found = value if isinstance(value, int) and not isinstance(value, bool) else int(value)  # type: ignore[call-overload]
    except (ValueError, TypeError, OverflowError):
        return None
    return found if not isinstance(value, bool) and abs(found) <= WHOLE else None


def _moment(value: object) -> float:
    found = _number(value)
    return found if found is not None and 0.0 <= found <= LATEST else 0.0


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else {0: False, 1: True}.get(value) if isinstance(value, int) else None


def _loads(value: object) -> list[float] | None:
    if not isinstance(value, (list, tuple)):
        return None
    return [found for each in value[:LOADS] if (found := _number(each)) is not None]


def _signal(value: object) -> int | str | None:
    found = _whole(value)
    return _short(value) if found is None else found


_READ: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("clock", "pid", "retries", "active", "processed"), _whole),
    **dict.fromkeys(("name", "root_id", "parent_id", "eta", "expires", "queue", "exchange", "routing_key"), _short),
    **dict.fromkeys(("sw_ident", "sw_ver", "sw_sys"), _short),
    **dict.fromkeys(("args", "kwargs", "result", "exception"), _long),
    **dict.fromkeys(("runtime", "freq", "current", "total"), _number),
    **dict.fromkeys(("terminated", "expired", "requeue"), _truth),
    "traceback": _traceback,
    "loadavg": _loads,
    "signum": _signal,
}
"""How each field of an event is read, beside those that every event has."""
