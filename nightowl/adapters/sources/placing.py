"""Identifiers in their places in queries, so that none can be read as more than itself."""

from __future__ import annotations

import re
from collections.abc import Callable

from nightowl.adapters.sources.http_source import Unusable
from nightowl.core.reading import PLACE

_TOKEN = re.compile(r""" "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | `[^`]*` | \$id | . """, re.VERBOSE | re.DOTALL)

Escape = Callable[[str, str, str], str]
"""Given an identifier, the quotation mark around it and what stands before that, returns how it is written."""


def placed(query: str, identifier: str, quoted: Escape, bare: re.Pattern[str]) -> str:
    """A query with an identifier in all its places: ``bare`` is what may stand outside of quotation marks.

    Raises ``Unusable`` for an identifier that cannot stand there.
    """
    if PLACE not in query:
        return query
    made: list[str] = []
    for found in _TOKEN.finditer(query):
        token = found[0]
        if token == PLACE:
            made.append(_bare(identifier, bare))
        elif PLACE in token:
            mark, before = token[0], query[: found.start()].rstrip()
            made.append(token.replace(PLACE, quoted(identifier, mark, before)))
        else:
            made.append(token)
    return "".join(made)


def _bare(identifier: str, allowed: re.Pattern[str]) -> str:
    if not allowed.fullmatch(identifier):
        raise Unusable("an identifier that cannot stand in the query outside of quotation marks")
    return identifier


def without(signs: str) -> Escape:
    """For languages whose quotation marks know no escape: refuse identifiers with one of these signs in them."""

    def escape(identifier: str, mark: str, _before: str) -> str:
        if any(sign in identifier for sign in (*signs, mark)) or not identifier.isprintable():
            raise Unusable("an identifier that cannot stand in quotation marks")
        return identifier

    return escape
