"""``/api/v1/checks/{name}/rounds``: what was found, round by round."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from nightowl.core.errors import NotFound
from nightowl.web.api.endpoints import Endpoints
from nightowl.web.api.models import Moment, RoundDetail, RoundList, RoundModel
from nightowl.web.handlers import Handlers


def endpoints(handlers: Handlers) -> Endpoints:
    """The endpoints of rounds."""
    api = Endpoints("/checks/{name}/rounds", "rounds")

    @api.get("", summary="The newest rounds of a check", description="In order of due, with `from` < due <= `to`.")
    def list_rounds(
        name: str,
        start: Annotated[Moment | None, Query(alias="from")] = None,
        end: Annotated[Moment | None, Query(alias="to")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 60,
    ) -> RoundList:
        with handlers.store.read() as unit:
            if unit.checks.get(name) is None:
                raise NotFound(f"There is no check named {name}.")
            until = end.timestamp() if end else handlers.clock.now()
            verdicts = unit.rounds.verdicts(name, start.timestamp() if start else 0.0, until, limit)
        return RoundList(rounds=[RoundModel.of(verdict) for verdict in verdicts])

    @api.get("/{due}", summary="One round with all attempts")
    def get_round(name: str, due: Moment) -> RoundDetail:
        moment = due.timestamp()
        with handlers.store.read() as unit:
            verdicts = unit.rounds.verdicts(name, moment - 0.0005, moment + 0.0005, 1)
            if not verdicts:
                raise NotFound(f"{name} has no closed round that was due at that moment.")
            exact = verdicts[0].due
            return RoundDetail.of_round(verdicts[0], unit.rounds.outcomes(name, exact), unit.rounds.late(name, exact))

    return api
