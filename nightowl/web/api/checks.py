"""``/api/v1/checks``: definitions and states."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, Depends, Query, Response

from nightowl.core.errors import NotFound
from nightowl.ports import CheckFilter, CheckRow
from nightowl.web import changes, wanted
from nightowl.web.api.asking import Asking
from nightowl.web.api.endpoints import Endpoints
from nightowl.web.api.models import CheckListModel, CheckModel, Pause, PutResult, Spec
from nightowl.web.handlers import Handlers

BULK = 1000
"""Checks that one request may define."""


def endpoints(handlers: Handlers) -> Endpoints:
    """The endpoints of checks."""
    api = Endpoints("/checks", "checks")

    @api.get("", summary="List checks, worst first")
    def list_checks(
        chosen: Annotated[CheckFilter, Depends(_filter)],
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> CheckListModel:
        with handlers.store.read() as unit:
            found = unit.checks.page(chosen, offset, limit)
        return CheckListModel(checks=[CheckModel.of_row(shown) for shown in found.rows], total=found.total)

    @api.put("", summary="Define many checks, all or none")
    def put_checks(
        checks: Annotated[dict[str, Spec], Body(description="Definitions by name.", max_length=BULK)],
        author: Asking,
    ) -> PutResult:
        done = changes.put_checks(handlers, author, {name: spec.model_dump() for name, spec in checks.items()})
        return PutResult(
            created=[name for name, is_new in done.items() if is_new],
            replaced=[name for name, is_new in done.items() if not is_new],
        )

    @api.get("/{name}", summary="One check")
    def get_check(name: str) -> CheckModel:
        return _check(handlers, name)

    @api.put("/{name}", summary="Define a check", description="Idempotent. 201 where the check is new.")
    def put_check(name: str, spec: Spec, author: Asking, response: Response) -> CheckModel:
        is_new = changes.put_checks(handlers, author, {name: spec.model_dump()})[name]
        response.status_code = 201 if is_new else 200
        return _check(handlers, name)

    @api.delete("/{name}", status_code=204, summary="Forget a check and its rounds")
    def delete_check(name: str, author: Asking) -> None:
        changes.remove(handlers, author, name)

    @api.post("/{name}/pause", summary="Let a check rest, or run again")
    def pause_check(name: str, author: Asking, asked: Pause | None = None) -> CheckModel:
        changes.pause(handlers, author, name, paused=asked is None or asked.paused)
        return _check(handlers, name)

    @api.post("/{name}/run", status_code=202, summary="Ask for a round now")
    def run_check(name: str, author: Asking) -> None:
        changes.run_now(handlers, author, name)

    return api


def _filter(
    state: Annotated[str, Query(description="up, degraded, down, unknown, paused or new.")] = "",
    tag: Annotated[str, Query(description="`name` or `name=value`.")] = "",
    location: Annotated[str, Query(description="Checks that run there.")] = "",
    text: Annotated[str, Query(description="Looked for in name and URL.")] = "",
) -> CheckFilter:
    return CheckFilter(state=wanted.state(state), tag=tag, location=location, text=text)


def _check(handlers: Handlers, name: str) -> CheckModel:
    with handlers.store.read() as unit:
        stored = unit.checks.get(name)
        if stored is None:
            raise NotFound(f"There is no check named {name}.")
        return CheckModel.of_row(CheckRow(check=stored, state=unit.rounds.state(name)))
