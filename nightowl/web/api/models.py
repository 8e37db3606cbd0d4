"""What the API takes and gives. Moments are ISO 8601 in UTC, durations seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

import msgspec
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from nightowl.core.values import Entry, Incident, Outcome, Verdict
from nightowl.ports import CheckRow, OutboxRow
from nightowl.web.masking import mask
from nightowl.web.rows import row


def _moment(value: Any) -> Any:
    try:
        return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else value
    except (OverflowError, ValueError):  # no such year: it is refused as it came
        return value


Moment = Annotated[
    datetime, BeforeValidator(_moment), AfterValidator(lambda when: when if when.tzinfo else when.replace(tzinfo=UTC))
]
Seconds = Annotated[float, Field(description="Seconds.")]
StateWord = Literal["up", "degraded", "down", "unknown"]


class Model(BaseModel):
    """The root: reads the frozen values of the core."""

    model_config = ConfigDict(extra="ignore", from_attributes=True)

    @classmethod
    def of(cls, value: Any) -> Self:
        """Make one of a value of the core."""
        return cls.model_validate(msgspec.to_builtins(value))


class MistakeModel(Model):
    """One mistake in a definition."""

    file: str = Field(description="The configuration file; empty where there is none.")
    key: str = Field(description="The dotted key path.", examples=["check.shop.every"])
    found: str = Field(description="What stands there; secrets masked.")
    allowed: str = Field(description="What would have been accepted.")


class ErrorModel(Model):
    """The shape of every error."""

    error: str = Field(description="One sentence.")
    mistakes: list[MistakeModel] = Field([], description="Every mistake of a refused definition.")


class PhasesModel(Model):
    """Seconds that each phase of an attempt took; null where it never began or does not apply."""

    dns: float | None = None
    connect: float | None = None
    tls: float | None = None
    first_byte: float | None = None
    transfer: float | None = None


class CertificateModel(Model):
    """The certificate that a peer showed."""

    subject: str
    issuer: str
    not_before: Moment
    not_after: Moment
    names: list[str] = []
    chain: list[str] = Field([], description="Subjects from leaf to root.")
    protocol: str = ""
    problem: str = ""


class AttemptModel(Model):
    """One try of one location in a round."""

    state: StateWord
    started: Moment = Field(description="By the director's clock, as far as the actor's skew is known.")
    duration: Seconds
    phases: PhasesModel = PhasesModel()
    status: int | None = None
    address: str = ""
    reason: str = Field("", description="`class.detail`; empty where nothing is wrong.")
    detail: str = ""
    certificate: CertificateModel | None = None
    excerpt: str = Field("", description="The start of the answer, redacted.")


class OutcomeModel(Model):
    """A location's attempts of a round."""

    location: str
    state: StateWord
    late: bool = Field(False, description="It came after the round was closed, and had no vote.")
    offline: bool = Field(False, description="The location's own control targets failed too, so it had no vote.")
    kept: int | None = Field(None, description="Index of the attempt that is the round's figure.")
    actor: str = ""
    attempts: list[AttemptModel]

    @classmethod
    def from_outcome(cls, outcome: Outcome, *, late: bool) -> Self:
        """An outcome, and whether it had a vote."""
        return cls.model_validate({**msgspec.to_builtins(outcome), "late": late})


class PlaceModel(Model):
    """What one location said in a round."""

    location: str
    state: StateWord
    voted: bool = True
    offline: bool = Field(False, description="Its own control targets failed, so it had no vote.")
    duration: float | None = None
    phases: PhasesModel = PhasesModel()
    status: int | None = None
    address: str = ""
    reason: str = ""
    detail: str = ""
    certificate_expiry: Moment | None = None


class RoundModel(Model):
    """A closed round and its verdict."""

    check: str
    due: Moment
    closed: Moment
    state: StateWord
    reason: str = ""
    detail: str = ""
    duration: float | None = Field(None, description="Median over the locations that decided it, in seconds.")
    dissent: list[str] = Field([], description="Locations that said down while the check is not.")
    places: list[PlaceModel]


class RoundDetail(RoundModel):
    """A round with all attempts."""

    outcomes: list[OutcomeModel]

    @classmethod
    def of_round(cls, verdict: Verdict, outcomes: list[Outcome], late: set[str]) -> Self:
        """A verdict with the outcomes that led to it."""
        shown = [OutcomeModel.from_outcome(outcome, late=outcome.location in late) for outcome in outcomes]
        return cls.model_validate({**msgspec.to_builtins(verdict), "outcomes": shown})


class RoundList(Model):
    """Rounds in order of their due moment."""

    rounds: list[RoundModel]


class CheckModel(Model):
    """A check: how it is defined, and how it is."""

    name: str
    kind: str = Field(examples=["https"])
    state: Literal["up", "degraded", "down", "unknown", "paused", "new"]
    since: Moment | None = Field(None, description="The due moment from which it has been in this state.")
    sentence: str = Field(description="Why it is so, and by which proof.")
    origin: Literal["file", "stored"] = Field(description="`file`: read-only here.")
    paused: bool
    spec: dict[str, Any] = Field(description="The keys of a `[check.NAME]` table; secrets masked.")
    last_round: RoundModel | None = None
    incident: str = Field("", description="The id of the open incident.")

    @classmethod
    def of_row(cls, shown: CheckRow) -> Self:
        """A check beside its state."""
        told = row(shown)
        last = shown.state.last if shown.state else None
        return cls(
            name=told.name,
            kind=told.kind,
            state=told.state,  # type: ignore[arg-type]  # a row's word is one of these by construction
            since=told.since,  # type: ignore[arg-type]  # Moment reads Unix seconds
            sentence=told.sentence,
            origin=shown.check.origin,
            paused=shown.check.paused,
            spec=mask(shown.check.spec),
            last_round=RoundModel.of(last) if last else None,
            incident=told.incident,
        )


