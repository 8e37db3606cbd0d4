"""What the API gives about rules."""

from __future__ import annotations

from typing import Any, Literal, Self

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from nightowl.core.rule_trace import Trace
from nightowl.web.api.models import IncidentModel, Model, Moment
from nightowl.web.backtest import Tried
from nightowl.web.rule_rows import RuleRow
from nightowl.web.rule_series import SeriesNow
from nightowl.web.rule_view import RuleView

Phase = Literal["OK", "PENDING", "FIRING", "RECOVERING", "NODATA"]


class StandingModel(Model):
    """Where a rule stands for a series that it is not at rest for."""

    series: str = Field(examples=['check_duration_seconds{check="shop",location="office",phase="total"}'])
    labels: dict[str, str]
    phase: Phase = Field(description="`OK` stands here only where the data has ended.")
    since: Moment | None = Field(None, description="From when it has been so; null where that is not known.")
    until: Moment | None = Field(None, description="Of `RECOVERING`: when it will be over.")
    silent: Moment | None = Field(None, description="From when there has been no data.")
    incident: str = Field("", description="The id of the open incident of the breach.")
    silence: str = Field("", description="The id of the open incident of the missing data.")
    why: str = Field("", description="Of a series on a source: why it became unknown.")


class RuleModel(Model):
    """A rule: what it says, and where it stands."""

    name: str
    metric: str
    strategy: str = Field(examples=["fixed"])
    sentence: str = Field(description="Which series it looks at, and when it fires.")
    severity: Literal["info", "warning", "critical"]
    state: Literal["firing", "no data", "pending", "recovering", "unknown", "ok"] = Field(
        description="That of its worst series; `ok` also where it has found no series yet."
    )
    tags: dict[str, str]
    runbook: str
    standings: list[StandingModel] = Field(description="Series that it is not at rest for, worst first.")

    @classmethod
    def of_row(cls, shown: RuleRow) -> Self:
        """A row of the list."""
        flat = msgspec.to_builtins(shown)
        return cls.model_validate({**flat, "standings": flat["series"]})


