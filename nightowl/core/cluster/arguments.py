"""A task's arguments, from the text that its events carry: only where that text is whole and leaves no doubt.

Celery's ``saferepr`` makes the text. It cuts what is long or deep (``...``), and writes the characters of a string as
they are, with a backslash before each quote alone; so what else has a backslash could be read in two ways. Nothing is
ever evaluated: a literal is parsed, of bounded size and depth, and only of kinds that JSON carries.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from nightowl.core.errors import Refused
from nightowl.core.redaction import MASK

LARGEST = 64 * 1024
"""Characters of a text that is parsed."""

DEEPEST = 40
"""Brackets that may be open at once."""

_PLAIN = re.compile(r"(?>'(?>[^'\\\n\r]|\\')*'|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|True|False|None|[()\[\]{},:\s])*+")
"""Strings, numbers, three words, brackets: nothing that could be computed, so the tree is no deeper than brackets."""

_BACKSLASH = re.compile(r"\\(?!')")
_NOTHING = object()
_CUT = "..."
_MORE = "Raise `app.amqp.argsrepr_maxsize`, `kwargsrepr_maxsize` and `task_repr_maxlevels` where tasks are sent."


def exact_arguments(args: str | None, kwargs: str | None) -> tuple[list[Any], dict[str, Any]]:
    """Return positional and named arguments. Raises ``Refused``, which says why they are not known exactly."""
    return _whole(args, "args", (tuple, list)), _whole(kwargs, "kwargs", (dict,))


def _whole(text: str | None, which: str, kinds: tuple[type, ...]) -> Any:
    if text is None:
        raise Refused(f"Its {which} are not known: no event that carries them was seen.")
    if MASK in text:
        raise Refused(f'Its {which} are redacted: arguments = "full" in [cluster.NAME] keeps those of tasks to come.')
    if len(text) > LARGEST or _depth(text) > DEEPEST:
        raise Refused(f"Its {which} are too large to be read from an event.")
    if _CUT in text:
        raise Refused(f"Its {which} are cut: events carry their first 1,024 characters. {_MORE}")
    if _BACKSLASH.search(text):
        raise Refused(f"Its {which} hold a backslash, which an event does not carry unambiguously.")
    value = _parsed(text)
    if not isinstance(value, kinds) or not _is_json(list(value) if isinstance(value, tuple) else value):
        raise Refused(f"Its {which} are no plain values of JSON: what an event carries of them cannot be read back.")
    return list(value) if isinstance(value, tuple) else value


def _parsed(text: str) -> Any:
    try:
        return ast.literal_eval(text) if _PLAIN.fullmatch(text) else _NOTHING
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return _NOTHING


def _depth(text: str) -> int:
    deepest = depth = 0
    for character in text:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    return deepest


def _is_json(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(each) for key, each in value.items())
    return value is None or isinstance(value, (str, bool, int, float))
