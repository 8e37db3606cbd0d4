"""Celery's events, as workers and clients send them (https://docs.celeryq.dev/en/stable/userguide/monitoring.html).

A field that an event does not carry is None. Texts (arguments, results) are what Celery's ``saferepr`` made of the
values, cut by the sender; they are never evaluated. The bounds hold whoever sent it, as decoding checks them.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

NAME = 255
"""Characters of a name or an identifier at most, as AMQP has it and Celery's tables do."""
TEXT = 65_536
"""Characters of a longer text at most (arguments, result, exception, traceback)."""
LATEST = 253_402_300_799.0
"""Unix seconds of the last moment that a calendar shows, in the year 9999."""
WHOLE = 2**63 - 1
"""The largest whole number, as databases have it."""
LOADS = 8
"""Load averages at most. A worker sends three."""
ENOUGH = 250
"""Events with which a read returns although more have arrived: what is counted of them must not wait for the rest,
which would be the more the longer that read takes."""

Kind = Annotated[str, Meta(min_length=1, max_length=NAME)]
Name = Annotated[str, Meta(max_length=NAME)]
Text = Annotated[str, Meta(max_length=TEXT)]
Moment = Annotated[float, Meta(ge=0.0, le=LATEST)]
Whole = Annotated[int, Meta(ge=-WHOLE, le=WHOLE)]
Loads = Annotated[list[float], Meta(max_length=LOADS)]


class Event(msgspec.Struct, gc=False, omit_defaults=True):
    """One event of a task or a worker. ``timestamp`` is Unix seconds, UTC, by the clock of ``hostname`` (0: unknown).

    ``hostname`` is the sender's node name (``celery@web-1``), of task-sent the client's. Only scalars and lists of
    scalars stand in it, so that the collector of cycles need not look at millions of them.
    """

    type: Kind
    hostname: Name = ""
    timestamp: Moment = 0.0
    uuid: Name = ""
    clock: Whole | None = None
    pid: Whole | None = None
    name: Name | None = None
    args: Text | None = None
    kwargs: Text | None = None
    root_id: Name | None = None
    parent_id: Name | None = None
    retries: Whole | None = None
    eta: Name | None = None
    expires: Name | None = None
    queue: Name | None = None
    exchange: Name | None = None
    routing_key: Name | None = None
    runtime: float | None = None
    result: Text | None = None
    exception: Text | None = None
    traceback: Text | None = None
    terminated: bool | None = None
    expired: bool | None = None
    signum: Whole | Name | None = None
    requeue: bool | None = None
    freq: float | None = None
    active: Whole | None = None
    processed: Whole | None = None
    loadavg: Loads | None = None
    sw_ident: Name | None = None
    sw_ver: Name | None = None
    sw_sys: Name | None = None
    current: float | None = None
    total: float | None = None


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
