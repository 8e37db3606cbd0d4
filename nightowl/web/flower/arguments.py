"""Arguments of a request: those of the query and of a form, the last one of a name counts."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import parse_qsl

from starlette.requests import Request

from nightowl.web.flower.answers import Failure

T = TypeVar("T")

_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")
_MOST = 1000
_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
_FALSE = frozenset({"n", "no", "f", "false", "off", "0"})


class Arguments:
    """The arguments of a request. Everything raises ``Failure`` (400) in Flower's words."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = given

    def text(self, name: str, default: str = "") -> str:
        """An argument without the spaces around it; ``default`` where it is not given."""
        return self._given.get(name, default)

    def needed(self, name: str) -> str:
        """An argument that must be given, and not be empty."""
        if not self._given.get(name):
            raise Failure(400, f"Missing argument {name}")
        return self._given[name]

    def flag(self, name: str) -> bool:
        """A truth value; false where it is not given."""
        return self._read(name, "bool", _truth) or False

    def whole(self, name: str) -> int | None:
        """A whole number; None where it is not given."""
        return self._read(name, "int", _whole)

    def whole_needed(self, name: str) -> int:
        """A whole number that must be given."""
        self.needed(name)
        return self.whole(name) or 0

    def number(self, name: str) -> float | None:
        """A number; None where it is not given."""
        return self._read(name, "float", _number)

    def _read(self, name: str, kind: str, read: Callable[[str], T]) -> T | None:
        if name not in self._given:
            return None
        try:
            return read(self._given[name])
        except ValueError:
            raise Failure(400, f"Invalid argument '{self._given[name]}' of type '{kind}'") from None


async def arguments(request: Request) -> Arguments:
    """Read the arguments of a request, of which a form may hold some."""
    pairs = _pairs(request.scope["query_string"].decode("latin-1"))
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and kind == "application/x-www-form-urlencoded":
        pairs |= _pairs((await request.body()).decode("latin-1"))
    elif request.method == "POST" and kind == "multipart/form-data":
        form = await request.form(max_files=0, max_fields=_MOST)
        pairs |= {name: _clean(str(value)) for name, value in form.multi_items()}
    return Arguments(pairs)


def _pairs(text: str) -> dict[str, str]:
    try:
        return {
            name: _clean(value)
            for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST, errors="strict")
        }
    except ValueError:
        raise Failure(400, "The arguments cannot be read") from None


def _clean(text: str) -> str:
    return _CONTROLS.sub(" ", text).strip()


def _truth(text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise ValueError(text)
    return text.lower() in _TRUE


def _whole(text: str) -> int:
    if len(text) > 18:
        raise ValueError(text)
    return int(text)


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number
