"""What templates can do with values. Each result is at most a small multiple of what it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from jinja2 import Undefined

from nightowl.core.errors import TemplateFailed
from nightowl.core.messages import cut, in_words

_MOST_DIGITS = 20
_GROWTH = 65_536
"""Characters by which a filter may make a text longer at most."""


def time(value: float | None, zone: str = "UTC") -> str:
    """Unix seconds as ``2026-11-20 18:55:07 UTC``, in a time zone of the IANA database; no time, no text."""
    if value is None:
        return ""
    try:
        there = UTC if zone == "UTC" else ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise TemplateFailed(f"there is no time zone {zone!r}; one is called such as Europe/Paris") from None
    return datetime.fromtimestamp(value, there).strftime("%Y-%m-%d %H:%M:%S %Z")


def iso(value: float | None) -> str:
    """Unix seconds as ``2026-11-20T18:55:07+00:00`` (RFC 3339); no time, no text."""
    return "" if value is None else datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds")


def default(value: Any, other: Any = "") -> Any:
    """The other value where this one is missing or empty."""
    return other if isinstance(value, Undefined) or value in (None, "") else value


def join(values: Any, between: str = "") -> str:
    """Texts as one."""
    texts = [str(value) for value in values]
    _bounded(len(texts) * len(between))
    return between.join(texts)


def replace(value: str, old: str, new: str) -> str:
    """A text with another in place of each ``old``."""
    text = str(value)
    _bounded(text.count(old) * len(new))
    return text.replace(old, new)


def items(value: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The names of a table with their values, sorted."""
    return sorted(value.items())


def tojson(value: Any) -> str:
    """A value as JSON has it, with quotes around a text."""
    return msgspec.json.encode(value).decode()


def urlencode(value: Any) -> str:
    """A text as it may stand in a URL."""
    return quote(str(value), safe="")


def _bounded(more: int) -> None:
    if more > _GROWTH:
        raise TemplateFailed(f"it makes a text of more than {_GROWTH} characters")


def rounded(value: float, digits: int | None = None) -> float:
    """A number with so many digits behind the point; none: a whole number."""
    if digits is not None and abs(digits) > _MOST_DIGITS:
        raise TemplateFailed(f"round takes up to {_MOST_DIGITS} digits")
    return round(value, digits)


FILTERS: dict[str, Callable[..., Any]] = {
    "time": time,
    "iso": iso,
    "duration": in_words,
    "default": default,
    "cut": lambda value, limit: cut(str(value), limit),
    "upper": lambda value: str(value).upper(),
    "lower": lambda value: str(value).lower(),
    "capitalize": lambda value: str(value)[:1].upper() + str(value)[1:],
    "trim": lambda value: str(value).strip(),
    "replace": replace,
    "join": join,
    "length": len,
    "first": lambda values: next(iter(values), ""),
    "last": lambda values: values[-1] if values else "",
    "sort": sorted,
    "items": items,
    "round": rounded,
    "tojson": tojson,
    "urlencode": urlencode,
}
"""By the names that templates have for them."""
