"""Which tasks a filter may revoke or send again, and how the audit tells it."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from nightowl.core.cluster.task import TaskFilter, TaskState
from nightowl.core.errors import Refused

_OPEN = (TaskState.PENDING.value, TaskState.RECEIVED.value, TaskState.STARTED.value, TaskState.RETRY.value)
_CLOSED = tuple(state.value for state in TaskState if state.value not in _OPEN)
_NAMED = 20


def revocable(wanted: TaskFilter) -> TaskFilter:
    """The filter, for tasks that have not ended."""
    return _within(wanted, _OPEN)


def retriable(wanted: TaskFilter) -> TaskFilter:
    """The filter, for tasks that have ended; failed ones unless it says otherwise."""
    if not wanted.states:
        return replace(wanted, states=(TaskState.FAILURE.value,))
    return _within(wanted, _CLOSED)


def _within(wanted: TaskFilter, states: tuple[str, ...]) -> TaskFilter:
    kept = tuple(state for state in wanted.states or states if state in states)
    if not kept:
        raise Refused(f"No such task can be in the state {', '.join(wanted.states)}: it takes {', '.join(states)}.")
    return replace(wanted, states=kept)


def told(wanted: TaskFilter) -> str:
    """What a filter asks for, in a line for the audit: ``names: shop.add; states: FAILURE``."""
    fields = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
    shown = {name: listed(value) if isinstance(value, tuple) else value for name, value in fields.items() if value}
    return "; ".join(f"{name}: {value}" for name, value in shown.items())


def listed(names: Iterable[str]) -> str:
    """The first names of many."""
    every = list(names)
    shown = ", ".join(every[:_NAMED])
    return shown if len(every) <= _NAMED else f"{shown} and {len(every) - _NAMED} more"