class RuleSpec(BaseModel):
    """The keys of a `[rule.NAME]` table. They are judged by the same rules as a configuration file."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={"example": {"metric": "celery_queue_length", "above": 1000, "recover": 500, "for": "5m"}},
    )


class SeriesNowModel(StandingModel):
    """A series as a rule sees it now."""

    phase: Phase
    state: Literal["firing", "no data", "pending", "recovering", "unknown", "ok"]
    value: float | None = Field(None, description="The figure that is judged: the newest sample, a rate, an average.")
    bound: float | None = Field(None, description="The limit that is broken, or nearest to that, in the same unit.")
    sentence: str = Field("", description="How the two compare.", examples=["412 > 380 = median of the 30 min before"])

    @classmethod
    def of_series(cls, shown: SeriesNow) -> Self:
        """A row of the page."""
        flat = msgspec.to_builtins(shown)
        return cls.model_validate({**flat.pop("row"), **flat})


class RuleDetail(Model):
    """A rule with its definition, its series now, and its incidents."""

    name: str
    origin: Literal["file", "stored"] = Field(description="`file`: a configuration file has it, and it is read-only.")
    definition: dict[str, Any] = Field(description="The keys of its `[rule.NAME]` table.")
    toml: str = Field(description="The same as a table for a configuration file.")
    mistake: str = Field("", description="Why it cannot be evaluated; empty: it can.")
    rule: RuleModel | None = Field(description="Null where it cannot be evaluated.")
    total: int = Field(description="How many stored series match.")
    advice: str = Field("", description="Where none matches: what there is instead.")
    series: list[SeriesNowModel] = Field(description="Its series now, worst first; 50 at most.")
    more: int = Field(description="How many series are not listed.")
    incidents: list[IncidentModel] = Field(description="The newest 20.")
    pages: int = Field(description="Incidents of the last seven days.")

    @classmethod
    def of_view(cls, shown: RuleView) -> Self:
        """What the page shows."""
        flat = msgspec.to_builtins(shown)
        return cls.model_validate(
            {
                **flat,
                "definition": shown.spec,
                "rule": RuleModel.of_row(shown.row) if shown.row else None,
                "series": [SeriesNowModel.of_series(each) for each in shown.series.rows],
                "more": shown.series.more,
            }
        )


class TransitionModel(Model):
    """A rule comes from one phase to another."""

    at: Moment
    before: Phase
    after: Phase


class StayModel(Model):
    """A rule is in one phase."""

    phase: Phase
    start: Moment
    end: Moment


class GapModel(Model):
    """Nothing was known of a series."""

    start: Moment
    end: Moment


class PointModel(Model):
    """The figure that a rule judged at an instant; null: there was none."""

    at: Moment
    value: float | None


class BandModel(Model):
    """Between which figures nothing was broken at an instant; null: there was no limit, or it was not known."""

    at: Moment
    lower: float | None
    upper: float | None


class TraceModel(Model):
    """What a rule saw of one series, thinned to about 600 moments."""

    series: str
    start: Moment
    end: Moment
    every: float = Field(description="Seconds from one look to the next.")
    points: list[PointModel]
    band: list[BandModel]
    opened: list[Moment] = Field(description="When it would have paged.")
    stays: list[StayModel]
    gaps: list[GapModel]
    cut: str = Field("", description="What was left out; empty: nothing.")

    @classmethod
    def of_tried(cls, series: str, tried: Tried) -> Self:
        """What was drawn; without any sample in the span all lists are empty."""
        drawn = tried.trace or Trace(start=tried.start, end=tried.end, every=tried.every)
        return cls.model_validate(
            {
                "series": series,
                "start": tried.start,
                "end": tried.end,
                "every": tried.every,
                "points": [{"at": at, "value": value} for at, value in drawn.points],
                "band": [{"at": each.at, "lower": each.lower, "upper": each.upper} for each in drawn.band],
                "opened": list(drawn.opened),
                "stays": msgspec.to_builtins(drawn.stays),
                "gaps": msgspec.to_builtins(drawn.gaps),
                "cut": tried.cut,
            }
        )


class BacktestAsk(BaseModel):
    """What to try, on which span: `from` and `to`, or the `last` so long until now."""

    model_config = ConfigDict(extra="forbid")

    rule: RuleSpec
    start: Moment | None = Field(None, alias="from")
    end: Moment | None = Field(None, alias="to", description="Now without it.")
    last: str = Field("3d", description="A duration; means nothing beside `from`.")
    every: str = Field("10s", description="From one look to the next, at least.")


class BacktestModel(Model):
    """What a rule would have done."""

    start: Moment
    end: Moment
    since: Moment = Field(description="When the first sample was, or `start` where that is later.")
    every: float = Field(description="Seconds from one look to the next.")
    total: int = Field(description="How many series match.")
    tried: int = Field(description="How many of them had samples and were looked at.")
    pages: int = Field(description="How often it would have paged.")
    series: dict[str, list[TransitionModel]] = Field(description="The transitions of each series that has any.")
    opened: dict[str, list[Moment]] = Field(description="When it would have paged, by series.")
    advice: str = Field("", description="Where no series matches: what there is instead.")
    cut: str = Field("", description="What was left out, and why; empty: nothing.")

    @classmethod
    def of_tried(cls, tried: Tried) -> Self:
        """What came of it."""
        return cls.model_validate(
            {
                **{
                    name: getattr(tried, name) for name in ("start", "end", "since", "every", "total", "tried", "pages")
                },
                "series": {
                    str(series): [{"at": step.at, "before": step.before, "after": step.after} for step in steps]
                    for series, steps in tried.transitions.items()
                },
                "opened": {str(series): moments for series, moments in tried.opened.items()},
                "advice": tried.advice,
                "cut": tried.cut,
            }
        )
