"""What may be done to silences, in one place for pages, API and command line."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import get_args, get_type_hints

import msgspec
from msgspec.structs import replace

from nightowl.core.errors import ConfigurationError, Mistake, NotFound, Refused
from nightowl.core.matching import severity_matches
from nightowl.core.values import Author, Incident, Severity, Silence
from nightowl.ports import Store
from nightowl.web.audit import record
from nightowl.web.words import iso

LONGEST = 366 * 86400.0
"""Seconds that a silence lasts at most."""

_SHORTEST = 1.0
_COMMENT = 1000
_MATCH = 20
_PATTERN = 500
_KINDS: tuple[str, ...] = get_args(get_type_hints(Incident)["kind"])


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A silence that somebody would like: from ``start`` (None: now) to ``end``, or for ``lasts`` seconds."""

    match: dict[str, str]
    start: float | None = None
    end: float | None = None
    lasts: float | None = None
    comment: str = ""


def silence(store: Store, author: Author, now: float, wish: Wish) -> Silence:
    """Make a silence. Raises ``ConfigurationError`` with every mistake of the wish, at keys such as ``match.team``."""
    start = now if wish.start is None else max(now, wish.start)
    end = wish.end if wish.lasts is None else start + wish.lasts
    mistakes = [*_match_mistakes(wish.match), *_span_mistakes(wish, start, end)]
    if len(wish.comment) > _COMMENT:
        mistakes.append(_mistake("comment", f"{len(wish.comment)} characters", f"at most {_COMMENT}"))
    if mistakes or end is None:
        raise ConfigurationError(mistakes)
    made = Silence(
        match=wish.match, start=start, end=end, author=author.name, comment=" ".join(wish.comment.split()), created=now
    )
    with store.transaction() as unit:
        stored = unit.silences.add(made)
        record(unit, author, now, "silence.add", str(stored.id), _told(stored))
    return stored


def end(store: Store, author: Author, now: float, number: int) -> Silence:
    """End a silence at once. Raises ``NotFound``, and ``Refused`` for one that has ended."""
    with store.transaction() as unit:
        found = unit.silences.get(number)
        if found is None:
            raise NotFound(f"There is no silence #{number}.")
        if found.end <= now:
            raise Refused(f"Silence #{number} has ended already, at {iso(found.end)}.")
        ended = replace(found, start=min(found.start, now), end=now)
        unit.silences.put(ended)
        record(unit, author, now, "silence.end", str(number), _told(found))
    return ended


def state(silence: Silence, now: float) -> str:
    """``pending``, ``active`` or ``ended``."""
    if silence.end <= now:
        return "ended"
    return "active" if silence.start <= now else "pending"


def match_told(silence: Silence) -> str:
    """Say which incidents are meant: ``team=shop, severity=warning``."""
    return ", ".join(f"{name}={wanted}" for name, wanted in sorted(silence.match.items()))


def _match_mistakes(match: dict[str, str]) -> Iterator[Mistake]:
    if not match:
        yield _mistake("match", "nothing", 'at least one of severity, name, kind and tags; all are meant by name = "*"')
    if len(match) > _MATCH or any(len(text) > _PATTERN for pair in match.items() for text in pair):
        yield _mistake("match", "too much", f"at most {_MATCH} patterns of {_PATTERN} characters")
        return
    for name, wanted in match.items():
        if not name or not wanted:
            yield _mistake(f"match.{name}", f'"{wanted}"', "a name and a pattern; * is anything")
    severity, kind = match.get("severity", "*"), match.get("kind", "*")
    if not any(severity_matches(severity, known) for known in Severity):
        yield _mistake("match.severity", f'"{severity}"', f"one of {', '.join(Severity)}, or >= and one")
    if not any(fnmatchcase(known, kind) for known in _KINDS):
        yield _mistake("match.kind", f'"{kind}"', f"one of {', '.join(_KINDS)}")


def _span_mistakes(wish: Wish, start: float, over: float | None) -> Iterator[Mistake]:
    if over is None or (wish.end is not None and wish.lasts is not None):
        found = "neither" if over is None else "both"
        yield _mistake("end", found, "when it ends, or how long it lasts: a silence must have an end")
    elif not _SHORTEST <= over - start <= LONGEST:
        yield _mistake("end", f"{over - start:g} s after the start", "from a second to a year after the start and now")


def _mistake(key: str, found: str, allowed: str) -> Mistake:
    return Mistake(file="", key=key, found=found, allowed=allowed)


def _told(silence: Silence) -> str:
    comment = f"\ncomment: {silence.comment}" if silence.comment else ""
    return f"match: {match_told(silence)}\nfrom: {iso(silence.start)}\nuntil: {iso(silence.end)}{comment}"