class CheckListModel(Model):
    """A page of checks, worst first."""

    checks: list[CheckModel]
    total: int = Field(description="How many match the filter.")


class Spec(BaseModel):
    """The keys of a `[check.NAME]` table. They are judged by the same rules as a configuration file."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {"url": "https://shop.example/login", "every": "1m", "expect": {"body": "Basket"}}
        },
    )


class PutResult(Model):
    """What became of definitions."""

    created: list[str]
    replaced: list[str]


class Pause(BaseModel):
    """Whether a check shall rest."""

    paused: bool = True


class Acknowledge(BaseModel):
    """For how long somebody takes care."""

    lasts: float | None = Field(None, ge=60, le=366 * 86400, description="Seconds; without it to the incident's end.")


class EntryModel(Model):
    """A line of an incident's timeline."""

    at: Moment
    event: str
    text: str
    by: str = ""


class NoticeModel(Model):
    """A notice and what became of it."""

    channel: str
    step: str = Field(description="firing, raised, repeat-N, resend-N, resolved or test.")
    status: Literal["waiting", "sent", "dead"]
    tries: int
    next_at: Moment
    error: str = ""

    @classmethod
    def of_row(cls, shown: OutboxRow) -> Self:
        """A row of the outbox."""
        flat = {"channel": shown.notice.channel, "step": shown.notice.step}
        return cls.model_validate({**msgspec.to_builtins(shown), **flat})


class SuppressionModel(Model):
    """What holds back that an incident opened; that it ends is told to whoever heard of it."""

    kind: Literal["silence", "maintenance", "parent", "flapping"]
    by: str = Field(description="The number of the silence, the name of the maintenance or parent, the share.")
    until: Moment | None = None


class IncidentModel(Model):
    """One episode of a check, a rule, a watched cluster or NightOwl itself being in breach."""

    id: str
    kind: Literal["check", "rule", "nodata", "cluster", "own"]
    subject: str
    severity: Literal["info", "warning", "critical"]
    summary: str
    reason: str = ""
    opened: Moment
    resolved: Moment | None = None
    acknowledged: Moment | None = None
    acknowledged_by: str = ""
    acknowledged_until: Moment | None = Field(None, description="When that runs out; null: with the incident.")
    suppressed: SuppressionModel | None = Field(None, description="What holds back that it opened.")
    tags: dict[str, str] = {}
    runbook: str = ""
    link: str = Field("", description="The path of a page about its subject, below the public URL; empty: none.")


class IncidentDetail(IncidentModel):
    """An incident with what happened and who was told."""

    timeline: list[EntryModel]
    notices: list[NoticeModel]

    @classmethod
    def of_incident(cls, incident: Incident, timeline: list[Entry], notices: list[OutboxRow]) -> Self:
        """An incident, its timeline and its notices."""
        inner = {
            "timeline": [EntryModel.of(entry) for entry in timeline],
            "notices": [NoticeModel.of_row(shown) for shown in notices],
        }
        return cls.model_validate({**msgspec.to_builtins(incident), **inner})


class IncidentListModel(Model):
    """A page of incidents, newest first."""

    incidents: list[IncidentModel]
    total: int


class ActorModel(Model):
    """A process that runs checks at a location."""

    name: str
    location: str
    state: Literal["working", "silent", "offline", "clock"] = Field(
        description="`silent`: it said no goodbye. `offline`: its control targets fail. `clock`: it is wrong."
    )
    since: Moment
    heard: Moment
    skew: float | None = Field(None, description="Seconds by which its clock is fast; negative: slow.")
    holding: int = Field(description="Batches that it has.")


class LocationModel(Model):
    """A place that runs checks."""

    name: str
    reach: Literal["internet", "private", "any"]
    labels: dict[str, str] = {}
    control: list[str] = Field([], description="URLs that answer while the place is online.")
    actors: list[ActorModel] = Field([], description="As the leading director hears them.")


class RouteModel(Model):
    """Which incidents go to a channel."""

    name: str
    match: dict[str, str] = Field({}, description="By `severity`, `name` or a tag: the value asked for (a pattern).")


class LaterModel(Model):
    """A route that leads to a channel by its escalation."""

    route: RouteModel
    after: float = Field(description="Seconds from the first notice on, unless somebody acknowledges.")


class ChannelModel(Model):
    """Somewhere that notices go."""

    name: str
    kind: str = Field(examples=["email"])
    routes: list[RouteModel] = Field([], description="The routes that lead there.")
    escalations: list[LaterModel] = Field([], description="Those that lead there only while nobody acknowledges.")


class SeriesModel(Model):
    """A series: its labels, and its samples as [moment in Unix seconds, value]."""

    metric: str
    labels: dict[str, str]
    samples: list[tuple[float, float]]
