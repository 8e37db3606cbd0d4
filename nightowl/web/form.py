"""The form of a check: its fields as a table, and the way between a definition and what is typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from starlette.datastructures import FormData

from nightowl.core.errors import Mistake
from nightowl.web.masking import mask
from nightowl.web.written import (
    odd_line,
    read_json,
    read_list,
    read_number,
    read_pairs,
    read_switch,
    write_json,
    write_list,
    write_pairs,
    write_switch,
)

Kind = Literal["line", "number", "lines", "choice", "places", "hidden"]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field: its dotted key in a ``[check.NAME]`` table, how it is asked for, and what stands without it.

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


RECORDS = ("A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NS", "PTR", "SOA", "SRV", "TLSA", "TXT")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

GROUPS: tuple[tuple[str, tuple[Field, ...]], ...] = (
    (
        "What to test",
        (
            Field(
                key="url", label="URL", wide=True,
                hint="https://, http://, tcp://host:port, tls://host:port, dns://name, icmp://host, smtp://host",
                must="Give a URL, such as https://shop.example/login.",
            ),
            Field(key="kind", label="Kind", hint="Only for celery; else it follows from the URL"),
            Field(key="method", label="Method", kind="choice", default="GET", choices=METHODS),
            Field(
                key="headers", label="Headers", kind="lines", hint="One a line: Name: value",
                mark=":", read=read_pairs(":"), write=write_pairs(": "),
            ),
            Field(key="body", label="Body", kind="lines", hint="What to send"),
            Field(key="auth.basic", label="User and password", hint="user:password, sent by HTTP Basic"),
            Field(key="auth.bearer", label="Bearer token", hint="Sent as Authorization: Bearer"),
            Field(
                key="redirects", label="Redirects", kind="number", default="5", read=read_number,
                hint="The most that are followed; 0: none is",
            ),
            Field(
                key="verify", label="Certificate must be valid", kind="choice", default="yes", choices=("yes", "no"),
                read=read_switch, write=write_switch,
            ),
            Field(key="family", label="IP version", kind="choice", default="any", choices=("any", "4", "6")),
            Field(key="send", label="Say first", hint="tcp only: what to send after connecting"),
            Field(key="queue", label="Queue", default="celery", hint="celery only: the queue of the canary"),
            Field(key="record", label="Record", kind="choice", default="A", choices=RECORDS, hint="dns only"),
            Field(key="resolver", label="Name server", hint="dns only; without it the machine's own"),
            Field(
                key="starttls", label="STARTTLS", kind="choice", default="offered", hint="smtp only",
                choices=("offered", "required", "never"),
            ),
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
            Field(key="attempt_gap", label="Pause between attempts", hint="A duration: 500ms; without it none"),
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
            Field(key="expect.regex", label="Body matches", hint="A regular expression that must be found"),
            Field(
                key="expect.json", label="JSON has", kind="lines", hint="One a line: $.ok = true",
                mark="=", read=read_pairs("=", read_json), write=write_pairs(" = ", write_json),
            ),
            Field(
                key="expect.header", label="Headers contain", kind="lines", hint="One a line: Name: text",
                mark=":", read=read_pairs(":"), write=write_pairs(": "),
            ),
            Field(key="expect.banner", label="Peer says", hint="tcp and smtp"),
            Field(
                key="expect.tls", label="TLS at least", kind="choice", choices=("", "1.2", "1.3"), hint="tls and smtp",
            ),
            Field(
                key="expect.answers", label="Answers have", kind="lines", hint="dns only, one a line: 192.0.2.1",
                read=str.splitlines, write="\n".join,
            ),
            Field(key="warn.duration", label="Degraded when slower than", hint="A duration: 2s"),
            Field(key="warn.certificate", label="Degraded when the certificate ends within", hint="A duration: 14d"),
        ),
    ),
    (
        "When to say so",
        (
            Field(
                key="quorum", label="Locations that must say down", kind="number", read=read_number,
                hint="Without it: more than half of those that answered",
            ),
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
            Field(
                key="tags", label="Tags", kind="lines", hint="One a line: team=shop",
                mark="=", read=read_pairs("="), write=write_pairs("="),
            ),
            Field(key="runbook", label="Runbook", hint="A page that says what to do"),
        ),
    ),
)  # fmt: skip

FIELDS = tuple(field for _, fields in GROUPS for field in fields)

HEARTBEAT = "heartbeat"
"""The kind whose checks have a form of their own: a job calls, nothing is tried."""

_SHARED = {field.key: field for field in FIELDS}

HEARTBEAT_GROUPS: tuple[tuple[str, tuple[Field, ...]], ...] = (
    (
        "When the job calls",
        (
            Field(key="kind", label="Kind", kind="hidden"),
            Field(
                key="every", label="Every", hint="From one call to the next: 1h, 1d; empty where cron says when",
                must="Give either an interval, such as 1h, or a cron expression.",
            ),
            Field(key="cron", label="Cron", hint="As in the job's crontab: 0 3 * * *"),
            Field(key="timezone", label="Time zone", default="UTC", hint="That cron is meant in: Europe/Paris"),
            Field(key="grace", label="Grace", default="5m", hint="How late a call may be, and how long a run may take"),
        ),
    ),
    (
        "When to say so",
        (
            Field(
                key="down_after", label="Failures before an incident opens", kind="number", default="1",
                read=read_number,
            ),
            *(_SHARED[key] for key in ("up_after", "severity", "tags", "runbook")),
        ),
    ),
)  # fmt: skip


def groups_of(kind: Any) -> tuple[tuple[str, tuple[Field, ...]], ...]:
    """The fields of the checks of a kind, in their groups."""
    return HEARTBEAT_GROUPS if kind == HEARTBEAT else GROUPS


def fields_of(kind: Any) -> list[Field]:
    """The same without the groups."""
    return [field for _, fields in groups_of(kind) for field in fields]


def typed(form: FormData) -> dict[str, str]:
    """What was typed, by field; several choices with commas."""
    fields = fields_of(form.get("kind"))
    return {field.key: ",".join(str(value) for value in form.getlist(field.key)).strip() for field in fields}


def to_text(spec: Mapping[str, Any], kind: Any = None) -> dict[str, str]:
    """A definition as the form shows it; ``kind`` where it is not (yet) the definition's own."""
    shown = {}
    for field in fields_of(kind or spec.get("kind")):
        value = _get(spec, field.key)
        write = write_list if field.kind == "places" else field.write
        shown[field.key] = field.default if value is None else write(value)
    return shown


