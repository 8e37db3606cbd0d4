"""Templates that people write for messages: a part of Jinja2 in which nothing can run away.

A template is somebody's text that runs in NightOwl's process, so what it may do is listed, not what it may not: put
values in, choose, walk through lists, use the filters of ``template_filters``. There are no calls and no attributes of
Python objects, so nothing can be reached but the values given. What is left ends by itself, and a *meter* bounds how
long that takes: each round of a loop costs the size of its body, each filter the length of its text. The meter counts
work instead of time, so that a template that was proven once also works on a slow day.

https://jinja.palletsprojects.com/en/stable/templates/ and .../sandbox/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, wraps
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, Undefined, nodes, pass_context
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from nightowl.core.errors import TemplateFailed
from nightowl.core.template_filters import FILTERS

LONGEST = 16_384
"""Characters of a template at most."""

LARGEST = 65_536
"""Characters of a text that a template makes at most, in all and in between."""

WORK = 200_000
"""What rendering may cost: about one for each part of a template that is run, a fraction of a second in all."""

_CHARACTERS = 16
"""Characters that a filter handles for the cost of one."""

_LOOP = ("index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0")
_PARTS = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign,
    nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.Getattr, nodes.Getitem, nodes.Slice,
    nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.CondExpr,
    nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos, nodes.Add, nodes.Sub, nodes.Concat, nodes.Keyword,
)  # fmt: skip
_CALLED = {"Call": "calls", "Mul": "*", "Pow": "**", "Mod": "%", "Div": "/", "FloorDiv": "//", "Dict": "{...}"}
_TESTS = ("defined", "undefined", "none", "string", "number", "odd", "even", "in", "eq", "ne", "lt", "le", "gt", "ge")
_METER, _EACH, _JOINED = "_meter", "_each", "_joined"

Escape = Callable[[str], str]
"""Makes a value fit to stand in the text around it."""


class Missing(dict[str, str]):
    """A table of names that may be missing: one that is reads as an empty text."""


class Compiled:
    """A template that is fit to be rendered, any number of times and by several threads.

    Raises:
        TemplateFailed: it is no template, or does what templates may not.
    """

    def __init__(self, text: str, escape: Escape = str) -> None:
        if len(text) > LONGEST:
            raise TemplateFailed(f"it has {len(text)} characters, and may have {LONGEST}")
        environment = _environment(escape)
        try:
            tree = environment.parse(text)
            _refuse(tree)
            self.names = frozenset(find_undeclared_variables(tree))
            self._template = Template.from_code(environment, environment.compile(_metered(tree)), {})
        except TemplateError as error:
            line = getattr(error, "lineno", None)
            raise TemplateFailed(f"line {line}: {error.message}" if line else str(error.message)) from None
        except ValueError as error:  # a number of thousands of digits
            raise TemplateFailed(str(error)) from None
        except (RecursionError, SyntaxError, MemoryError):  # parts within parts within parts
            raise TemplateFailed("its parts stand too deep in one another") from None

    def render(self, values: Mapping[str, Any]) -> str:
        """Return the text.

        Raises:
            TemplateFailed: a value is missing, or is not of the kind that a filter takes, or a bound was met.
        """
        pieces, size = [], 0
        try:
            for piece in self._template.generate(**values, **{_METER: _Meter()}):
                size += len(piece)
                if size > LARGEST:
                    raise TemplateFailed(f"it makes more than {LARGEST} characters")
                pieces.append(piece)
        except TemplateError as error:
            raise TemplateFailed(str(error.message)) from None
        except (TypeError, ValueError, ArithmeticError, LookupError, RecursionError, OSError) as error:
            raise TemplateFailed(f"{type(error).__name__}: {error}") from None
        return "".join(pieces)


@lru_cache(maxsize=256)
def compiled(text: str, escape: Escape = str) -> Compiled:
    """Return a template, remembered. Raises ``TemplateFailed``."""
    return Compiled(text, escape)


class _Meter:
    """What is left of the work that one rendering may do."""

    def __init__(self) -> None:
        self._left = WORK

    def spend(self, amount: int) -> None:
        """Take off what something costs."""
        self._left -= amount
        if self._left < 0:
            raise TemplateFailed("it takes too long: its loops go round too often")


class _Environment(ImmutableSandboxedEnvironment):
    """Knows tables, lists and texts only; no value's own attributes can be seen at all."""

    intercepted_binops = frozenset({"+", "-"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined):
            return obj
        if isinstance(obj, Missing):
            return obj.get(str(argument), "")
        if isinstance(obj, dict) and isinstance(argument, str):
            there_are = f"there are {', '.join(obj)}"
            return obj[argument] if argument in obj else self._nothing(f"there is no {argument!r}; {there_are}")
        if isinstance(obj, str | list | tuple) and isinstance(argument, int | slice):
            try:
                return obj[argument]
            except IndexError:
                return self._nothing(f"there is no item {argument}")
        return self._nothing(f"nothing has {argument!r}")

    def _nothing(self, hint: str) -> Undefined:
        return self.undefined(hint)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return _joined(context, [left, right])
        if not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise TemplateFailed(f"{operator} stands between numbers, or + between texts")
        return left + right if operator == "+" else left - right


def _environment(escape: Escape) -> _Environment:
    environment = _Environment(
        undefined=StrictUndefined, finalize=_shown(escape), optimized=False, cache_size=0, keep_trailing_newline=False
    )
    environment.globals.clear()
    environment.filters.clear()
    environment.filters.update({name: _costing(name, made) for name, made in FILTERS.items()})
    environment.filters[_EACH] = _each
    environment.filters[_JOINED] = _joined
    environment.tests = {name: test for name, test in environment.tests.items() if name in _TESTS}
    return environment


def _shown(escape: Escape) -> Callable[[Any], str]:
    """Return what puts a value into the text."""

    def show(value: Any) -> str:
        if value is None:
            return ""
        if not isinstance(value, str | int | float | Undefined):
            raise TemplateFailed("a table or a list has no text of its own; use a loop, | join or | tojson")
        return escape(str(value))  # which raises where there is no value

    return show


def _refuse(tree: nodes.Template) -> None:
    """Raise ``TemplateFailed`` for the first part that templates do not have."""
    targets = {id(loop.target) for loop in tree.find_all(nodes.For)}
    for part in _parts(tree):
        if problem := _problem(part, is_target=id(part) in targets):
            raise TemplateFailed(f"line {part.lineno}: {problem}")


def _parts(tree: nodes.Node) -> Iterator[nodes.Node]:
    """Yield a part and all below it; the depth is bounded by the parser's own."""
    yield tree
    for below in tree.iter_child_nodes():
        yield from _parts(below)


def _problem(part: nodes.Node, *, is_target: bool) -> str:
    """Say why a part may not stand in a template (empty: it may)."""
    if not isinstance(part, _PARTS):
        name = type(part).__name__
        return f"templates have no {_CALLED.get(name, name.lower())}"
    if isinstance(part, nodes.Filter | nodes.Test):
        return _filter_problem(part)
    if isinstance(part, nodes.List | nodes.Tuple) and not is_target and not _is_plain(part.items):
        return "a list can be made of texts and numbers only"
    if isinstance(part, nodes.For) and part.recursive:
        return "a loop cannot be recursive"
    if isinstance(part, nodes.Assign) and not isinstance(part.target, nodes.Name):
        return "set takes one name"
    return ""


def _filter_problem(part: nodes.Filter | nodes.Test) -> str:
    what, known = ("filter", sorted(FILTERS)) if isinstance(part, nodes.Filter) else ("test", list(_TESTS))
    if part.name not in known:
        return f"there is no {what} {part.name}; there are {', '.join(known)}"
    return "arguments cannot be unpacked" if part.dyn_args or part.dyn_kwargs else ""


def _is_plain(items: Iterable[nodes.Expr]) -> bool:
    return all(isinstance(item, nodes.Const) for item in items)


def _metered(tree: nodes.Template) -> nodes.Template:
    """Let each loop of a tree count its rounds, and each ``~`` its text."""
    for loop in list(tree.find_all(nodes.For)):
        weight = nodes.Const(sum(1 for _ in _parts(loop)))
        loop.iter = nodes.Filter(loop.iter, _EACH, [weight], [], None, None).set_lineno(loop.lineno)
    for part in list(_parts(tree)):
        for field, value in list(part.iter_fields()):
            setattr(part, field, _joining(value))
    assert tree.environment is not None, "it was parsed by one"
    tree.set_environment(tree.environment)
    return tree


def _joining(value: Any) -> Any:
    if isinstance(value, list):
        return [_joining(item) for item in value]
    if not isinstance(value, nodes.Concat):
        return value
    texts = nodes.List([_joining(item) for item in value.nodes])
    return nodes.Filter(texts, _JOINED, [], [], None, None).set_lineno(value.lineno)


@pass_context
def _each(context: Context, items: Any, weight: int) -> Iterator[Any]:
    """Yield what a loop walks through."""
    meter: _Meter = context.parent[_METER]
    if not isinstance(items, dict | list | tuple | str):
        raise TemplateFailed("a loop walks through a list or a table")
    for item in items:
        meter.spend(weight)
        yield item


@pass_context
def _joined(context: Context, texts: list[Any]) -> str:
    """Return what ``~`` and ``+`` make of texts."""
    text: str = _within(context, "".join(_shown(str)(text) for text in texts))
    return text


def _costing(name: str, made: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that counts what it costs, and says what it cannot take."""

    @pass_context
    @wraps(made)
    def run(context: Context, value: Any, *arguments: Any, **named: Any) -> Any:
        if isinstance(value, Undefined) and name != "default":
            str(value)  # raises, and says what there is not
        try:
            return _within(context, made(value, *arguments, **named))
        except TypeError as error:
            said = str(error).replace("<lambda>", name)
            raise TemplateFailed(f"the filter {name} does not take that: {said}") from None

    return run


def _within(context: Context, result: Any) -> Any:
    """Return what was made, after counting it; raise where it is too large."""
    meter: _Meter = context.parent[_METER]
    size = len(result) if isinstance(result, str | list | tuple | dict) else 0
    meter.spend(1 + size // _CHARACTERS)
    if size > LARGEST:
        raise TemplateFailed(f"it makes a text of more than {LARGEST} characters")
    return result
