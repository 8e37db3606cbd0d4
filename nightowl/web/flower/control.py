"""``/api/worker/...`` and what is done to tasks by remote control."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nightowl.core.cluster.command import Answer, Command
from nightowl.core.cluster.commands import confirm_shrink
from nightowl.core.errors import Refused
from nightowl.web.flower.answers import Failure
from nightowl.web.flower.face import Asked

Data = Mapping[str, Any]

KNOCK = 0.5
"""Seconds to wait for a worker of which nothing is known."""


def shut_down(asked: Asked) -> Data:
    """Shut a worker down; it does not answer to that."""
    worker = known_worker(asked, asked.subject)
    asked.remote.command(asked.who, "shutdown", {}, [worker], confirmed=True, timeout=0.0)
    return {"message": "Shutting down!"}


def restart_pool(asked: Asked) -> Data:
    """Restart a worker's pool."""
    worker = known_worker(asked, asked.subject)
    _act(asked, "pool_restart", {}, worker, f"Failed to restart the '{worker}' pool")
    return {"message": f"Restarting '{worker}' worker's pool"}


def grow_pool(asked: Asked) -> Data:
    """Add processes."""
    worker = known_worker(asked, asked.subject)
    count = _count(asked)
    _act(asked, "pool_grow", {"n": count}, worker, f"Failed to grow '{worker}' worker's pool")
    return {"message": f"Growing '{worker}' worker's pool by {count}"}


def shrink_pool(asked: Asked) -> Data:
    """Take processes away, but never the last one: Celery itself would, and the worker would do nothing any more."""
    worker = known_worker(asked, asked.subject)
    count, failed = _count(asked), f"Failed to shrink '{worker}' worker's pool"
    command = Command(name="pool_shrink", arguments={"n": count}, workers=(worker,))
    try:
        confirm_shrink(command, {worker: _processes(asked, worker)})
    except Refused as error:
        raise Failure(403, f"{failed}: {error}") from None
    _act(asked, "pool_shrink", {"n": count}, worker, failed)
    return {"message": f"Shrinking '{worker}' worker's pool by {count}"}


def autoscale_pool(asked: Asked) -> Data:
    """Set the bounds of a pool that scales by itself."""
    worker = known_worker(asked, asked.subject)
    least, most = asked.arguments.whole_needed("min"), asked.arguments.whole_needed("max")
    _act(asked, "autoscale", {"min": least, "max": most}, worker, f"Failed to autoscale '{worker}' worker")
    return {"message": f"Autoscaling '{worker}' worker (min={least}, max={most})"}


def add_consumer(asked: Asked) -> Data:
    """Let a worker consume a queue, by its very name."""
    worker = known_worker(asked, asked.subject)
    queue = asked.arguments.needed("queue")
    failed = f"Failed to add '{queue}' consumer to '{worker}' worker"
    return {"message": _act(asked, "add_consumer", {"queue": queue}, worker, failed)}


def cancel_consumer(asked: Asked) -> Data:
    """Let a worker no longer consume a queue."""
    worker = known_worker(asked, asked.subject)
    queue = asked.arguments.needed("queue")
    failed = f"Failed to cancel '{queue}' consumer from '{worker}' worker"
    return {"message": _act(asked, "cancel_consumer", {"queue": queue}, worker, failed)}


def revoke(asked: Asked) -> Data:
    """Revoke a task, known or not; ``terminate`` ends it where it runs."""
    given: dict[str, Any] = {"ids": [asked.subject]}
    if asked.arguments.flag("terminate"):
        given |= {"terminate": True, "signal": asked.arguments.text("signal", "SIGTERM")}
    asked.remote.command(asked.who, "revoke", given, confirmed=True, timeout=0.0)
    return {"message": f"Revoked '{asked.subject}'"}


def limit_time(asked: Asked) -> Data:
    """Set the time limits of a task on a worker."""
    name = asked.arguments.needed("workername")
    limits = {"soft": asked.arguments.number("soft"), "hard": asked.arguments.number("hard")}
    task, worker = known_task(asked, asked.subject), known_worker(asked, name)
    given = {"task": task} | {key: value for key, value in limits.items() if value is not None}
    return {"message": _act(asked, "time_limit", given, worker, "Failed to set timeouts", quoted=True)}


def limit_rate(asked: Asked) -> Data:
    """Set the rate limit of a task on a worker."""
    name, rate = asked.arguments.needed("workername"), asked.arguments.needed("ratelimit")
    task, worker = known_task(asked, asked.subject), known_worker(asked, name)
    given = {"task": task, "rate": rate}
    return {"message": _act(asked, "rate_limit", given, worker, "Failed to set rate limit", quoted=True)}


def known_worker(asked: Asked, name: str) -> str:
    """Return the name of a worker that there is. One that just came may be known to nobody yet: so it is asked."""
    state = asked.state()
    if state is not None and any(worker.name == name for worker in state.workers):
        return name
    knock = Command(name="ping", workers=(name,))
    answers = asked.remote.look(knock, min(KNOCK, asked.patience)) if name else []
    if all(answer.silent for answer in answers):
        raise Failure(404, f"Unknown worker '{name}'")
    return name


def known_task(asked: Asked, name: str) -> str:
    """Return the name of a task that can be called."""
    if name not in asked.remote.tasks():
        raise Failure(404, f"Unknown task '{name}'")
    return name


def _act(
    asked: Asked, command: str, arguments: Mapping[str, Any], worker: str, failed: str, *, quoted: bool = False
) -> str:
    """Send a command to a worker and return what it says; what it refuses is told with 403."""
    answers = asked.remote.command(asked.who, command, arguments, [worker], confirmed=True, timeout=asked.patience)
    reason = _reason(next((answer for answer in answers if answer.worker == worker), None), asked.patience)
    if reason:
        raise Failure(403, f"{failed}: '{reason}'" if quoted else f"{failed}: {reason}")
    return str(answers[0].value)


def _reason(answer: Answer | None, patience: float) -> str:
    """Why a command was not done; empty: it was."""
    if answer is None or answer.silent:
        return f"it did not answer within {patience:g} s"
    return answer.error


def _count(asked: Asked) -> int:
    count = asked.arguments.whole("n")
    return 1 if count is None else count


def _processes(asked: Asked, worker: str) -> int | None:
    """How many processes (or threads) a worker's pool has now."""
    for answer in asked.remote.look(Command(name="stats", workers=(worker,)), asked.patience):
        pool = answer.value.get("pool", {}) if isinstance(answer.value, dict) else {}
        processes = pool.get("processes")
        return len(processes) if isinstance(processes, list) else pool.get("max-concurrency")
    return None
