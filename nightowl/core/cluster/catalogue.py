"""The commands that may be sent to a cluster: what each takes, who may send it, and how the audit tells it.

=====================  ==========================================================================
a viewer               none
an operator            looks (``reads``), pools, consumers, limits, events, revoking, sending and
                       retrying tasks
an admin               what ends work under way or deletes it: shutting down, restarting a pool,
                       terminating, purging a queue
=====================  ==========================================================================

What loses work, or leaves a queue without its consumers, is dangerous: it must be confirmed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from nightowl.core.cluster.parameters import (
    MOST_PROCESSES,
    Parameter,
    delay,
    flag,
    moment,
    moment_or_span,
    name,
    names,
    rate,
    seconds,
    signal,
    stamps,
    whole,
)
from nightowl.core.values import Role

_TOLD = 200
"""Characters of a value that the audit tells."""


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a command. ``says`` tells it, from its arguments, as a sentence without its subject.

    ``reads``: it changes nothing. ``answers``: workers reply to it. ``harsh`` names the argument that, where it is
    true, makes it dangerous and a matter for an admin.
    """

    name: str
    says: Callable[[Mapping[str, Any]], str]
    parameters: tuple[Parameter, ...] = ()
    role: Role = "operator"
    dangerous: bool = False
    reads: bool = False
    answers: bool = True
    harsh: str = ""


def _looks(name_: str, what: str, *parameters: Parameter) -> Spec:
    return Spec(name=name_, says=lambda _: f"look at {what}", parameters=parameters, reads=True)


def short(value: Any) -> str:
    """A value as text, cut where it is long."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _TOLD else f"{text[:_TOLD]}..."


def _revoking(arguments: Mapping[str, Any]) -> str:
    end = f" and end it with {arguments.get('signal', 'SIGTERM')}" if arguments.get("terminate") else ""
    return f"revoke {short(arguments.get('task_id', arguments.get('headers', '')))}{end}"


_TERMINATE = (Parameter("terminate", flag, required=False), Parameter("signal", signal, required=False))
_COUNT = Parameter("n", whole(1, MOST_PROCESSES))
_TASK = Parameter("task", name, wire="task_name")
_IDS = Parameter("ids", names)

_SENDING = (
    Parameter("queue", name, required=False),
    Parameter("exchange", name, required=False),
    Parameter("routing_key", name, required=False),
    Parameter("priority", whole(0, 255), required=False),
    Parameter("countdown", delay, required=False),
    Parameter("eta", moment, required=False),
    Parameter("expires", moment_or_span, required=False),
    Parameter("task_id", name, required=False),
    Parameter("time_limit", seconds, required=False),
    Parameter("soft_time_limit", seconds, required=False),
    Parameter("root_id", name, required=False),
    Parameter("parent_id", name, required=False),
    Parameter("group_id", name, required=False),
    Parameter("shadow", name, required=False),
    Parameter("ignore_result", flag, required=False),
)
"""Options of Celery's ``send_task`` that are passed on."""

_ALL = (
    Spec(name="ping", says=lambda _: "ping", reads=True),
    _looks("stats", "statistics"),
    _looks("active", "running tasks"),
    _looks("scheduled", "tasks that are not due yet"),
    _looks("reserved", "tasks that wait in workers"),
    _looks("revoked", "ids of revoked tasks"),
    _looks("active_queues", "consumed queues"),
    _looks("registered", "registered tasks"),
    _looks("conf", "settings", Parameter("with_defaults", flag, required=False)),
    _looks("query_task", "tasks by their ids", _IDS),
    _looks("report", "versions and settings"),
    _looks("memsample", "memory"),
    _looks("clock", "the logical clock"),
    Spec(name="heartbeat", says=lambda _: "send a heartbeat", reads=True, answers=False),
    Spec(name="shutdown", says=lambda _: "shut down", role="admin", dangerous=True, answers=False),
    Spec(name="pool_restart", says=lambda _: "restart the pool", role="admin", dangerous=True),
    Spec(name="pool_grow", says=lambda given: f"grow the pool by {given['n']}", parameters=(_COUNT,)),
    Spec(
        name="pool_shrink", says=lambda given: f"shrink the pool by {given['n']}", parameters=(_COUNT,), dangerous=True
    ),
    Spec(
        name="autoscale",
        says=lambda given: f"scale the pool between {given['min']} and {given['max']}",
        parameters=(Parameter("min", whole(0, MOST_PROCESSES)), Parameter("max", whole(1, MOST_PROCESSES))),
    ),
    Spec(
        name="add_consumer",
        says=lambda given: f"consume the queue {given['queue']}",
        parameters=(
            Parameter("queue", name),
            Parameter("exchange", name, required=False),
            Parameter("exchange_type", name, required=False),
            Parameter("routing_key", name, required=False),
        ),
    ),
    Spec(
        name="cancel_consumer",
        says=lambda given: f"no longer consume the queue {given['queue']}",
        parameters=(Parameter("queue", name),),
        dangerous=True,
    ),
    Spec(
        name="rate_limit",
        says=lambda given: f"limit {given['task_name']} to {given['rate_limit']}",
        parameters=(_TASK, Parameter("rate", rate, wire="rate_limit")),
    ),
    Spec(
        name="time_limit",
        says=lambda given: (
            f"limit the time of {given['task_name']} to {_span(given, 'soft')} (soft), {_span(given, 'hard')} (hard)"
        ),
        parameters=(_TASK, Parameter("soft", seconds, required=False), Parameter("hard", seconds, required=False)),
    ),
    Spec(
        name="revoke",
        says=_revoking,
        parameters=(Parameter("ids", names, wire="task_id"), *_TERMINATE),
        harsh="terminate",
    ),
    Spec(
        name="revoke_by_stamped_headers",
        says=_revoking,
        parameters=(Parameter("headers", stamps), *_TERMINATE),
        harsh="terminate",
    ),
    Spec(name="enable_events", says=lambda _: "send task events"),
    Spec(name="disable_events", says=lambda _: "send no more task events", dangerous=True),
)

COMMANDS: Mapping[str, Spec] = {spec.name: spec for spec in _ALL}
"""Commands of Celery's remote control, by name."""

ACTIONS: Mapping[str, Spec] = {
    spec.name: spec
    for spec in (
        Spec(name="send", says=lambda given: f"send {given['task']}", parameters=_SENDING),
        Spec(name="retry", says=lambda given: f"send {given['task']} again, as {given['id']}"),
        Spec(name="run", says=lambda given: f"run the beat entry {given['entry']} now: send {given['task']}"),
        Spec(name="abort", says=lambda given: f"ask {given['id']} to end by itself"),
        Spec(
            name="revoke_many",
            says=lambda given: f"revoke {_counted(given, 'task')}",
            dangerous=True,
            harsh="terminate",
        ),
        Spec(name="retry_many", says=lambda given: f"send {_counted(given, 'task')} again", dangerous=True),
        Spec(
            name="purge",
            says=lambda given: f"delete what waits in the queue {given['queue']}: {_counted(given, 'message')}",
            role="admin",
            dangerous=True,
        ),
    )
}
"""What else may be done to a cluster, by name. It goes by other ways than remote control."""


def _counted(given: Mapping[str, Any], word: str) -> str:
    return f"1 {word}" if given["count"] == 1 else f"{given['count']} {word}s"


def _span(given: Mapping[str, Any], key: str) -> str:
    return f"{given[key]:g} s" if given.get(key) else "none"