def to_spec(values: Mapping[str, str], base: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed as a definition; what was not touched, and keys of ``base`` that have no field, stay exactly."""
    spec: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(base))
    kind = values.get("kind")
    shown = to_text(mask(base), kind)
    for field in fields_of(kind):
        text = values[field.key].replace("\r\n", "\n")
        if text == shown[field.key].strip():
            continue
        given = text not in ("", field.default)
        _set(spec, field.key, field.read(text) if given else None)
    return spec


def kept(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of a definition that have no field, dotted: editing leaves them as they are."""
    fields = fields_of(spec.get("kind"))
    known = {field.key for field in fields} | {"paused"}
    tables = {field.key.partition(".")[0] for field in fields if "." in field.key}
    keys = [
        dotted
        for key, value in spec.items()
        for dotted in ([f"{key}.{inner}" for inner in value] if key in tables and isinstance(value, Mapping) else [key])
    ]
    return tuple(key for key in keys if key not in known)


_PREFIX = re.compile(r'check\.("(?:[^"\\]|\\.)*"|[^.\[]*)\.?')


def by_field(mistakes: Sequence[Mistake], values: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Sort mistakes to the fields that they are about, the name's under ``name``; what belongs to none comes second."""
    errors: dict[str, str] = {}
    others = []
    fields = fields_of(values.get("kind"))
    for mistake in mistakes:
        key = _PREFIX.sub("", mistake.key, count=1)
        field = next((f for f in fields if key == f.key or key.startswith((f"{f.key}.", f"{f.key}["))), None)
        if not key:
            errors["name"] = f"This cannot be a name. Allowed: {mistake.allowed}."
        elif field is None:
            others.append(str(mistake))
        else:
            errors[field.key] = _told(field, values[field.key], mistake)
    return errors, others


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
