"""The form of a check: its fields as a table, and the way between a definition and what is typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from starlette.datastructures import FormData

from nightowl.core.errors import Mistake

Kind = Literal["line", "number", "lines", "choice", "places"]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field: its dotted key in a ``[check.NAME]`` table, how it is asked for, and what stands without it.

    ``read`` turns what was typed into the key's value; ``write`` turns it back.
    """

    key: str
    label: str
    hint: str = ""
    kind: Kind = "line"
    default: str = ""
    choices: tuple[str, ...] = ()
    wide: bool = False
    read: Callable[[str], Any] = str
    write: Callable[[Any], str] = str


def read_number(text: str) -> Any:
    """A whole number, or the text itself, which is then refused by name."""
    return int(text) if text.isdecimal() and len(text) < 10 else text


def read_headers(text: str) -> dict[str, str]:
    """Lines of ``Name: value``."""
    return _pairs(text.splitlines(), ":")


def write_headers(headers: Any) -> str:
    """Headers as lines."""
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


def read_tags(text: str) -> dict[str, str]:
    """``name=value`` by commas or spaces."""
    return _pairs(text.replace(",", " ").split(), "=")


def write_tags(tags: Any) -> str:
    """Tags as one line."""
    return ", ".join(f"{name}={value}" for name, value in tags.items())


def read_list(text: str) -> list[Any]:
    """Items by commas; whole numbers as such."""
    return [read_number(item.strip()) for item in text.split(",") if item.strip()]


def write_list(items: Any) -> str:
    """Items with commas."""
    return ", ".join(map(str, items)) if isinstance(items, list | tuple) else str(items)


def _pairs(items: Iterable[str], mark: str) -> dict[str, str]:
    split = (item.partition(mark) for item in items if item.strip())
    return {name.strip(): value.strip() for name, _, value in split}


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

GROUPS: tuple[tuple[str, tuple[Field, ...]], ...] = (
    (
        "What to test",
        (
            Field(key="url", label="URL", hint="https://, http:// or tcp://host:port", wide=True),
            Field(key="method", label="Method", kind="choice", default="GET", choices=METHODS),
            Field(
                key="headers", label="Headers", kind="lines", hint="One a line: Name: value",
                read=read_headers, write=write_headers,
            ),
            Field(key="body", label="Body", kind="lines", hint="What to send"),
            Field(key="auth.basic", label="User and password", hint="user:password, sent by HTTP Basic"),
            Field(key="auth.bearer", label="Bearer token", hint="Sent as Authorization: Bearer"),
        ),
    ),
    (
        "How often, and from where",
        (
            Field(key="every", label="Every", default="1m", hint="1m, 5m, 1h; all attempts must fit into it"),
            Field(key="timeout", label="Timeout", default="10s", hint="Of one attempt as a whole"),
            Field(
                key="attempts", label="Attempts", kind="number", default="3", read=read_number,
                hint="Of each location in a round; the fastest good one counts",
            ),
            Field(key="locations", label="Locations", kind="places", hint="None chosen: all", read=read_list),
        ),
    ),
    (
        "What a good answer is",
        (
            Field(
                key="expect.status", label="Status", default="200-299", hint="Codes and ranges: 200-299, 404",
                read=read_list, write=write_list,
            ),
            Field(key="expect.body", label="Body contains"),
            Field(key="expect.not_body", label="Body does not contain"),
            Field(key="expect.banner", label="Peer says", hint="tcp only"),
            Field(key="warn.duration", label="Degraded when slower than", hint="A duration: 2s"),
            Field(key="warn.certificate", label="Degraded when the certificate ends within", hint="A duration: 14d"),
        ),
    ),
    (
        "When to say so",
        (
            Field(
                key="down_after", label="Rounds down before an incident opens", kind="number", default="2",
                read=read_number,
            ),
            Field(
                key="up_after", label="Rounds up before it closes", kind="number", default="1", read=read_number,
            ),
            Field(
                key="severity", label="Severity", kind="choice", default="critical",
                choices=("critical", "warning", "info"),
            ),
            Field(key="tags", label="Tags", hint="team=shop, region=eu", read=read_tags, write=write_tags),
            Field(key="runbook", label="Runbook", hint="A page that says what to do"),
        ),
    ),
)  # fmt: skip

FIELDS = tuple(field for _, fields in GROUPS for field in fields)


def typed(form: FormData) -> dict[str, str]:
    """What was typed, by field; several choices with commas."""
    return {field.key: ",".join(str(value) for value in form.getlist(field.key)).strip() for field in FIELDS}


def to_text(spec: Mapping[str, Any]) -> dict[str, str]:
    """A definition as the form shows it."""
    shown = {}
    for field in FIELDS:
        value = _get(spec, field.key)
        write = write_list if field.kind == "places" else field.write
        shown[field.key] = field.default if value is None else write(value)
    return shown


def to_spec(values: Mapping[str, str], base: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed as a definition; keys of ``base`` that the form does not know stay."""
    spec: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(base))
    for field in FIELDS:
        text = values[field.key].replace("\r\n", "\n")
        given = text not in ("", field.default)
        _set(spec, field.key, field.read(text) if given else None)
    return spec


def by_field(mistakes: Sequence[Mistake]) -> tuple[dict[str, str], list[str]]:
    """Sort mistakes to the fields that they are about; what belongs to none comes second."""
    errors: dict[str, str] = {}
    others = []
    for mistake in mistakes:
        key = ".".join(mistake.key.split(".")[2:]) if mistake.key.startswith("check.") else mistake.key
        field = next((f.key for f in FIELDS if key == f.key or key.startswith((f"{f.key}.", f"{f.key}["))), None)
        if field is None:
            others.append(str(mistake))
        else:
            errors[field] = f"{mistake.found} does not work. Allowed: {mistake.allowed}."
    return errors, others


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
