"""``/api/v1/routes``: where incidents go."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import msgspec
from fastapi import Query
from pydantic import AwareDatetime, Field

from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.core.preview import Preview, Question
from nightowl.core.values import Severity
from nightowl.web import asked
from nightowl.web.api.endpoints import Endpoints
from nightowl.web.api.models import Model, Moment, SuppressionModel
from nightowl.web.handlers import Handlers

_AS_NAMED = "Without it: as of the check or rule of that name"


class ToldModel(Model):
    """A channel that would hear."""

    channel: str
    routes: list[str] = Field(description="Which lead there.")
    after: float = Field(description="Seconds: from the opening on; of an escalation from the first notice on.")
    group: dict[str, str] = Field({}, description="In which tags others share the message; empty: none does.")
    repeat: float = Field(0.0, description="Seconds between reminders; 0: none.")


class AskedModel(Model):
    """The incident that was tried, with what was taken from the check or rule of its name."""

    name: str
    kind: Literal["check", "rule", "nodata", "cluster", "own"]
    severity: Literal["info", "warning", "critical"]
    tags: dict[str, str]
    at: Moment
    source: Literal["check", "rule", "none"] = Field(description="What has the name; none: no check and no rule does.")


class RouteTest(Model):
    """What would become of an incident."""

    asked: AskedModel
    routes: list[str] = Field(description="Those that match.")
    channels: list[ToldModel] = Field(description="Who would be told.")
    escalation: list[ToldModel] = Field(description="Who further, while nobody acknowledges.")
    parents: list[str] = Field([], description="Checks and rules that it depends on.")
    suppression: SuppressionModel | None = Field(None, description="What would hold it back.")
    suppressed: str = Field("", description="The same in words.")

    @classmethod
    def of_preview(cls, found: Preview, question: Question, source: str) -> Self:
        """A preview, and what it is of."""
        meant: dict[str, Any] = msgspec.to_builtins(question) | {"source": source}
        return cls.model_validate(msgspec.to_builtins(found) | {"asked": meant})


def endpoints(handlers: Handlers) -> Endpoints:
    """The endpoints of routes."""
    api = Endpoints("/routes", "routes")

    @api.get("/test", summary="Where would this go?")
    def test_route(
        *,
        name: Annotated[str, Query(max_length=1000, description="The check, or the rule with its labels.")] = "",
        kind: Annotated[asked.Kind | None, Query(description=f"{_AS_NAMED}, else `check`.")] = None,
        severity: Annotated[
            Literal["info", "warning", "critical"] | None, Query(description=f"{_AS_NAMED}, else `critical`.")
        ] = None,
        tag: Annotated[
            list[str], Query(max_length=100, description=f"`name=value`, as often as needed. {_AS_NAMED}.")
        ] = [],  # noqa: B006  # FastAPI copies it
        at: Annotated[AwareDatetime | None, Query(description="When it opens; without it: now.")] = None,
    ) -> RouteTest:
        tags, moment = dict(map(_tag, tag)), at.timestamp() if at else handlers.clock.now()
        with handlers.store.read() as unit:
            known = asked.known(handlers, unit, name)
        bad = Severity(severity) if severity else None
        question = asked.question(known, name, moment, kind=kind, severity=bad, tags=tags)
        return RouteTest.of_preview(handlers.where(question), question, known.source)

    return api


def _tag(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise ConfigurationError([Mistake(file="", key="tag", found=f'"{text[:100]}"', allowed="name=value")])
    return name, value
