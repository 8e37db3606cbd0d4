"""Shell patterns, as rules have them for labels, in the language of others.

The regular expressions are plain enough for RE2, which knows no look-around and takes time in proportion to the text:
no pattern can make a source work without end.
"""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
_PARTS = re.compile(r"(?P<many>\*+)|(?P<one>\?)|\[(?P<not>!?)(?P<among>\]?[^\]]*)\]|(?P<plain>.)", re.DOTALL)


def is_pattern(text: str) -> bool:
    """Whether a text stands for more than itself."""
    return any(sign in text for sign in "*?[")


def quoted(text: str) -> str:
    """A regular expression (RE2) that matches this text alone."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def expression(pattern: str) -> str:
    """A regular expression (RE2) for all of a label's value; one that would match nothing at all matches something.

    A label without a value is one that is not there, and a pattern asks for a label that is.
    """
    made = "".join(map(_part, _PARTS.finditer(pattern)))
    return ".+" if made == ".*" else made


def _part(found: re.Match[str]) -> str:
    if found["many"]:
        return ".*"
    if found["one"]:
        return "."
    if found["plain"] is not None:
        return quoted(found["plain"])
    among = re.sub(r"[\\\[\]^&~|]", r"\\\g<0>", found["among"])
    return f"[{'^' if found['not'] else ''}{among}]" if among else quoted(found[0])
