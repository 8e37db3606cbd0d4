"""``/api/v1/checks/{name}/heartbeat``: where a job calls, when it is expected to, and what it said; a task likewise."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import Query
from pydantic import Field

from nightowl.core.errors import NotFound
from nightowl.ports import StoredCheck, Unit
from nightowl.web import access, heartbeats
from nightowl.web.api.asking import Asker, Asking
from nightowl.web.api.endpoints import Endpoints
from nightowl.web.api.models import Model, Moment
from nightowl.web.handlers import Handlers


class RunModel(Model):
    """A run of a task that has not ended."""

    id: str = Field(description="The id of the task.")
    at: Moment = Field(description="When it started.")


class HeartbeatModel(Model):
    """Where a heartbeat stands. All moments are null while nothing is expected: before the first call, or paused."""

    url: str | None = Field(
        description="Where the job calls; for operators only, and null where it was made under another secret key. "
        "A task has none."
    )
    expected: Moment | None = Field(None, description="When the next call ought to come.")
    deadline: Moment | None = Field(None, description="When it is down unless the job calls before.")
    started: Moment | None = Field(None, description="When the run began that has not ended yet.")
    runs: list[RunModel] = Field([], description="Of the check of a task: runs that have not ended, the oldest first.")


class PingModel(Model):
    """One call of a job, or the start or the end of a task's run."""

    at: Moment
    signal: Literal["start", "success", "fail"]
    exit_code: int | None = None
    source: str = Field("", description="The address that it came from; the worker that ran the task.")
    tail: str = Field("", description="The end of the log that came with it; the error of a task.")
    run: str = Field("", description="The id of the task.")
    started: Moment | None = Field(None, description="When the task's run began that this is the end of.")


class PingList(Model):
    """Calls, the newest first."""

    pings: list[PingModel]


def endpoints(handlers: Handlers) -> Endpoints:
    """The endpoints of heartbeats."""
    api = Endpoints("/checks/{name}", "heartbeats")

    @api.get("/heartbeat", summary="Where a heartbeat stands")
    def get_heartbeat(name: str, visitor: Asker) -> HeartbeatModel:
        with handlers.store.read() as unit:
            return _heartbeat(handlers, unit, name, secret=access.suffices(visitor.role, "operator"))

    @api.get("/pings", summary="The newest calls of a heartbeat's job")
    def list_pings(name: str, limit: Annotated[int, Query(ge=1, le=1000)] = 60) -> PingList:
        with handlers.store.read() as unit:
            _require(unit, name)
            return PingList(pings=[PingModel.of(ping) for ping in unit.heartbeats.pings(name, limit)])

    @api.post("/new-url", summary="Give a heartbeat another URL", description="The old one is not answered any more.")
    def new_url(name: str, author: Asking) -> HeartbeatModel:
        heartbeats.renew(handlers.store, handlers.settings.secret_key, name, author, handlers.clock.now())
        with handlers.store.read() as unit:
            return _heartbeat(handlers, unit, name, secret=True)

    return api


def _heartbeat(handlers: Handlers, unit: Unit, name: str, *, secret: bool) -> HeartbeatModel:
    stored = _require(unit, name)
    secret = secret and heartbeats.is_heartbeat(stored)
    path = heartbeats.path(unit, handlers.settings.secret_key, name) if secret else ""
    url = f"{handlers.settings.link}{path}" if path else None
    pulse = unit.heartbeats.pulse(name)
    stands = msgspec.to_builtins(pulse) if pulse else {}
    return HeartbeatModel.model_validate({**stands, "url": url})


def _require(unit: Unit, name: str) -> StoredCheck:
    stored = unit.checks.get(name)
    if stored is None or not heartbeats.is_heard(stored):
        raise NotFound(f"There is no heartbeat named {name}.")
    return stored
