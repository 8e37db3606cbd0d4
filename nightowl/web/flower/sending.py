"""``/api/task/apply``, ``async-apply`` and ``send-task``: tasks sent by name; and their results."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool

from nightowl.core.cluster.answers import outcome
from nightowl.core.cluster.result import TaskResult
from nightowl.core.errors import Refused
from nightowl.web.flower.answers import Failure
from nightowl.web.flower.control import known_task
from nightowl.web.flower.face import AWAY, Asked

Data = Mapping[str, Any]

DATE = "%Y-%m-%d %H:%M:%S.%f"
"""How Flower's clients write a moment, in the time zone of the app."""

FIRST_LOOK, LONGEST_LOOK = 0.05, 0.5
"""Seconds between two looks for a result."""


class _Message(msgspec.Struct, frozen=True):
    """What the body of a request asks for. ``timeout`` is in seconds (None: for ever)."""

    args: list[Any]
    kwargs: dict[str, Any]
    options: dict[str, Any]
    timeout: float | None


async def apply(asked: Asked) -> Data:
    """Send a task of the app, and wait for its result."""
    message = await _message(asked)
    await run_in_threadpool(known_task, asked, asked.subject)
    message = _converted(message)
    if not asked.remote.has_results:
        raise Failure(503, AWAY)
    task = await run_in_threadpool(_send, asked, message)
    result = await _awaited(asked, task, message.timeout)
    shown = _outcome(result) if result.ready else {}
    return {"task-id": task, "state": result.state, **shown}


async def apply_async(asked: Asked) -> Data:
    """Send a task of the app."""
    message = await _message(asked)
    await run_in_threadpool(known_task, asked, asked.subject)
    return await run_in_threadpool(_sent, asked, _converted(message))


async def send(asked: Asked) -> Data:
    """Send a task of whatever name. Moments and spans are taken as Celery has them."""
    return await run_in_threadpool(_sent, asked, await _message(asked))


async def result(asked: Asked) -> Data:
    """Show what is known of a result; ``timeout`` waits for it."""
    timeout = asked.arguments.number("timeout")
    if not asked.remote.has_results:
        raise Failure(503)
    known = await _awaited(asked, asked.subject, timeout or 0.0)
    shown = _outcome(known) if known.ready else {}
    return {"task-id": asked.subject, "state": known.state, **shown}


def abort(asked: Asked) -> Data:
    """Ask an abortable task to end, known or not."""
    if not asked.remote.has_results:
        raise Failure(503)
    asked.remote.abort(asked.who, asked.subject)
    return {"message": f"Aborted '{asked.subject}'"}


async def _message(asked: Asked) -> _Message:
    """Read the body: JSON whatever its type says; empty: no arguments."""
    try:
        body = await asked.request.body()
        options = json.loads(body) if body else {}
    except (ValueError, RecursionError) as error:
        raise Failure(400, str(error)) from None
    if not isinstance(options, dict):
        raise Failure(400, "invalid options")
    args, kwargs = options.pop("args", []), options.pop("kwargs", {})
    if not isinstance(args, list):
        raise Failure(400, "args must be an array")
    if not isinstance(kwargs, dict):
        raise Failure(400, "kwargs must be an object")
    return _Message(args, kwargs, options, _timeout(options.pop("timeout", None)))


def _converted(message: _Message) -> _Message:
    """Turn the moments and spans of Flower's clients into what Celery takes."""
    options = dict(message.options)
    try:
        if "eta" in options:
            options["eta"] = _moment(options["eta"])
        if "countdown" in options:
            options["countdown"] = _span(options["countdown"])
        if "expires" in options:
            options["expires"] = _span_or_moment(options["expires"])
    except (TypeError, ValueError, OverflowError):
        raise Failure(400, "Invalid option") from None
    return msgspec.structs.replace(message, options=options)


def _moment(text: Any) -> str:
    """A moment without a time zone, as ISO 8601 has it; Celery takes it to be in the app's."""
    return datetime.strptime(text, DATE).isoformat()  # noqa: DTZ007 - so says Flower's contract


def _span(value: Any) -> float:
    span = float(value)
    if not math.isfinite(span):
        raise ValueError(value)
    return span


def _span_or_moment(value: Any) -> float | str:
    try:
        return _span(value)
    except ValueError:
        return _moment(value)


def _timeout(value: Any) -> float | None:
    try:
        return None if value is None else _span(value)
    except (TypeError, ValueError, OverflowError):
        raise Failure(400, "Invalid timeout") from None


def _send(asked: Asked, message: _Message) -> str:
    return asked.remote.send(asked.who, asked.subject, message.args, message.kwargs, message.options)


def _sent(asked: Asked, message: _Message) -> Data:
    task = _send(asked, message)
    if not asked.remote.has_results:
        return {"task-id": task}
    return {"task-id": task, "state": _known(asked, task).state}


async def _awaited(asked: Asked, task: str, patience: float | None) -> TaskResult:
    """Look for a result until there is one, the time is over (None: never), or nobody waits for it any more."""
    loop = asyncio.get_running_loop()
    ends, pause = None if patience is None else loop.time() + patience, FIRST_LOOK
    while not (known := await run_in_threadpool(_known, asked, task)).ready:
        left = pause if ends is None else min(pause, ends - loop.time())
        if left <= 0 or await asked.request.is_disconnected():
            break
        await asyncio.sleep(left)
        pause = min(pause * 1.5, LONGEST_LOOK)
    return known


def _known(asked: Asked, task: str) -> TaskResult:
    """What is known of a result, and may be shown; one that cannot be read is told as one, in its own words."""
    try:
        return outcome(asked.remote.result(task), asked.cluster)
    except Refused as error:
        raise Failure(503, str(error)) from None


def _outcome(known: TaskResult) -> dict[str, Any]:
    if known.state == "FAILURE":
        return {"result": known.error or known.value, "traceback": known.traceback or None}
    return {"result": known.error or known.value}
