"""Values of a definition as text in a form, and back. What cannot be read comes back as it was typed, to be refused."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

_EXACT = 1e15
"""Beyond this, whole numbers are none any more as floats."""


def read_number(text: str) -> Any:
    """A whole number."""
    return int(text) if text.isdecimal() and len(text) < 10 else text


def read_amount(text: str) -> Any:
    """A number, or a text such as ``+20%``."""
    try:
        amount = float(text)
    except ValueError:
        return text
    if not math.isfinite(amount):
        return text
    return int(amount) if amount.is_integer() and abs(amount) < _EXACT else amount


def write_amount(value: Any) -> str:
    """A number without a fraction that says nothing, or a text."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def read_switch(text: str) -> Any:
    """``yes`` or ``no``."""
    return {"yes": True, "no": False}.get(text, text)


def write_switch(value: Any) -> str:
    """``yes`` or ``no``."""
    return {True: "yes", False: "no"}.get(value, str(value))


def read_list(text: str) -> list[Any]:
    """Items by commas; whole numbers as such."""
    return [read_number(item.strip()) for item in text.split(",") if item.strip()]


def write_list(items: Any) -> str:
    """Items with commas."""
    return ", ".join(map(str, items)) if isinstance(items, list | tuple) else str(items)


def read_pairs(mark: str, value: Callable[[str], Any] = str) -> Callable[[str], Any]:
    """Make the reader of one pair a line, its name before the first ``mark``, each name once."""

    def read(text: str) -> Any:
        if odd_line(text, mark):
            return text
        split = (line.partition(mark) for line in text.splitlines() if line.strip())
        return {name.strip(): value(found.strip()) for name, _, found in split}

    return read


def write_pairs(mark: str, value: Callable[[Any], str] = str) -> Callable[[Any], str]:
    """Make the writer of such lines."""
    return lambda pairs: "\n".join(f"{name}{mark}{value(found)}" for name, found in pairs.items())


def odd_line(text: str, mark: str) -> str:
    """The first line that is no pair, or that names again what a line before it names (empty: none)."""
    seen = set()
    for line in filter(str.strip, text.splitlines()):
        name, found, _ = line.partition(mark)
        if not found or not name.strip() or name.strip() in seen:
            return line.strip()
        seen.add(name.strip())
    return ""


def read_json(text: str) -> Any:
    """A value in JSON; what is none is a text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def write_json(value: Any) -> str:
    """A value in JSON."""
    return json.dumps(value, ensure_ascii=False)
