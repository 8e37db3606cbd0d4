"""Watched Celery clusters: ``[cluster.NAME]`` and ``[metrics]``."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from nightowl.config.fields import Line, Options, Seconds, Shape, WebUrl, refuse
from nightowl.config.models.table import Table
from nightowl.core.cluster.settings import QUEUE_WAIT_BUCKETS, REDACTED, RUNTIME_BUCKETS

Content = Literal["json", "yaml", "msgpack"]
"""A serializer whose messages are read; pickle is none of them."""


def _json_alone() -> list[Content]:
    return ["json"]


def _bound(found: float) -> float:
    if not 0 < found < math.inf:
        raise refuse("a number of seconds above 0")
    return found


def _buckets(found: list[float]) -> list[float]:
    if not found or any(one >= other for one, other in pairwise(found)):
        raise refuse("upper bounds in seconds, above 0 and rising, such as [0.1, 1.0, 10.0]")
    return found


def _prefix(found: str) -> str:
    if not re.fullmatch(r"[a-zA-Z_:][a-zA-Z0-9_:]*", found):
        raise refuse('what a metric\'s name may begin with, such as "celery_"')
    return found


def _account(found: str) -> str:
    user, separator, password = found.partition(":")
    if not (user and separator and password):
        raise refuse('a user and a password, such as "prometheus:${env:SCRAPE_PASSWORD}"')
    return found


Bound = Annotated[float, AfterValidator(_bound)]
"""An upper bound in seconds."""

Buckets = Annotated[list[Bound], Field(max_length=50), AfterValidator(_buckets), Shape("list of seconds")]
"""Upper bounds of a histogram."""


class Ssl(Table):
    """How the cluster's broker is spoken to over TLS."""

    ca: str | None = None
    """A file of CA certificates (PEM) that the broker's certificate is verified by. Without it: the system's."""
    certificate: str | None = None
    """A file with the client certificate (PEM) that is shown to the broker."""
    key: str | None = None
    """A file with the private key (PEM) of `certificate`."""
    verify: bool = True
    """Whether the broker's certificate must be valid, trusted and made for its host."""


class Failures(Table):
    """Which failed tasks open incidents: one for each task, exception and place."""

    tasks: list[Line] = Field(default_factory=lambda: ["*"])
    """Names of tasks as shell patterns; `[]`: none."""
    after: Annotated[int, Field(ge=1)] = 1
    """How many failures of a task that does not usually fail open an incident; retries are not counted."""
    resolve: Annotated[float, Seconds(at_least=60)] = 1800.0
    """How long none has failed that way before the incident resolves."""


class Finding(Table):
    """A detector of what goes wrong by itself; `false` in place of the table switches it off."""

    on: bool = True
    """Whether it looks."""
    severity: Literal["info", "warning", "critical"] | None = None
    """How much its incidents matter. Without it: as the detector has it."""
    skip: list[Line] = Field(default_factory=list)
    """What it does not judge, as shell patterns: names of tasks, of queues, of workers or of beat entries."""

    @model_validator(mode="before")
    @classmethod
    def _switched(cls, found: Any) -> Any:
        if not isinstance(found, bool | dict | Finding):
            raise refuse("a table, true or false")
        return {"on": found} if isinstance(found, bool) else found


class Lasting(Finding):
    """A detector of what must last, or be late, for a while."""

    after: Annotated[float, Seconds()] | None = None
    """How long it lasts before it counts. Without it: as the detector has it."""


class Backlog(Lasting):
    """The detector of queues that grow."""

    floor: Annotated[int, Field(ge=1)] | None = None
    """From how many messages on a queue is looked at. Without it: 100."""


