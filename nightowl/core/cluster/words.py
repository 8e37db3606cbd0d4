"""Words of a task's texts, by which it is found.

A word is what stands together of letters, digits and underscores, in lower case. What cuts texts into words here also
cuts what is asked for, so that every database finds the same.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Sequence

import msgspec

LONGEST = 40
"""Bytes of UTF-8 by which a word is known; what follows makes no difference."""

READ = 16_384
"""Characters of each text that are looked at."""

_BYTES = 4  # of a character in UTF-8 at most
_BETWEEN = bytes(
    code if code > 127 or chr(code) in string.ascii_letters + string.digits + "_" else ord(" ") for code in range(256)
)
_ASCII = bytes(range(128))
_SHAPE = bytes(ord(" ") if code == ord(" ") else ord("w") for code in _BETWEEN)
_TOO_LONG = b"w" * (LONGEST + 1)
_BEYOND_ASCII = re.compile(r"\W+")
_BEGUN = re.compile(r"(\w{3,})\*\Z")


Texts = Sequence[str | None]
"""Texts of one task; None: it has no such text."""


class Wanted(msgspec.Struct, frozen=True):
    """Words to look for: all of ``whole``, and one that begins with ``beginning`` (empty: none such is asked for)."""

    whole: tuple[str, ...]
    beginning: str = ""

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.whole or self.beginning)


def words(texts: Texts) -> str:
    """The words of texts, separated by spaces."""
    text = " ".join([text[:READ] for text in texts if text]).lower()
    # bytes are translated several times as fast as a text that is not plain ASCII
    text = text.encode("utf-8", "surrogatepass").translate(_BETWEEN).decode("utf-8", "surrogatepass")
    plain = text.isascii()
    if not plain and not text.replace(" ", "").replace("_", "").isalnum():
        text = _BEYOND_ASCII.sub(" ", text)
    found = text.split()
    within = len(max(found, key=len, default="")) <= (LONGEST if plain else LONGEST // _BYTES)
    return " ".join(found if within else map(_known_by, found))


def uncut(text: str) -> str | None:
    """A text in lower case out of which whoever takes all beyond ASCII for letters cuts the same words.

    None: not out of this text. It takes a tenth of the time that ``words`` does.
    """
    found = text.lower()
    try:
        raw = found.encode()
    except UnicodeEncodeError:
        return None
    beyond = raw.translate(None, _ASCII).decode()
    return None if _TOO_LONG in raw.translate(_SHAPE) or not (beyond.isalnum() or not beyond) else found


def wanted(texts: Collection[str]) -> Wanted:
    """What is asked for by texts, of which the last may end in ``*``; what holds no word asks for nothing.

    A beginning of less than three characters is looked for as a word: too much begins with it.
    """
    *before, last = [*texts] or [""]
    begun = _BEGUN.search(last.lower())
    if begun is None:
        return Wanted(_different(texts))
    return Wanted(_different([*before, last.lower()[: begun.start()]]), _known_by(begun[1]))


def _different(texts: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words([*texts]).split()))


def _known_by(word: str) -> str:
    return word.encode()[:LONGEST].decode(errors="ignore")
