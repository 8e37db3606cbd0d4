"""Calls of tasks: what can be sent, and what is known of one that was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from nightowl.core.cluster.arguments import exact_arguments
from nightowl.core.cluster.parameters import name as name_of
from nightowl.core.cluster.state import Due
from nightowl.core.cluster.task import Task
from nightowl.core.errors import ConfigurationError, Mistake, Refused
from nightowl.core.redaction import MASK

LARGEST = 1024 * 1024
"""Bytes of a task's arguments in JSON."""


def call_of(task: Task) -> tuple[list[Any], dict[str, Any]]:
    """Return a task's arguments. Raises ``Refused``, which says why it cannot be sent again just as it was."""
    if not task.name:
        raise Refused("Its name is not known: the event that carries it was not seen.")
    return exact_arguments(task.args, task.kwargs)


def call_of_entry(due: Due) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments of a beat entry. Raises ``Refused``, which says why they are not known exactly."""
    return _of_entry(due.args, "args", list), _of_entry(due.kwargs, "kwargs", dict)


def _of_entry(text: str, which: str, kind: type) -> Any:
    if MASK in text:
        raise Refused(f'Its {which} are redacted: arguments = "full" in [cluster.NAME] keeps them.')
    try:
        value = msgspec.json.decode(text) if text else kind()
    except (msgspec.DecodeError, RecursionError):
        raise Refused(f"Its {which} are too long, or no JSON, so they are not known exactly.") from None
    if not isinstance(value, kind):
        raise Refused(f"Its {which} are not what a task is called with.")
    return value


def confirm_call(task: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raise ``ConfigurationError`` for what cannot be sent as JSON."""
    confirm_name("task", task)
    mistakes = []
    if not isinstance(args, (list, tuple)):
        mistakes.append(Mistake(file="", key="args", found=type(args).__name__, allowed="a list"))
    if not isinstance(kwargs, Mapping) or not all(isinstance(key, str) for key in kwargs):
        mistakes.append(Mistake(file="", key="kwargs", found=type(kwargs).__name__, allowed="a table of names"))
    try:
        large = len(msgspec.json.encode([args, kwargs])) > LARGEST
    except (TypeError, ValueError, RecursionError):
        mistakes.append(Mistake(file="", key="args", found="other values", allowed="what JSON carries"))
    else:
        if large:
            mistakes.append(Mistake(file="", key="args", found="more", allowed=f"up to {LARGEST // 1024} KiB"))
    if mistakes:
        raise ConfigurationError(mistakes)


def confirm_name(key: str, value: str) -> None:
    """Raise ``ConfigurationError`` for what is no name."""
    try:
        name_of(value)
    except ValueError as error:
        raise ConfigurationError([Mistake(file="", key=key, found=str(value)[:50], allowed=str(error))]) from None
