"""How a cluster stands, in a word and a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from nightowl.core.cluster.state import ClusterState, Queue, Worker

Word = Literal["up", "degraded", "down", "unknown"]

UNHEARD = 30.0
"""Seconds after which what a watcher wrote last says nothing of now."""


def standing(state: ClusterState | None, now: float) -> tuple[Word, str]:
    """Say how a cluster is, as its watcher saw it last (None: it was never watched)."""
    if state is None:
        return "unknown", "Nobody has watched it yet: is a watcher running?"
    if now - state.at > UNHEARD:
        return "unknown", "Its watcher is not heard; what is shown here is from then."
    if state.fault:
        return "down", f"Its broker cannot be read: {state.fault}"
    if state.silent:
        return "up", f"Only its queues are seen, as {state.silent}; {waiting(state.queues)}."
    away = [worker for worker in state.workers if not worker.up and not worker.goodbye]
    if not any(worker.up for worker in state.workers):
        return "degraded", f"No worker is up; {waiting(state.queues)}."
    word: Word = "degraded" if away else "up"
    return word, f"{workers(state.workers)}, {waiting(state.queues)}."


def unreadable(states: Iterable[ClusterState], now: float) -> list[str]:
    """Say of which clusters the broker cannot be read, as far as their watchers are heard."""
    return [fault_of(state.name, state.fault) for state in states if state.fault and now - state.at <= UNHEARD]


def fault_of(cluster: str, fault: str) -> str:
    """Say whose fault it is, where there is one."""
    return f"the cluster {cluster} is not read: {fault}" if fault else ""


def workers(known: tuple[Worker, ...]) -> str:
    """``3 workers up, 1 silent``."""
    up = sum(worker.up for worker in known)
    silent = sum(not worker.up and not worker.goodbye for worker in known)
    return f"{_plural(up, 'worker')} up" + (f", {silent} silent" if silent else "")


def waiting(queues: tuple[Queue, ...]) -> str:
    """``12 messages waiting in 2 queues``."""
    full = [queue.ready for queue in queues if queue.ready]
    if not full:
        return "nothing waiting"
    return f"{_plural(sum(full), 'message')} waiting in {_plural(len(full), 'queue')}"


def _plural(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
