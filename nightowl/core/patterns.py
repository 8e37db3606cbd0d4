"""Bounds for the regular expressions that people write: how much memory and time one may take to compile.

The ``regex`` package writes counted repetitions out, so ``((a{1000}){1000}){1000}`` is a thousand million nodes: many
gigabytes, compiled without letting other threads run. A pattern is therefore read before it is compiled, as that
package reads it by default, and what it would be with all repetitions written out is counted. Whatever cannot be
counted so simply is refused: groups that call groups, conditions, fuzzy matching, and flags that change how a pattern
is read.
"""

from __future__ import annotations

import re

LONGEST = 2_000
"""Characters of a pattern at most."""

MOST = 20_000
"""Characters at most of a pattern whose repetitions are written out; each takes up to some 300 bytes."""

DEEPEST = 50
"""Levels of groups within groups at most; the package reads them by recursion."""

ALLOWED = (
    f"a regular expression of at most {LONGEST} characters, and at most {MOST} with its repetitions written out"
    f" (as a{{1000}} has 1000), its groups nested at most {DEEPEST} deep, its brackets closed, and without"
    " recursion, conditions, fuzzy matching and flags other than a, f, i, m, s, u and w"
)
"""What a pattern may be, in words."""

_POSIX = "alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit"

_TOKEN = re.compile(
    rf"""
      (?P<aside> \(\?\#[^\\)]*\) | \(\?[afimsuw-]+\) )      # what a repetition behind it does not see
    | (?P<opening> \( (?: \?(?: [:=!>|] | <[=!] | P?<[^\W\d]\w*> | [afimsuw-]+: ) )? (?!\?) )
    | (?P<closing> \) )
    | (?P<repeat> (?: [*+?] | \{{ (?: (?P<exactly>[0-9]+) | (?P<least>[0-9]*),[0-9]* ) \}} ) [?+]? )
    | (?P<atom>
        \\[pPN]\{{\^?[A-Za-z][\w\ :=&.-]*\}} | \\.
      | \[\^?+\]?+ (?: \\. | \[:\^?(?:{_POSIX}):\] | \[(?!:) | [^\]\\\[] )* \]
      | \(\?P=\w+\)
      | \{{(?![0-9]*[deis<])                                # else fuzzy matching
      | [^\\\[({{] )
    """,
    re.VERBOSE | re.DOTALL,
)


class _Level:
    """A group that is read: how long it is when written out, and how much of that a repetition would repeat."""

    __slots__ = ("last", "length")

    def __init__(self) -> None:
        self.length = 0
        self.last = 0

    def add(self, length: int) -> None:
        self.length += length
        self.last = length

    def repeat(self, copies: int) -> None:
        self.length += self.last * (copies - 1)
        self.last *= copies


def bounded(pattern: str) -> str:
    """Return the pattern, if compiling it takes little memory and time.

    Raises:
        ValueError: it may take much, or is written so that this cannot be told; the text is ``ALLOWED``.
    """
    if len(pattern) > LONGEST or _written_out(pattern) > MOST:
        raise ValueError(ALLOWED)
    return pattern


def _written_out(pattern: str) -> int:
    """How many characters the pattern has once its repetitions are written out.

    Brackets that do not match are left to the compiler to complain about.
    """
    levels, at = [_Level()], 0
    while at < len(pattern):
        found = _TOKEN.match(pattern, at)
        if found is None or len(levels) > DEEPEST:
            raise ValueError(ALLOWED)
        at = found.end()
        if found["repeat"]:
            levels[-1].repeat(_copies(found))
        elif found["opening"]:
            levels.append(_Level())
            levels[-1].length = len(found[0])
        elif found["closing"] and len(levels) > 1:
            group = levels.pop()
            levels[-1].add(group.length + 1)
        elif found["atom"]:
            levels[-1].add(len(found[0]))
    return sum(level.length for level in levels)


def _copies(repeat: re.Match[str]) -> int:
    """How often the compiler writes out what is repeated: as often as it must occur, and once more for a loop."""
    if repeat["exactly"] is not None:
        return max(1, int(repeat["exactly"]))
    if repeat["least"] is not None:
        return int(repeat["least"] or 0) + 1
    return 2 if repeat[0].startswith("+") else 1
