"""The language in which Flower's task list is searched, with Flower's limits and messages.

::

    or      = and {"OR" and}
    and     = primary {["AND"] primary}
    primary = "(" or ")" | [qualifier ":"] word-or-"quoted phrase"

``state:`` asks for all of a state, ``kwargs:name=value`` for a named argument; every other term is a part of at least
three characters of its field, or without a qualifier of any field. Case does not matter. There is no negation.
Flower 2.2, ``flower/utils/search.py``: https://flower.readthedocs.io/en/latest/features.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from nightowl.core.cluster.task import Task

LONGEST = 2048
"""Characters of a query."""

MOST_TOKENS = 128
DEEPEST = 5
"""Parentheses that may be open at once."""

SHORTEST = 3
"""Characters of a part that is looked for."""

FIELDS = frozenset({"name", "state", "worker", "args", "kwargs", "result"})

_PLAIN = r"""\\["\\]|\\(?!["\\])"""
_TOKEN = re.compile(rf"""([()])|(?:{_PLAIN}|"(?:{_PLAIN}|[^"\\])*"|[^\s()"\\])+""")
_INSIDE = re.compile(r"""\\(["\\])|(")""")

Matches = Callable[[Task], bool]
"""Whether a task is meant."""


class SyntaxMistake(ValueError):
    """A query that cannot be understood. ``position`` counts characters from 0."""

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message if position is None else f"{message} at position {position}")

    def __str__(self) -> str:
        """The sentence that Flower says."""
        return f"{self.args[0]}."


class Query(NamedTuple):
    """A query, understood. ``states`` are those that every task which it means is in (empty: any)."""

    matches: Matches
    states: frozenset[str]


class _Token(NamedTuple):
    kind: str
    text: str
    position: int


def parse(text: str) -> Query | None:
    """Return what a query asks for; None: everything. Raises ``SyntaxMistake``."""
    text = text.strip()
    if len(text) > LONGEST:
        raise SyntaxMistake(f"Query exceeds {LONGEST} characters")
    return _Parser(_tokens(text)).parse() if text else None


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        token, position = _token(text, position)
        found.append(token)
        if len(found) > MOST_TOKENS:
            raise SyntaxMistake(f"Query exceeds {MOST_TOKENS} tokens")
    return [*found, _Token("end", "", len(text))]


def _token(text: str, position: int) -> tuple[_Token, int]:
    found = _TOKEN.match(text, position)
    if found is None or (not found[1] and text.startswith('"', found.end())):
        raise SyntaxMistake("Unterminated quoted phrase", position)
    if found[1]:
        return _Token(found[1], found[1], position), found.end()
    said = _INSIDE.sub(lambda inside: inside[1] or "", found[0])
    if not said:
        raise SyntaxMistake("Empty search term", position)
    quoted = any(inside[2] for inside in _INSIDE.finditer(found[0]))
    if not quoted and said == "NOT":
        raise SyntaxMistake("NOT is not supported", position)
    return _Token(said if not quoted and said in ("AND", "OR") else "term", said, position), found.end()


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._index = 0

    def parse(self) -> Query:
        query = self._or(0)
        if self._now.kind != "end":
            raise self._unexpected()
        return query

    @property
    def _now(self) -> _Token:
        return self._tokens[self._index]

    def _next(self) -> _Token:
        token = self._now
        self._index += 1
        return token

    def _unexpected(self) -> SyntaxMistake:
        return SyntaxMistake(f"Unexpected {self._now.text!r}", self._now.position)

    def _or(self, depth: int) -> Query:
        found = [self._and(depth)]
        while self._now.kind == "OR":
            self._operator()
            found.append(self._and(depth))
        return _either(found)

    def _and(self, depth: int) -> Query:
        found = [self._primary(depth)]
        while self._now.kind not in ("end", ")", "OR"):
            if self._now.kind == "AND":
                self._operator()
            found.append(self._primary(depth))
        return _both(found)

    def _operator(self) -> None:
        operator = self._next()
        if self._now.kind in ("end", ")", "AND", "OR"):
            raise SyntaxMistake(f"{operator.text} must be followed by a search term", operator.position)

    def _primary(self, depth: int) -> Query:
        token = self._now
        if token.kind == "(":
            return self._group(depth)
        if token.kind != "term":
            raise SyntaxMistake("Expected a search term", token.position)
        self._next()
        return _term(token)

    def _group(self, depth: int) -> Query:
        opening = self._next()
        if depth >= DEEPEST:
            raise SyntaxMistake(f"Query nesting exceeds {DEEPEST} levels", opening.position)
        if self._now.kind == ")":
            raise SyntaxMistake("Empty group", opening.position)
        query = self._or(depth + 1)
        if self._now.kind != ")":
            raise SyntaxMistake("Missing closing parenthesis", opening.position)
        self._next()
        return query


def _term(token: _Token) -> Query:
    field, text = _field(token.text)
    if not field and text.startswith("-"):
        raise SyntaxMistake("Negation with '-' is not supported", token.position)
    if not text:
        raise SyntaxMistake("Search qualifier requires a value", token.position)
    if field == "state":
        return _in_state(text)
    if field == "kwargs" and "=" in text:
        return Query(_with_argument(*text.split("=", 1)), frozenset())
    if len(text.strip()) < SHORTEST:
        raise SyntaxMistake(f"Substring search terms must contain at least {SHORTEST} characters", token.position)
    return Query(_within(field, text.casefold()), frozenset())


def _field(text: str) -> tuple[str, str]:
    before, colon, after = text.partition(":")
    return (before.casefold(), after) if colon and before.casefold() in FIELDS else ("", text)


def _in_state(text: str) -> Query:
    state = text.casefold()
    return Query(lambda task: task.state.casefold() == state, frozenset({text.upper()}))


def _with_argument(name: str, value: str) -> Matches:
    """Whether a named argument has this value, as the text that events carry writes it."""
    key, said = re.escape(name.strip().casefold()), re.escape(value.strip().casefold())
    pair = re.compile(rf"""[{{\s](?:'{key}'|"{key}"): (?:{said}|'{said}'|"{said}")[,}}]""")
    return lambda task: bool(task.kwargs) and pair.search((task.kwargs or "").casefold()) is not None


def _within(field: str, part: str) -> Matches:
    if field:
        return lambda task: part in (getattr(task, field) or "").casefold()
    return lambda task: part in _all_of(task)


def _all_of(task: Task) -> str:
    """All that is searched without a qualifier. No part reaches over from one field into the next."""
    fields = (task.uuid, task.name, task.state, task.worker, task.args, task.kwargs, task.result)
    return "\0".join(field or "" for field in fields).casefold()


def _both(queries: list[Query]) -> Query:
    if len(queries) == 1:
        return queries[0]
    bound = [query.states for query in queries if query.states]
    states = frozenset.intersection(*bound) if bound else frozenset()
    if bound and not states:
        return Query(lambda _: False, bound[0])
    return Query(lambda task: all(query.matches(task) for query in queries), states)


def _either(queries: list[Query]) -> Query:
    if len(queries) == 1:
        return queries[0]
    states = frozenset.union(*(query.states for query in queries)) if all(q.states for q in queries) else frozenset()
    return Query(lambda task: any(query.matches(task) for query in queries), states)
