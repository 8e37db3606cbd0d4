"""``/api/v1/silences``."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import msgspec
from fastapi import Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from nightowl.core.errors import NotFound
from nightowl.core.values import Silence
from nightowl.web import silences
from nightowl.web.api.asking import Asking
from nightowl.web.api.endpoints import Endpoints
from nightowl.web.api.models import Model, Moment
from nightowl.web.handlers import Handlers

Number = Annotated[int, Path(ge=1, le=2**53)]


class NewSilence(BaseModel):
    """A silence to make. It must have an end: `end`, or `lasts`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"match": {"team": "shop"}, "lasts": 7200}})

    match: dict[str, str] = Field(description="As a route's: `severity`, `name`, `kind` or a tag, to a shell pattern.")
    start: AwareDatetime | None = Field(None, description="Without it: now.")
    end: AwareDatetime | None = None
    lasts: float | None = Field(None, gt=0, description="Seconds from `start` on, in place of `end`.")
    comment: str = ""


class SilenceModel(Model):
    """Incidents that match open without a word from `start` to `end`."""

    id: int
    state: Literal["pending", "active", "ended"]
    match: dict[str, str]
    start: Moment
    end: Moment
    author: str = ""
    comment: str = ""
    created: Moment

    @classmethod
    def of_silence(cls, found: Silence, now: float) -> Self:
        """A silence as it stands now."""
        builtins = {"author": found.author, "comment": found.comment, "created": found.created}
        return cls.model_validate(
            {**msgspec.to_builtins(found), **builtins, "id": found.id, "state": silences.state(found, now)}
        )


class SilenceList(Model):
    """Silences and how many there are."""

    silences: list[SilenceModel]
    total: int


def endpoints(handlers: Handlers) -> Endpoints:
    """The endpoints of silences."""
    api = Endpoints("/silences", "silences")
    store, clock = handlers.store, handlers.clock

    @api.get("", summary="List silences: those that end soonest first, or all, newest first")
    def list_silences(
        *,
        ended: Annotated[bool, Query(description="Those that have ended, too.")] = False,
        offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> SilenceList:
        now = clock.now()
        with store.read() as unit:
            if ended:
                found, total = unit.silences.page(offset, limit)
            else:
                lasting = unit.silences.lasting(now)
                found, total = lasting[offset : offset + limit], len(lasting)
        return SilenceList(silences=[SilenceModel.of_silence(each, now) for each in found], total=total)

    @api.post("", status_code=201, summary="Silence what matches for a while")
    def make_silence(wanted: NewSilence, author: Asking) -> SilenceModel:
        now = clock.now()
        wish = silences.Wish(
            match=wanted.match,
            start=wanted.start.timestamp() if wanted.start else None,
            end=wanted.end.timestamp() if wanted.end else None,
            lasts=wanted.lasts,
            comment=wanted.comment,
        )
        return SilenceModel.of_silence(silences.silence(store, author, now, wish), now)

    @api.get("/{number}", summary="One silence")
    def get_silence(number: Number) -> SilenceModel:
        with store.read() as unit:
            found = unit.silences.get(number)
        if found is None:
            raise NotFound(f"There is no silence #{number}.")
        return SilenceModel.of_silence(found, clock.now())

    @api.post("/{number}/end", summary="End a silence at once")
    def end_silence(number: Number, author: Asking) -> SilenceModel:
        now = clock.now()
        return SilenceModel.of_silence(silences.end(store, author, now, number), now)

    return api
