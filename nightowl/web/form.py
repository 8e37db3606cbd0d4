"""The form of a check: its fields as a table, and the way between a definition and what is typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.datastructures import FormData

from nightowl.core.errors import Mistake
from nightowl.web import fields
from nightowl.web.fields import Field, Groups
from nightowl.web.masking import mask
from nightowl.web.written import (
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

RECORDS = ("A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NS", "PTR", "SOA", "SRV", "TLSA", "TXT")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

GROUPS: Groups = (
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

FIELDS = tuple(field for _, inside in GROUPS for field in inside)

HEARTBEAT = "heartbeat"
"""The kind whose checks have a form of their own: a job calls, nothing is tried."""

_SHARED = {field.key: field for field in FIELDS}

HEARTBEAT_GROUPS: Groups = (
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

TASK = "task"
"""The kind whose checks follow a task of a watched cluster."""

TASK_GROUPS: Groups = (
    (
        "When the task runs",
        (
            Field(key="kind", label="Kind", kind="hidden"),
            Field(
                key="cluster", label="Cluster", hint="The watched cluster that it runs in, as [cluster.NAME] calls it",
                must="Give the cluster that the task runs in.",
            ),
            Field(
                key="task", label="Task", hint="Its name, or a shell pattern: shop.reports.*",
                must="Give the task's name, such as shop.reports.nightly.",
            ),
            Field(
                key="every", label="Every", hint="From one start to the next: 1h, 1d; empty where cron says when",
                must="Give either an interval, such as 1h, or a cron expression.",
            ),
            Field(key="cron", label="Cron", hint="As in a crontab: 0 3 * * *"),
            Field(key="timezone", label="Time zone", default="UTC", hint="That cron is meant in: Europe/Paris"),
            Field(key="grace", label="Grace", default="5m", hint="How late it may start"),
            Field(key="max_runtime", label="Longest run", hint="A duration: 30m; without it as long as it likes"),
        ),
    ),
    HEARTBEAT_GROUPS[1],
)  # fmt: skip


def groups_of(kind: Any) -> Groups:
    """The fields of the checks of a kind, in their groups."""
    return {HEARTBEAT: HEARTBEAT_GROUPS, TASK: TASK_GROUPS}.get(kind, GROUPS)


def fields_of(kind: Any) -> list[Field]:
    """The same without the groups."""
    return [field for _, inside in groups_of(kind) for field in inside]


def typed(form: FormData) -> dict[str, str]:
    """What was typed, by field; several choices with commas."""
    return fields.typed(fields_of(form.get("kind")), form)


def to_text(spec: Mapping[str, Any], kind: Any = None) -> dict[str, str]:
    """A definition as the form shows it; ``kind`` where it is not (yet) the definition's own."""
    return fields.to_text(fields_of(kind or spec.get("kind")), spec)


def to_spec(values: Mapping[str, str], base: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed as a definition; what was not touched, and keys of ``base`` that have no field, stay exactly."""
    kind = values.get("kind")
    return fields.to_spec(fields_of(kind), values, base, to_text(mask(base), kind))


def kept(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of a definition that have no field, dotted: editing leaves them as they are."""
    return tuple(key for key in fields.kept(fields_of(spec.get("kind")), spec) if key != "paused")


def by_field(mistakes: Sequence[Mistake], values: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Sort mistakes to the fields that they are about, the name's under ``name``; what belongs to none comes second."""
    return fields.by_field(fields_of(values.get("kind")), mistakes, values)
