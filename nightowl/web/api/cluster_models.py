"""What the API gives of watched clusters. Moments are ISO 8601 in UTC, durations seconds, sizes bytes."""

from __future__ import annotations

from pydantic import Field

from nightowl.web.api.models import IncidentModel, Model, Moment, Seconds, StateWord


class ClusterModel(Model):
    """A cluster in a word and a sentence."""

    name: str
    state: StateWord
    sentence: str
    at: Moment | None = Field(None, description="When its watcher wrote last.")
    open: dict[str, int] = Field({}, description="How many incidents of it are open, by severity.")


class WorkerModel(Model):
    """A worker. What only an inspection tells is null until one was answered."""

    name: str = Field(description="The node name.", examples=["celery@web-1"])
    up: bool
    heard: Moment
    since: Moment
    offline: Moment | None = Field(None, description="Since when it is away.")
    goodbye: bool = Field(False, description="Whether it said that it goes.")
    active: int = 0
    processed: int = 0
    loadavg: list[float] = Field([])
    software: str = ""
    version: str = ""
    system: str = ""
    skew: Seconds | None = Field(None, description="By how many seconds its clock is fast.")
    inspected: Moment | None = None
    pid: int | None = None
    pool: str = ""
    concurrency: int | None = None
    processes: list[int] = Field([])
    autoscale: tuple[int, int] | None = Field(None, description="The least and the most processes.")
    prefetch: int | None = None
    memory: int | None = Field(None, description="Bytes.")
    uptime: Seconds | None = None
    queues: list[str] = Field([])
    registered: list[str] = Field([])
    totals: dict[str, int] = Field({}, description="Tasks executed since it started, by name.")
    pool_restarts: bool | None = Field(None, description="Whether its pool may be restarted.")


class QueueModel(Model):
    """A queue; null is what this broker does not tell."""

    name: str
    ready: int | None = Field(None, description="Messages that wait for a worker.")
    unacked: int | None = Field(None, description="Messages that a worker has.")
    scheduled: int | None = Field(None, description="Those of them that are not due yet.")
    age: Seconds | None = Field(None, description="Of the oldest ready message.")
    consumers: int | None = None
    workers: int | None = None
    processes: int | None = None
    rate_in: float | None = Field(None, description="Messages a second.")
    rate_out: float | None = Field(None, description="Messages a second.")


class BrokerModel(Model):
    """The broker itself."""

    kind: str
    url: str = Field(description="Without its password.")
    version: str = ""
    memory: int | None = None
    memory_limit: int | None = None
    clients: int | None = None
    pubsub_buffer: int | None = None
    alarms: list[str] = Field([])


class DueModel(Model):
    """An entry of a beat schedule."""

    name: str
    task: str
    schedule: str = Field(description="In words.")
    origin: str = ""
    args: str = ""
    kwargs: str = ""
    queue: str = ""
    enabled: bool = True
    next: Moment | None = None
    last: Moment | None = None
    late: Seconds | None = None
    missed: int = 0


class GapModel(Model):
    """A time in which events were, or may have been, lost."""

    start: Moment
    end: Moment
    reason: str
    lost: int | None = None


class ClusterStateModel(ClusterModel):
    """A cluster as its watcher sees it."""

    fault: str = ""
    broker: BrokerModel | None = None
    workers: list[WorkerModel] = Field([])
    queues: list[QueueModel] = Field([])
    beat: list[DueModel] = Field([])
    gaps: list[GapModel] = Field([])
    missing: list[str] = Field([], description="What cannot be seen, and what would mend it.")
    incidents: list[IncidentModel] = Field([], description="Those that are open: most severe first, then oldest.")
    events: int = 0
    refused: int = 0
    open_tasks: int = 0


class TaskModel(Model):
    """A task and its newest execution."""

    uuid: str
    name: str = ""
    state: str = "PENDING"
    worker: str = ""
    client: str = ""
    queue: str = ""
    exchange: str = ""
    routing_key: str = ""
    args: str | None = Field(None, description="As Celery writes them, cut by the sender; secrets hidden.")
    kwargs: str | None = None
    result: str | None = None
    exception: str = Field("", description="The class.")
    error: str | None = None
    place: str = Field("", description="Where it was raised.", examples=["shop/tasks.py:31 in charge"])
    traceback: str | None = None
    retries: int = 0
    executions: int = 0
    root: str = ""
    parent: str = ""
    group: str = ""
    eta: Moment | None = None
    expires: Moment | None = None
    sent: Moment | None = None
    received: Moment | None = None
    started: Moment | None = None
    succeeded: Moment | None = None
    failed: Moment | None = None
    retried: Moment | None = None
    revoked: Moment | None = None
    rejected: Moment | None = None
    runtime: Seconds | None = None
    wait: Seconds | None = Field(None, description="From being sent, or due, to being started.")
    updated: Moment
    seen: Moment
    current: float | None = Field(None, description="Progress that it told, of `total`.")
    total: float | None = None


class TaskPageModel(Model):
    """A part of a list of tasks, newest first. `after` asks for the next part; null: it ends here."""

    tasks: list[TaskModel]
    after: str | None = None


class FailuresModel(Model):
    """Failures of one task with one exception at one place."""

    name: str
    exception: str
    place: str
    count: int
    first: Moment
    last: Moment
    uuid: str = Field(description="The newest of them.")
