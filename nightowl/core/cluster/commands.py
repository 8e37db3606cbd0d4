"""Whether a command may be sent as it is: its arguments, the role of who sends it, whether it was confirmed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nightowl.core.cluster.catalogue import ACTIONS, COMMANDS, Spec, short
from nightowl.core.cluster.command import Command
from nightowl.core.cluster.parameters import name
from nightowl.core.errors import ConfigurationError, Mistake, NotFound, Refused
from nightowl.core.values import Role

MOST_WORKERS = 1000
"""Workers that one command names."""

_RANKS: Mapping[Role, int] = {"viewer": 0, "operator": 1, "admin": 2}


class Unconfirmed(Refused):
    """A dangerous action that was not confirmed. The message says what it would do, ``count`` to how many (if told)."""

    def __init__(self, message: str, count: int | None = None) -> None:
        super().__init__(message)
        self.count = count


class Forbidden(Refused):
    """The role does not allow it."""


def spec_of(command: str) -> Spec:
    """What is known of a command. Raises ``NotFound``."""
    if command not in COMMANDS:
        raise NotFound(f"There is no command named {short(command)}.")
    return COMMANDS[command]


def prepare(command: str, given: Mapping[str, Any], workers: Iterable[str] = ()) -> Command:
    """Return a command with its arguments as Celery takes them, to these workers (none: to all).

    Raises ``NotFound`` for a command that there is not, ``ConfigurationError`` with all mistakes in its arguments.
    """
    arguments, mistakes = _checked(spec_of(command), given)
    mistakes += [] if mistakes else _between(command, arguments)
    targets = tuple(dict.fromkeys(workers))
    mistakes += _targets(targets)
    if mistakes:
        raise ConfigurationError(mistakes)
    return Command(name=command, arguments=arguments, workers=targets)


def options_for_sending(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a task to be sent. Raises ``ConfigurationError`` with all mistakes."""
    options, mistakes = _checked(ACTIONS["send"], given)
    if mistakes:
        raise ConfigurationError(mistakes)
    return options


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
        count = arguments.get("count")
        raise Unconfirmed(f"This must be confirmed: {spec.says(arguments)}.", count if isinstance(count, int) else None)


def _checked(spec: Spec, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Mistake]]:
    """The arguments by Celery's names, and what is wrong with them."""
    mistakes = [_mistake(key, given[key], _allowed(spec)) for key in given if key not in _known(spec)]
    arguments: dict[str, Any] = {}
    for parameter in spec.parameters:
        if parameter.name not in given and not parameter.required:
            continue
        try:
            arguments[parameter.wire or parameter.name] = parameter.check(given.get(parameter.name))
        except ValueError as error:
            mistakes.append(_mistake(parameter.name, given.get(parameter.name), str(error)))
    return arguments, mistakes


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
    shown = "nothing" if found is None else short(found)
    return Mistake(file="", key=str(key), found=shown, allowed=allowed)
