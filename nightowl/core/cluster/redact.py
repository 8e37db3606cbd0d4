"""Hide values of named arguments in the texts that events carry, before anything of them is kept.

Such a text is what Celery's ``saferepr`` made of arguments and results, or an exception with its traceback; it may be
cut anywhere. It is never evaluated, nor parsed as if it were whole: wherever a key shows (``'password': ...``,
``password=...``), what follows is hidden up to where the value ends for certain. In doubt more is hidden.

``saferepr`` writes the characters of a string as they are, with a backslash before each quote alone, where ``repr``
doubles backslashes, too. So a quote behind a backslash may end a string or not, and all that follows is hidden. In
bytes ``saferepr`` marks no quote at all, so nothing says where they end. All steps take time in proportion to the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Literal

from nightowl.core.redaction import MASK

_KEY = 200
"""Characters before a separator in which its key is looked for."""

_SEPARATOR = re.compile(r"[:=]")
_WORD = re.compile(r"(?<![\w.\-])[\w.\-]++\Z")
_VALUE = re.compile(r"""(?P<quote>(?<!\\)\\*+['"])|(?P<open>[\[({<])|(?P<close>[\])}>])|(?P<comma>,)|(?P<line>\n)""")
_BRACKETS = re.compile(r"[\[({]|[\])}]")
_LITERAL = re.compile(r"[^*?]+")
_CHUNK = re.compile(r"\S+")
_SCHEME = "://"
_CUT = "..."

Mode = Literal["redacted", "full", "none"]
"""What is kept of arguments and results: all but what is named, all, or nothing."""


class Redaction:
    """What is kept of a cluster's texts. ``patterns`` are shell patterns of names; case does not count."""

    def __init__(self, mode: Mode, patterns: Sequence[str]) -> None:
        self._mode = mode
        self._patterns = tuple(pattern.lower() for pattern in patterns)
        self._literals = _literals(self._patterns)

    def argument(self, text: str | None) -> str | None:
        """Return what is kept of arguments, or of a result."""
        return None if self._mode == "none" else self.text(text)

    def text(self, text: str | None) -> str | None:
        """Return what is kept of an exception or a traceback: all but values of what is named."""
        if not text or self._mode == "full":
            return text
        return without_passwords(without_values(text, self._patterns)) if self._may_tell(text) else text

    def _may_tell(self, text: str) -> bool:
        lower = text.lower()
        for literal in self._literals:  # noqa: SIM110  a call of any takes longer
            if literal in lower:
                return True
        return False


def without_values(text: str, patterns: Sequence[str]) -> str:
    """Mask the value of each key that is like one of the patterns, which are in lower case."""
    kept: list[str] = []
    done = depth = counted = 0
    for separator in _SEPARATOR.finditer(text):
        at = separator.start()
        if at < done or not _is_named(text, at, patterns):
            continue
        depth = _depth(text, counted, at, depth)
        counted = end = _end_of_value(text, at + 1, inside=depth > 0)
        kept += [text[done : at + 1], _gap(text, at + 1), MASK]
        done = end
    return "".join([*kept, text[done:]])


def without_passwords(text: str) -> str:
    """Mask the passwords of URLs: ``amqp://owl:***@rabbit``."""
    return _CHUNK.sub(_without_password, text) if _SCHEME in text else text


def _literals(patterns: Sequence[str]) -> tuple[str, ...]:
    """Texts of which one stands in every text in which there may be something to hide."""
    found = [max(_LITERAL.findall(pattern), key=len, default="") for pattern in patterns]
    if any("[" in pattern for pattern in patterns) or not all(found):
        return ("",)
    return (*found, _SCHEME)


def _is_named(text: str, at: int, patterns: Sequence[str]) -> bool:
    """Whether the key before a separator is like one of the patterns; before a colon a key stands in quotes."""
    before = text[max(0, at - _KEY) : at].rstrip()
    last = before[-1:]
    if last in ("'", '"'):
        inner = before[:-1].rstrip("\\")
        key = inner[inner.rfind(last) + 1 :]  # no quote there: all that can be seen
    elif text[at] == "=" and (word := _WORD.search(before)):
        key = word[0]
    else:
        return False
    key = key.lower()
    return any(fnmatchcase(key, pattern) for pattern in patterns)


def _depth(text: str, start: int, end: int, depth: int) -> int:
    """How many brackets are open at ``end``, where ``depth`` were at ``start``."""
    for found in _BRACKETS.finditer(text, start, end):
        depth = depth + 1 if found[0] in "[({" else max(0, depth - 1)
    return depth


def _gap(text: str, at: int) -> str:
    return " " if text[at : at + 1] == " " else ""


def _end_of_value(text: str, start: int, *, inside: bool) -> int:
    """Where a value ends for certain: before a comma, a bracket that closes, or the end of a line outside brackets.

    A comma that stands in a plain word, or outside of brackets behind one, may be a part of it.
    """
    depth, at, whole = 0, start, False
    while found := _VALUE.search(text, at):
        whole = whole and not text[at : found.start()].strip()
        at = found.end()
        if found["quote"]:
            if text[found.start() - 1] in "bB":
                return len(text)
            at, whole = _end_of_string(text, at, found["quote"]), True
        elif found["open"]:
            depth += 1
        elif found["close"]:
            if found["close"] == ">" and depth == 0:
                continue
            if depth == 0:
                return found.start()
            depth, whole = depth - 1, True
        elif depth == 0 and _ends(text, found, inside=inside, whole=whole):
            return found.start()
    return len(text)


def _ends(text: str, found: re.Match[str], *, inside: bool, whole: bool) -> bool:
    if found["line"]:
        return not inside
    return whole or (inside and text[found.end() : found.end() + 1].isspace())


def _end_of_string(text: str, at: int, opening: str) -> int:
    """The place behind the quote that ends a string: one with no more backslashes before it than the first one had.

    Where one has more, nothing is certain any more, and all of the text counts.
    """
    quote, slashes = opening[-1], len(opening) - 1
    found = text.find(quote, at)
    if found < 0 or text.endswith("\\" * (slashes + 1), at, found):
        return len(text)
    return found + 1


def _without_password(chunk: re.Match[str]) -> str:
    first, *rest = chunk[0].split(_SCHEME)
    return _SCHEME.join([first, *map(partial(_login, cut=_CUT in chunk[0]), rest)])


def _login(after: str, *, cut: bool) -> str:
    """Mask the password of what stands behind a scheme; of one that was cut, what may be the start of a password."""
    at = after.rfind("@")
    colon = after.find(":", 0, at if at >= 0 else len(after))
    if colon < 0 or (at < 0 and not (cut and "/" not in after[colon:])):
        return after
    return f"{after[: colon + 1]}{MASK}{after[at:] if at >= 0 else _CUT}"
