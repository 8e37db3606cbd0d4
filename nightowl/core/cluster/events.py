"""Celery's events, as workers and clients send them (https://docs.celeryq.dev/en/stable/userguide/monitoring.html).

A field that an event does not carry is None. Texts (arguments, results) are what Celery's ``saferepr`` made of the
values, cut by the sender; they are never evaluated.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Event(msgspec.Struct, gc=False, omit_defaults=True):
    """One event of a task or a worker. ``timestamp`` is Unix seconds, UTC, by the clock of ``hostname``.

    ``hostname`` is the sender's node name (``celery@web-1``), of task-sent the client's. Only scalars and lists of
    scalars stand in it, so that the collector of cycles need not look at millions of them.
    """

    type: str
    hostname: str = ""
    timestamp: float = 0.0
    uuid: str = ""
    clock: int | None = None
    pid: int | None = None
    name: str | None = None
    args: str | None = None
    kwargs: str | None = None
    root_id: str | None = None
    parent_id: str | None = None
    retries: int | None = None
    eta: str | None = None
    expires: str | None = None
    queue: str | None = None
    exchange: str | None = None
    routing_key: str | None = None
    runtime: float | None = None
    result: str | None = None
    exception: str | None = None
    traceback: str | None = None
    terminated: bool | None = None
    expired: bool | None = None
    signum: int | str | None = None
    requeue: bool | None = None
    freq: float | None = None
    active: int | None = None
    processed: int | None = None
    loadavg: list[float] | None = None
    sw_ident: str | None = None
    sw_ver: str | None = None
    sw_sys: str | None = None
    current: float | None = None
    total: float | None = None
    extra: dict[str, Any] | None = None


class Gap(msgspec.Struct, frozen=True):
    """A time in which events were, or may have been, lost. ``lost`` is how many, as far as that can be known."""

    start: float
    end: float
    reason: str
    lost: int | None = None


class Intake(msgspec.Struct):
    """What one read of a cluster's stream brought, at ``at`` (Unix seconds, the watcher's clock).

    ``refused`` counts messages that are no events, by reason.
    """

    at: float
    events: list[Event]
    gaps: list[Gap] = []
    refused: dict[str, int] = {}
