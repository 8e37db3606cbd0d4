"""Forms of objects that a table of the configuration defines: their fields, and the way between table and text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from starlette.datastructures import FormData

from nightowl.core.errors import Mistake
from nightowl.web.written import odd_line, write_list

Kind = Literal["line", "number", "lines", "choice", "places", "hidden"]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field: its dotted key in the table of an object, how it is asked for, and what stands without it.

    ``read`` turns what was typed into the key's value; ``write`` turns it back. ``mark`` parts name and value in each
    line of a field that takes pairs. ``must`` says in its own words what the field cannot be without.
    """

    key: str
    label: str
    hint: str = ""
    kind: Kind = "line"
    default: str = ""
    choices: tuple[str, ...] = ()
    wide: bool = False
    mark: str = ""
    must: str = ""
    read: Callable[[str], Any] = str
    write: Callable[[Any], str] = str


Fields = Sequence[Field]

Groups = tuple[tuple[str, tuple[Field, ...]], ...]
"""Fields under titles."""


def typed(fields: Fields, form: FormData) -> dict[str, str]:
    """What was typed, by field; several choices with commas."""
    return {field.key: ",".join(str(value) for value in form.getlist(field.key)).strip() for field in fields}


def to_text(fields: Fields, spec: Mapping[str, Any]) -> dict[str, str]:
    """A definition as its form shows it."""
    shown = {}
    for field in fields:
        value = _get(spec, field.key)
        write = write_list if field.kind == "places" else field.write
        shown[field.key] = field.default if value is None else write(value)
    return shown


def to_spec(
    fields: Fields, values: Mapping[str, str], base: Mapping[str, Any], shown: Mapping[str, str]
) -> dict[str, Any]:
    """What was typed as a definition; what is as it was ``shown``, and keys of ``base`` without a field, stay."""
    spec: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(base))
    for field in fields:
        text = values[field.key].replace("\r\n", "\n")
        if text == shown[field.key].strip():
            continue
        given = text not in ("", field.default)
        _set(spec, field.key, field.read(text) if given else None)
    return spec


def kept(fields: Fields, spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of a definition that have no field, dotted: editing leaves them as they are."""
    known = {field.key for field in fields}
    tables = {field.key.partition(".")[0] for field in fields if "." in field.key}
    keys = [
        dotted
        for key, value in spec.items()
        for dotted in ([f"{key}.{inner}" for inner in value] if key in tables and isinstance(value, Mapping) else [key])
    ]
    return tuple(key for key in keys if key not in known)


_PREFIX = re.compile(r'[a-z]+\.("(?:[^"\\]|\\.)*"|[^.\[]*)\.?')
"""The table of an object, before its own keys: ``check.shop.``."""


def by_field(
    fields: Fields, mistakes: Sequence[Mistake], values: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Sort mistakes to the fields that they are about, the name's under ``name``; what belongs to none comes second."""
    errors: dict[str, str] = {}
    others = []
    for mistake in mistakes:
        key = _PREFIX.sub("", mistake.key, count=1)
        about = [field for field in fields if key and _is_about(field.key, key)]
        field = max(about, key=lambda each: bool(each.must), default=None)
        if not key:
            errors["name"] = f"This cannot be a name. Allowed: {mistake.allowed}."
        elif field is None:
            others.append(str(mistake))
        else:
            errors[field.key] = _told(field, values[field.key], mistake)
    return errors, others


def _is_about(field: str, key: str) -> bool:
    """Whether a mistake at ``key`` belongs to a field: at its key, in its value, or of the table around it."""
    return key == field or key.startswith((f"{field}.", f"{field}[")) or field.startswith(f"{key}.")


def _told(field: Field, text: str, mistake: Mistake) -> str:
    """A mistake as it reads beside its field: of what was typed, rather than of what was made of it."""
    odd = odd_line(text, field.mark) if field.mark else ""
    if not text and field.must:
        return field.must
    if odd:
        return f'The line "{odd}" does not work. {field.hint}, each name once.'
    return f"{'This' if field.kind == 'lines' or not text else text} does not work. Allowed: {mistake.allowed}."


def _get(spec: Mapping[str, Any], key: str) -> Any:
    table, _, last = key.rpartition(".")
    return (spec.get(table) or {}).get(last) if table else spec.get(last)


def _set(spec: dict[str, Any], key: str, value: Any) -> None:
    """Put a value at its key, or take the key away, and a table that is then empty."""
    table, _, last = key.rpartition(".")
    inner = spec.setdefault(table, {}) if table else spec
    if value is None:
        inner.pop(last, None)
    else:
        inner[last] = value
    if table and not inner:
        del spec[table]
