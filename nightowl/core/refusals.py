"""What would have been allowed, in words, where a value was refused: by the configuration's models and the API's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_NUMBER = "a number"
_WHOLE = "a whole number"
_SWITCH = "true or false"
_LIST = "a list"
_DAY = 'a day such as "2025-11-20"'
_MOMENT = 'a moment with its time zone, such as "2025-11-20T18:57:00Z"'


def _all(kinds: Iterable[str], words: str) -> dict[str, str]:
    return dict.fromkeys(kinds, words)


_WORDS = {
    "string_type": "a string",
    "string_unicode": "a string of UTF-8",
    "missing": "a value; the key is required",
    "extra_forbidden": "no such key",
    "none_required": "nothing",
    "finite_number": "a finite number",
    "int_parsing_size": "a whole number of fewer digits",
    "json_invalid": "JSON",
    **_all(["int_type", "int_parsing", "int_from_float"], _WHOLE),
    **_all(["float_type", "float_parsing"], _NUMBER),
    **_all(["bool_type", "bool_parsing"], _SWITCH),
    **_all(["list_type", "tuple_type", "set_type", "frozen_set_type", "iterable_type"], _LIST),
    **_all(["date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"], _DAY),
    **_all(["datetime_type", "datetime_parsing", "datetime_object_invalid", "datetime_from_date_parsing"], _MOMENT),
    "timezone_aware": _MOMENT,
}
UNTOLD = "another value"
"""What is said of a kind that no model of ours raises."""

_TABLES = frozenset(("dict_type", "mapping_type", "model_type", "model_attributes_type"))
_BOUNDS = {
    "greater_than": "a number above {gt}",
    "less_than": "a number below {lt}",
    "greater_than_equal": "a number of at least {ge}",
    "less_than_equal": "a number of at most {le}",
}
_LENGTHS = dict.fromkeys(("string_too_short", "too_short"), ("at least", "min_length"))
_LENGTHS |= dict.fromkeys(("string_too_long", "too_long"), ("at most", "max_length"))
_CHOICES = frozenset(("literal_error", "enum"))


def allowed(kind: str, context: Mapping[str, Any], found: object, *, table: str = "a table") -> str:
    """Return in words what pydantic, which names its refusals by ``kind``, would have taken in place of ``found``.

    ``table`` is what a mapping is called.
    """
    if kind in _TABLES:
        return table
    if kind in _BOUNDS:
        return _BOUNDS[kind].format_map({name: _plain(bound) for name, bound in context.items()})
    if kind in _LENGTHS:
        bound, length = _LENGTHS[kind]
        return _sized(found, bound, context[length])
    if kind in _CHOICES:
        return str(context["expected"]).replace("'", '"')
    return str(context["allowed"]) if kind == "allowed" else _WORDS.get(kind, UNTOLD)


def _plain(bound: object) -> object:
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def _sized(found: object, bound: str, length: int) -> str:
    if isinstance(found, str):
        return f"{bound} {length} character{'' if length == 1 else 's'}"
    return f"a list of {bound} {length}"
