"""Renders the reference of all configuration keys, in Markdown, from the models."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from nightowl.config.fields import Seconds, Shape, Whole
from nightowl.config.models import BY_KIND, NAMED, SINGLE
from nightowl.config.models.table import Table
from nightowl.config.numbered import NUMBERED
from nightowl.config.refusals import table_in
from nightowl.config.units import format_duration, format_status

_PLAIN = {str: "text", int: "whole number", float: "number", bool: "true, false"}


def render() -> str:
    """Return the reference: a section for each table, then the numbered checks."""
    return "\n\n".join([*_sections(), _numbered()]) + "\n"


def _sections() -> Iterator[str]:
    for table, model in SINGLE.items():
        yield from _section(table, model)
    for table, named in NAMED.items():
        if table == "template":
            yield f"### `[template.NAME]`\n\n{_paragraph(named)} All keys of `[check.NAME]` but `use`."
        elif named:
            yield from _section(f"{table}.NAME", named)
        else:
            for kind, model in BY_KIND[table].items():
                yield from _section(f"{table}.NAME", model, f' of kind "{kind}"')


def _section(table: str, model: type[Table], which: str = "") -> Iterator[str]:
    """Yield the section of a table, and those of the tables inside it; ``which`` tells it from others of the name."""
    rows = [_row(field.alias or name, field) for name, field in model.model_fields.items()]
    head = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"] if rows else []
    yield "\n".join([f"### `[{table}]{which}`", "", _paragraph(model), *([""] if rows else []), *head, *rows])
    for inner, keys in _inside(model).items():
        yield from _section(f"{table}.{' | '.join(keys)}", inner, which)


def _inside(model: type[Table]) -> dict[type[Table], list[str]]:
    """Return the tables inside one, with the keys under which they stand: what looks the same is told once."""
    found: dict[type[Table], list[str]] = {}
    for name, field in model.model_fields.items():
        if inner := table_in(field.annotation):
            found.setdefault(inner, []).append(field.alias or name)
    return found


def _paragraph(model: type[Table] | None) -> str:
    return " ".join(inspect.cleandoc(model.__doc__ or "").split()) if model else ""


def _row(key: str, field: FieldInfo) -> str:
    cells = (f"`{key}`", kind_of(field), _default(field), field.description or "")
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def kind_of(field: FieldInfo) -> str:
    """Return in words what a key's values are."""
    return _kind(field.annotation, field.metadata)


def _kind(annotation: Any, metadata: Any) -> str:
    if marked := next(filter(None, map(_mark, metadata)), ""):
        return marked
    if hasattr(annotation, "__metadata__"):
        return _kind(get_args(annotation)[0], annotation.__metadata__)
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    if get_origin(annotation) is list:
        return f"list: {_kind(get_args(annotation)[0], ())}"
    inner = [one for one in get_args(annotation) if one is not NoneType]
    return _kind(inner[0], ()) if inner else _PLAIN.get(annotation, "table")


def _mark(mark: Any) -> str:
    """Return what an annotation says of values; empty: nothing."""
    match mark:
        case Shape():
            return mark.text
        case Whole():
            return f"{mark.at_least} to {mark.at_most}"
        case Seconds():
            low = f" from {format_duration(mark.at_least)}" if mark.at_least else ""
            high = f" to {format_duration(mark.at_most)}" if mark.at_most < Seconds().at_most else ""
            return f"duration{low}{high}"
    return ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value in (None, "", [], {}) or isinstance(value, Table):
        return ""
    if any(isinstance(mark, Seconds) for mark in field.metadata):
        return f'`"{format_duration(value)}"`'
    if isinstance(value, tuple):
        value = [format_status(one) for one in value]
    return f"`{json.dumps(value)}`"


def _numbered() -> str:
    rows = [f"| {number} | {text} |" for number, text in NUMBERED.items()]
    intro = "What is well-formed and still cannot work is refused with a number; hints do not keep it from loading."
    return "\n".join(["### Numbered checks", "", intro, "", "| number | meaning |", "| --- | --- |", *rows])