class Findings(Table):
    """What is found by itself: each can be tuned (`stuck = { after = "5m" }`) or switched off (`stuck = false`)."""

    failures: Finding = Finding()
    """A task that does not usually fail has failed; `failures` beside this table says which, and how often."""
    worker_silent: Lasting = Lasting()
    """A worker is down and has not said goodbye; `after`: beyond `worker_timeout` (`"0s"`)."""
    lost: Finding = Finding()
    """A worker went away with tasks that it had started."""
    stuck: Lasting = Lasting()
    """A task runs far beyond its usual time; `after`: and for at least as long (`"1m"`)."""
    unreceived: Lasting = Lasting()
    """A task was sent and is due, and no worker received it; `after`: for as long (`"5m"`)."""
    unconsumed: Lasting = Lasting()
    """A queue holds messages and has no consumer; `after`: for as long (`"1m"`)."""
    backlog: Backlog = Backlog()
    """A queue grows and will not be drained soon; `after`: for as long (`"10m"`)."""
    failure_rate: Finding = Finding()
    """More runs of a task fail than usual, in the last 10 minutes."""
    beat: Lasting = Lasting()
    """An entry of the beat schedule is late: it was due and has not run since; `after`: how late (`"2m"`)."""
    stages: Lasting = Lasting()
    """What was received less what has finished does not return to zero; `after`: for as long (`"30m"`)."""
    gaps: Finding = Finding()
    """Events were lost, so that what is shown may miss tasks."""


class Cluster(Table):
    """A Celery installation that is watched: its broker's URL is enough."""

    stand_ins: ClassVar = {"broker": "memory://"}

    broker: Annotated[Line, Field(min_length=1)]
    """The URL of the broker that the workers use, such as `redis://127.0.0.1:6379/0` or `amqp://rabbit.example//`."""
    backend: Line = ""
    """The URL of the result backend, by which results are shown and tasks aborted. Without it neither is."""
    app: Line = ""
    """The Celery app (`proj.celery:app`), where it can be imported here: for its beat schedule and `apply`."""
    queues: list[Line] = Field(default_factory=list)
    """Queues to measure beside those that workers consume, which are found by themselves."""
    default_queue: Annotated[Line, Field(min_length=1)] = "celery"
    """The queue of tasks of which nothing says where they were sent."""
    rabbitmq_api: WebUrl | None = None
    """RabbitMQ's management API with user and password, such as `http://guest:guest@127.0.0.1:15672/api/`."""
    transport_options: Options = Field(default_factory=dict)
    """Options of Celery's transport for this broker (`broker_transport_options`)."""
    ssl: Ssl | None = None
    """Files for TLS: `{ ca = "ca.pem" }`."""
    accept_content: list[Content] = Field(default_factory=_json_alone)
    """Serializers whose events are read: `json`, `yaml`, `msgpack`. Pickle is never read."""
    enable_events: bool = True
    """Whether workers that send no events are told to."""
    worker_timeout: Annotated[float, Seconds(at_least=5)] = 300.0
    """How long a worker is silent before it is down."""
    purge_offline_workers: Annotated[float, Seconds()] = 600.0
    """How long a worker that is down is still shown; `"0s"`: for ever."""
    arguments: Literal["redacted", "full", "none"] = "redacted"
    """What is kept of arguments and results: all but what `redact` names, all, or nothing."""
    redact: list[Line] = Field(default_factory=lambda: list(REDACTED))
    """Names of arguments whose values are hidden, as shell patterns."""
    control: bool = True
    """Whether workers can be controlled and tasks be sent."""
    beat: Line = ""
    """The URL of the database in which django-celery-beat keeps its entries, to show them."""
    failures: Failures = Failures()
    """Which failed tasks open incidents: `{ tasks = ["*"], after = 1, resolve = "30m" }`."""
    findings: Findings = Findings()
    """What is found by itself: `{ worker_silent = false, stuck = { severity = "critical" } }`."""
    depends_on: list[Line] = Field(default_factory=list)
    """Checks and rules: while one of them is down, what is found of the cluster opens without a word."""


class Metrics(Table):
    """How the metrics of clusters are written on `/metrics`."""

    prefix: Annotated[str, AfterValidator(_prefix), Shape("text")] = "celery_"
    """What the names of celery-exporter's families begin with."""
    labels: Annotated[dict[str, str], Shape("table of label to text")] = Field(default_factory=dict)
    """Labels that each of these series gets."""
    runtime_buckets: Buckets = Field(default_factory=lambda: list(RUNTIME_BUCKETS))
    """Upper bounds of run times."""
    queue_wait_buckets: Buckets = Field(default_factory=lambda: list(QUEUE_WAIT_BUCKETS))
    """Upper bounds of the waits between being sent and being started."""
    generic_hostnames: bool = False
    """Whether clients that send tasks are all called `generic`, where each has a name of its own."""
    auth: Annotated[str, AfterValidator(_account), Shape("user:password")] | None = None
    """`user:password` that who reads `/metrics` must give."""
