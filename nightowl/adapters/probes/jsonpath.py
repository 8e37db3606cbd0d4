"""JSON documents and the JSONPaths (RFC 9535) to their values, within bounds.

A path with several ``..`` visits a document many times over, and its patterns may search for as long as they like.
The library that follows paths has no bounds, so the document counts its visits, and the patterns watch the time.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator
from contextvars import ContextVar
from functools import lru_cache
from time import monotonic
from typing import Any

import msgspec
import regex
from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathError, JSONPathQuery
from jsonpath_rfc9535.function_extensions import ExpressionType, FilterFunction

from nightowl.adapters.probes.failure import TARGET, Failure
from nightowl.core.patterns import bounded

MAX_DEPTH = 100
"""How deep a JSON document may be nested."""
MAX_VISITS = 200_000
"""Values of a document that following one path may visit, each visit counted."""
PATTERN_SECONDS = 0.5
"""How long all ``match`` and ``search`` of one path may take."""

_DOT = regex.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\.", regex.DOTALL)
_patterns_until: ContextVar[float] = ContextVar("patterns_until")


class Document:
    """A JSON document.

    Raises:
        Failure: ``decode.json`` where the text is not JSON, or is nested too deep.
    """

    def __init__(self, text: str) -> None:
        self._visits = _Visits()
        try:
            self._root = _counting(msgspec.json.decode(text), self._visits, 0)
        except msgspec.DecodeError as error:
            raise Failure("decode.json", f"the body is not JSON: {error}") from None
        except RecursionError:
            raise _too_deep() from None

    def at(self, path: str) -> Iterator[Any]:
        """The values that a path leads to.

        Raises:
            Failure: ``own.target`` for what is no JSONPath, ``assert.json`` where following it breaks a bound.
        """
        self._visits.left = MAX_VISITS
        _patterns_until.set(monotonic() + PATTERN_SECONDS)
        try:
            for node in _path(path).finditer(self._root):
                yield node.value
        except (JSONPathError, RecursionError) as error:
            raise Failure(TARGET, f"{path!r} is not a JSONPath: {error}") from None


class _Visits:
    """How many values may still be visited."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_VISITS

    def spend(self, values: int) -> None:
        self.left -= values
        if self.left < 0:
            raise Failure("assert.json", f"a JSONPath visits more than {MAX_VISITS} values of the document")


class _Array(list[Any]):
    """An array whose elements are counted as they are walked."""

    __slots__ = ("_visits",)

    def __init__(self, elements: list[Any], visits: _Visits) -> None:
        super().__init__(elements)
        self._visits = visits

    def __iter__(self) -> Iterator[Any]:
        self._visits.spend(len(self) + 1)
        return super().__iter__()

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            self._visits.spend(len(self) + 1)
        return super().__getitem__(key)


class _Object(dict[str, Any]):
    """An object whose members are counted as they are walked."""

    __slots__ = ("_visits",)

    def __init__(self, members: dict[str, Any], visits: _Visits) -> None:
        super().__init__(members)
        self._visits = visits

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]  # a view of the same items
        self._visits.spend(len(self) + 1)
        return super().items()


class _Matching(FilterFunction):
    """``match`` or ``search`` (RFC 9535, 2.4.6 and 2.4.7), bounded in time."""

    arg_types = [ExpressionType.VALUE, ExpressionType.VALUE]  # noqa: RUF012  as the library declares it
    return_type = ExpressionType.LOGICAL

    def __init__(self, find: Callable[..., Any]) -> None:
        self._find = find

    def __call__(self, text: object, pattern: object) -> bool:
        """Whether the pattern is found; false where an argument is no text, or the pattern none."""
        if not (isinstance(text, str) and isinstance(pattern, str)):
            return False
        left = _patterns_until.get() - monotonic()
        if left <= 0:
            raise _too_slow()
        try:
            return bool(self._find(bounded(_DOT.sub(_rfc_dot, pattern)), text, concurrent=True, timeout=left))
        except TimeoutError:
            raise _too_slow() from None
        except ValueError as error:
            raise Failure("assert.json", f"a pattern of a JSONPath is not {error}") from None
        except regex.error:
            return False


class _Environment(JSONPathEnvironment):
    def setup_function_extensions(self) -> None:
        super().setup_function_extensions()
        self.function_extensions["match"] = _Matching(regex.fullmatch)
        self.function_extensions["search"] = _Matching(regex.search)


_ENVIRONMENT = _Environment()


@lru_cache(maxsize=1024)
def _path(path: str) -> JSONPathQuery:
    return _ENVIRONMENT.compile(path)


def _rfc_dot(piece: Any) -> str:
    """A dot outside of a class is anything but a line's end in I-Regexp (RFC 9485, section 5.3)."""
    return r"[^\r\n]" if piece[0] == "." else str(piece[0])


def _counting(value: Any, visits: _Visits, depth: int) -> Any:
    """The value, with arrays and objects that count."""
    if depth > MAX_DEPTH:
        raise _too_deep()
    below = depth + 1
    if isinstance(value, list):
        return _Array([_counting(each, visits, below) for each in value], visits)
    if isinstance(value, dict):
        return _Object({name: _counting(each, visits, below) for name, each in value.items()}, visits)
    return value


def _too_slow() -> Failure:
    return Failure("assert.json", f"the patterns of a JSONPath took longer than {PATTERN_SECONDS:g} s")


def _too_deep() -> Failure:
    return Failure("decode.json", f"the JSON document is nested deeper than {MAX_DEPTH} levels")
