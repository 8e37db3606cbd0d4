"""What the API takes and gives where something is done to a cluster."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from nightowl.core.cluster.task import TaskFilter, TaskState
from nightowl.web.api.models import Model

Names = Annotated[list[str], Field(max_length=100)]
Signal = Annotated[str, Field(description="Of `terminate`.", examples=["SIGTERM", "SIGKILL"])]
Confirmed = Annotated[bool, Field(description="What loses work must be confirmed; else it is answered by 409.")]
Counted = Annotated[
    int | None,
    Field(ge=0, description="How many at most: the count that the 409 without it told, in `mistakes[0].allowed`."),
]


class Body(BaseModel):
    """The root of what is taken."""

    model_config = ConfigDict(extra="forbid")


class CommandBody(Body):
    """A command of Celery's remote control, and to whom it goes."""

    command: str = Field(examples=["pool_grow"])
    arguments: dict[str, Any] = Field(default={}, examples=[{"n": 2}])
    workers: Annotated[list[str], Field(max_length=1000)] = Field(
        default=[], description="Node names; empty: all workers."
    )
    confirmed: Confirmed = False
    timeout: float = Field(default=1.0, ge=0.05, le=30.0, description="Seconds that workers are given to answer.")


class AnswerModel(Model):
    """What one worker said; secrets hidden."""

    worker: str
    value: Any = None
    error: str = Field("", description="Why it refused; empty: it did not.")
    silent: bool = Field(False, description="Whether it said nothing in time.")


class RevokeBody(Body):
    """How a task is revoked: one that runs goes on, unless it is terminated, which takes an admin."""

    terminate: bool = False
    signal: Signal = "SIGTERM"
    confirmed: Confirmed = False
    timeout: float = Field(default=1.0, ge=0.05, le=30.0, description="Seconds that workers are given to answer.")


class FilterBody(Body):
    """Which tasks are meant, as in the address of the list; empty: all."""

    name: Names = []
    state: Annotated[list[TaskState], Field(max_length=20)] = []
    worker: Names = []
    queue: Names = []
    exception: str = ""
    place: str = ""
    root: str = ""
    parent: str = ""
    text: Annotated[str, Field(max_length=400)] = ""
    start: AwareDatetime | None = Field(default=None, alias="from")
    end: AwareDatetime | None = Field(default=None, alias="to")

    def wanted(self) -> TaskFilter:
        """The same as a value of the core."""
        return TaskFilter(
            names=tuple(self.name),
            states=tuple(each.value for each in self.state),
            workers=tuple(self.worker),
            queues=tuple(self.queue),
            exception=self.exception,
            place=self.place,
            root=self.root,
            parent=self.parent,
            words=tuple(self.text.split()),
            start=self.start.timestamp() if self.start else None,
            end=self.end.timestamp() if self.end else None,
        )


class RevokeManyBody(Body):
    """Many tasks to revoke, none of which has ended."""

    filter: FilterBody = FilterBody()
    confirmed: Counted = None
    terminate: bool = False
    signal: Signal = "SIGTERM"


class RetryManyBody(Body):
    """Many tasks to send again: failed ones, unless the filter names another state in which a task has ended."""

    filter: FilterBody = FilterBody()
    confirmed: Counted = None


class ManyModel(Model):
    """What became of many tasks."""

    done: int
    refused: dict[str, int] = Field({}, description="Why others were left out, and how many.")


class ConfirmBody(Body):
    """Whether it is meant."""

    confirmed: Confirmed = False


class DeletedModel(Model):
    """Messages that were deleted."""

    deleted: int


class SendBody(Body):
    """A call of a task."""

    task: str = Field(examples=["shop.charge"])
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    options: dict[str, Any] = Field(
        {},
        description="`queue`, `exchange`, `routing_key`, `priority`, `countdown`, `eta`, `expires`, `task_id`,"
        " `time_limit`, `soft_time_limit`, `root_id`, `parent_id`, `group_id`, `shadow`, `ignore_result`.",
        examples=[{"queue": "orders", "countdown": 60}],
    )


class SentModel(Model):
    """A task that was sent."""

    uuid: str


class AbortedModel(Model):
    """A task that was asked to end by itself, which it does when it looks."""

    uuid: str
    asked: Literal[True] = True
