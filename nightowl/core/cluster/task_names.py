"""Which names of tasks somebody means who types a part of one, or a shell pattern."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase


def meant(asked: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the known names that are meant: the one that is typed whole, else those like it.

    With ``*``, ``?`` or ``[`` it is a shell pattern of the whole name, without them a part of it; capitals make no
    difference. Where there is none like it, it stands for itself.
    """
    names = list(known)
    if asked in names:
        return (asked,)
    wanted = asked.lower()
    pattern = wanted if any(mark in wanted for mark in "*?[") else f"*{wanted}*"
    return tuple(name for name in names if fnmatchcase(name.lower(), pattern)) or (asked,)
