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

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from nightowl.core.cluster.command import Command
from nightowl.core.cluster.parameters import (
    MOST_PROCESSES,
    Parameter,
    flag,
    name,
    names,
    rate,
    seconds,
    signal,
    stamps,
    whole,
)
from nightowl.core.errors import ConfigurationError, Mistake, NotFound, Refused
from nightowl.core.values import Role

MOST_WORKERS = 1000
"""Workers that one command names."""

_TOLD = 200
"""Characters of a value that the audit tells."""

_RANKS: Mapping[Role, int] = {"viewer": 0, "operator": 1, "admin": 2}


class Unconfirmed(Refused):
    """A dangerous action that was not confirmed. The message says what it would do."""


class Forbidden(Refused):
    """The role does not allow it."""


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


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _TOLD else f"{text[:_TOLD]}..."


def _revoking(arguments: Mapping[str, Any]) -> str:
    end = f" and end it with {arguments.get('signal', 'SIGTERM')}" if arguments.get("terminate") else ""
    return f"revoke {_short(arguments.get('task_id', arguments.get('headers', '')))}{end}"


_TERMINATE = (Parameter("terminate", flag, required=False), Parameter("signal", signal, required=False))
_COUNT = Parameter("n", whole(1, MOST_PROCESSES))
_TASK = Parameter("task", name, wire="task_name")
_IDS = Parameter("ids", names)

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
        Spec(name="send", says=lambda given: f"send {given['task']}"),
        Spec(name="retry", says=lambda given: f"send {given['task']} again, as {given['id']}"),
        Spec(name="abort", says=lambda given: f"ask {given['id']} to end by itself"),
        Spec(
            name="revoke_many", says=lambda given: f"revoke {given['count']} tasks", dangerous=True, harsh="terminate"
        ),
        Spec(name="retry_many", says=lambda given: f"send {given['count']} tasks again", dangerous=True),
        Spec(
            name="purge",
            says=lambda given: f"delete what waits in the queue {given['queue']}: {given['count']} messages",
            role="admin",
            dangerous=True,
        ),
    )
}
"""What else may be done to a cluster, by name. It goes by other ways than remote control."""


def spec_of(command: str) -> Spec:
    """What is known of a command. Raises ``NotFound``."""
    if command not in COMMANDS:
        raise NotFound(f"There is no command named {_short(command)}.")
    return COMMANDS[command]


def prepare(command: str, given: Mapping[str, Any], workers: Iterable[str] = ()) -> Command:
    """Return a command with its arguments as Celery takes them, to these workers (none: to all).

    Raises ``NotFound`` for a command that there is not, ``ConfigurationError`` with all mistakes in its arguments.
    """
    spec = spec_of(command)
    mistakes = [_mistake(key, given[key], _allowed(spec)) for key in given if key not in _known(spec)]
    arguments: dict[str, Any] = {}
    for parameter in spec.parameters:
        if parameter.name not in given and not parameter.required:
            continue
        try:
            arguments[parameter.wire or parameter.name] = parameter.check(given.get(parameter.name))
        except ValueError as error:
            mistakes.append(_mistake(parameter.name, given.get(parameter.name), str(error)))
    mistakes += [] if mistakes else _between(command, arguments)
    targets = tuple(dict.fromkeys(workers))
    mistakes += _targets(targets)
    if mistakes:
        raise ConfigurationError(mistakes)
    return Command(name=command, arguments=arguments, workers=targets)


def confirm_shrink(command: Command, processes: Mapping[str, int | None]) -> None:
    """Raise ``Refused`` unless each of these workers keeps a process. ``processes`` are their present numbers.

    Celery itself takes away the last one, and such a worker does nothing until it is started again.
    """
    count = int(command.arguments["n"])
    for worker, present in sorted(processes.items()):
        if present is None:
            raise Refused(f"How many processes {worker} has is not known, and it must keep one.")
        if present - count < 1:
            raise Refused(f"{worker} has {present}: it cannot be shrunk by {count}, as it must keep one.")


def role_of(spec: Spec, arguments: Mapping[str, Any]) -> Role:
    """Whom it takes at least."""
    return "admin" if spec.harsh and arguments.get(spec.harsh) else spec.role


def is_dangerous(spec: Spec, arguments: Mapping[str, Any]) -> bool:
    """Whether it must be confirmed."""
    return spec.dangerous or bool(spec.harsh and arguments.get(spec.harsh))


def permit(spec: Spec, arguments: Mapping[str, Any], role: Role, *, confirmed: bool) -> None:
    """Raise ``Forbidden`` where the role does not suffice, ``Unconfirmed`` where it is dangerous and not confirmed."""
    needed = role_of(spec, arguments)
    if _RANKS[role] < _RANKS[needed]:
        raise Forbidden(f"This takes the role {needed}: {spec.says(arguments)}.")
    if is_dangerous(spec, arguments) and not confirmed:
        raise Unconfirmed(f"This must be confirmed: {spec.says(arguments)}.")


def _span(given: Mapping[str, Any], key: str) -> str:
    return f"{given[key]:g} s" if given.get(key) else "none"


def _between(command: str, arguments: Mapping[str, Any]) -> list[Mistake]:
    """What is wrong between two arguments that are right by themselves."""
    if command == "autoscale" and arguments["min"] > arguments["max"]:
        return [_mistake("min", arguments["min"], f"no more than max, which is {arguments['max']}")]
    if command == "time_limit":
        soft, hard = arguments.get("soft"), arguments.get("hard")
        if soft and hard and soft >= hard:
            return [_mistake("soft", soft, f"less than hard, which is {hard:g}")]
    return []


def _targets(workers: tuple[str, ...]) -> list[Mistake]:
    if len(workers) > MOST_WORKERS:
        return [_mistake("workers", len(workers), f"up to {MOST_WORKERS} workers")]
    mistakes = []
    for worker in workers:
        try:
            name(worker)
        except ValueError as error:
            mistakes.append(_mistake("workers", worker, str(error)))
    return mistakes


def _known(spec: Spec) -> set[str]:
    return {parameter.name for parameter in spec.parameters}


def _allowed(spec: Spec) -> str:
    return ", ".join(parameter.name for parameter in spec.parameters) or "no arguments"


def _mistake(key: str, found: Any, allowed: str) -> Mistake:
    shown = "nothing" if found is None else _short(found)
    return Mistake(file="", key=str(key), found=shown, allowed=allowed)
