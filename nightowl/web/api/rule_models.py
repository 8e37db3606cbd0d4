"""What the API gives about rules."""

from __future__ import annotations

from typing import Literal, Self

import msgspec
from pydantic import Field

from nightowl.web.api.models import Model, Moment
from nightowl.web.rule_rows import RuleRow


class StandingModel(Model):
    """Where a rule stands for a series that it is not at rest for."""

    series: str = Field(examples=['check_duration_seconds{check="shop",location="office",phase="total"}'])
    labels: dict[str, str]
    phase: Literal["OK", "PENDING", "FIRING", "RECOVERING", "NODATA"] = Field(
        description="`OK` stands here only where the data has ended."
    )
    since: Moment | None = Field(None, description="From when it has been so; null where that is not known.")
    until: Moment | None = Field(None, description="Of `RECOVERING`: when it will be over.")
    silent: Moment | None = Field(None, description="From when there has been no data.")
    incident: str = Field("", description="The id of the open incident of the breach.")
    silence: str = Field("", description="The id of the open incident of the missing data.")


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
