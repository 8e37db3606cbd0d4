"""``[sink.NAME]``: one model for each kind."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator

from nightowl.config.fields import Address, Headers, Line, Seconds, Shape, Size, WebUrl, Whole, plain, refuse, split_url
from nightowl.config.models.check import Auth
from nightowl.config.models.hook import Patterns
from nightowl.config.models.table import Table
from nightowl.core.sinks.paths import DEFAULT, template_problem

_LABEL = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_RENAMED = re.compile(r"\{[A-Za-z_]\w*\}", re.ASCII)

OF_QUEUES = ("celery_queue_*", "celery_active_consumer_count")
"""The metrics of a sink whose metrics cost money each."""


def _label(found: str) -> str:
    if not _LABEL.fullmatch(found):
        raise refuse('a label whose name has letters, digits and "_" alone, and does not begin with a digit')
    return found


def _label_text(found: object) -> str | bool:
    braces = isinstance(found, str) and ("{" in found or "}" in found)
    if found is False or (isinstance(found, str) and found and found.isprintable() and not braces):
        return found
    if isinstance(found, str) and _RENAMED.fullmatch(found):
        return found
    raise refuse('a text, "{other}" (the label of that name, renamed) or false (dropped)')


def _datagram_address(found: str) -> str:
    parts = split_url(found)
    try:
        there = bool(parts and parts.hostname and parts.scheme in ("udp", "tcp") and not parts.path)
        there = there or bool(parts and parts.scheme == "unix" and parts.path and not parts.netloc)
    except ValueError:
        there = False
    if not there:
        raise refuse('an address such as "udp://127.0.0.1:8125", "tcp://127.0.0.1:8125" or "unix:///run/statsd.sock"')
    return found


def _path_template(found: str) -> str:
    if problem := template_problem(found):
        raise refuse(problem)
    return found


def _path(found: str) -> str:
    if not re.fullmatch(r"([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)?", found):
        raise refuse('parts of letters, digits, "_" and "-" with dots between, such as "nightowl", or nothing')
    return found


def _start(found: str) -> str:
    if not re.fullmatch(r"([A-Za-z_:][A-Za-z0-9_:]*)?", found):
        raise refuse('what the name of a metric may begin with, such as "owl_", or nothing')
    return found


def _namespace(found: str) -> str:
    if not re.fullmatch(r"(?!AWS/)[A-Za-z0-9_./#-][A-Za-z0-9_./#:-]{0,254}", found):
        raise refuse('a namespace of CloudWatch, such as "NightOwl"; none that begins with "AWS/"')
    return found


def _share(found: float) -> float:
    if not 0 < found <= 1:
        raise refuse("a number above 0 and up to 1")
    return found


def _without_fragment(found: str) -> str:
    parts = urlsplit(found)
    if parts.fragment:
        raise refuse('a URL without fragment, such as "https://vm.example/api/v1/write"')
    return found


SinkLabels = Annotated[
    dict[Annotated[str, AfterValidator(_label)], Annotated[Any, PlainValidator(_label_text)]],
    WithJsonSchema({"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, {"const": False}]}}),
    Shape('table of label to text, `"{other}"` or false'),
]
"""How labels are changed on their way."""

Path = Annotated[str, AfterValidator(_path)]
Start = Annotated[str, AfterValidator(_start)]
Template = Annotated[str, AfterValidator(_path_template), Shape("template of paths")]
Share = Annotated[float, BeforeValidator(lambda found: float(found) if isinstance(found, int) else found)]


class _Sink(Table):
    """What all kinds have in common."""

    labels: SinkLabels = Field(default_factory=dict)
    """Labels that are added (`env = "prod"`), renamed (`queue = "{queue_name}"`) or dropped (`hostname = false`)."""
    metrics: Patterns = Field(default_factory=lambda: ["*"])
    """Which metrics are sent, by name."""
    every: Annotated[float, Seconds(at_least=1, at_most=3600)] = 10.0
    """How often they are sent."""


class Statsd(_Sink):
    """Counters, timers and gauges to StatsD or what understands it: Datadog's agent, Telegraf, statsd_exporter."""

    kind: Literal["statsd"]
    """`statsd`."""
    address: Annotated[str, AfterValidator(_datagram_address), Shape("address")] = "udp://127.0.0.1:8125"
    """Where it listens: `udp://host:port`, `tcp://host:port` or `unix:///path` (datagrams)."""
    prefix: Path = "nightowl"
    """What all names begin with."""
    dialect: Literal["plain", "dogstatsd", "influx", "graphite"] = "plain"
    """How labels are written: in the name (`plain`), or as tags of DogStatsD, Influx (Telegraf) or Graphite."""
    template: Template = DEFAULT
    """The names of `plain`, as with `graphite`."""
    packet_size: Annotated[int, Whole(100, 65_000), Shape("bytes")] = 1432
    """Bytes of a datagram at most: 1432 fits Ethernet, 8932 jumbo frames and loopback, 512 the Internet."""
    timer_values: Annotated[int, Whole(1, 1000)] = 20
    """Durations of each timer that one snapshot sends at most; each counts for several where there were more."""
    sample_rate: Annotated[Share, AfterValidator(_share), Shape("number up to 1")] = 1.0
    """Which share of durations is sent at most."""


class Graphite(_Sink):
    """All metrics to Graphite (carbon) or what understands it."""

    kind: Literal["graphite"]
    """`graphite`."""
    address: Address = "127.0.0.1:2003"
    """Where carbon listens."""
    prefix: Path = "nightowl"
    """What all paths begin with."""
    protocol: Literal["plaintext", "pickle"] = "plaintext"
    """`plaintext` (port 2003) or `pickle` (2004)."""
    tags: bool = False
    """Whether labels are sent as tags (Graphite 1.1) and not in the path."""
    template: Template = DEFAULT
    """The paths. `{labels}` are all labels that stand nowhere else; a part whose labels a series does not have drops \
out."""


class Files(_Sink):
    """All metrics as rows `series,ts,value` of CSV files, which a source of kind `files` and `backtest` read."""

    kind: Literal["files"]
    """`files`."""
    path: Annotated[Line, Field(min_length=1)]
    """The folder, relative to the configuration file; it is made where it is missing."""
    prefix: Start = ""
    """What the names of metrics begin with."""
    max_size: Size = 16_000_000
    """From which size on a new file is begun."""
    max_age: Annotated[float, Seconds(at_least=1)] = 3600.0
    """From which age on a new file is begun."""
    keep: Annotated[float, Seconds(at_least=60)] = 604_800.0
    """After which age a file is deleted."""


class Prometheus(_Sink):
    """An address of its own at which Prometheus scrapes the selection, as text or OpenMetrics."""

    kind: Literal["prometheus"]
    """`prometheus`."""
    address: Address
    """Where it is served, at `/metrics`."""
    prefix: Start = ""
    """What the names of metrics begin with."""


class RemoteWrite(_Sink):
    """All metrics by Prometheus' remote-write protocol: to Prometheus, VictoriaMetrics, Mimir, Thanos and others."""

    kind: Literal["remote_write"]
    """`remote_write`."""
    url: Annotated[WebUrl, AfterValidator(_without_fragment)]
    """Where samples are written, such as `http://127.0.0.1:8428/api/v1/write`."""
    prefix: Start = ""
    """What the names of metrics begin with."""
    auth: Auth | None = None
    """How to sign in: `{ basic = "user:password" }` or `{ bearer = "token" }`, best as `${env:NAME}`."""
    headers: Headers = Field(default_factory=dict)
    """Headers to send, such as that of a tenant."""
    verify: bool = True
    """Whether the receiver's certificate must be valid, trusted and made for its host."""
    ca: str | None = None
    """CA certificates that the receiver's is verified by: a PEM file or text. Without it: the system's."""
    timeout: Annotated[float, Seconds(at_least=1, at_most=30)] = 10.0
    """How long one request may take."""


class CloudWatch(_Sink):
    """Lengths of queues, and what else is chosen, to Amazon CloudWatch. Needs `pip install 'nightowl[cloudwatch]'`.

    Credentials are found as boto3 finds them: environment, shared files, or the role of the machine.
    """

    kind: Literal["cloudwatch"]
    """`cloudwatch`."""
    metrics: Patterns = Field(default_factory=lambda: list(OF_QUEUES))
    """Which metrics are sent, by name; each one with each set of dimensions costs money."""
    every: Annotated[float, Seconds(at_least=10, at_most=3600)] = 60.0
    """How often they are sent."""
    namespace: Annotated[str, AfterValidator(_namespace)] = "NightOwl"
    """The namespace of the metrics."""
    prefix: Start = ""
    """What the names of metrics begin with."""
    region: Line = ""
    """The region. Without it: that of `AWS_REGION`, `AWS_DEFAULT_REGION` or the profile."""
    url: WebUrl | None = None
    """Another endpoint, such as a VPC's. Without it: the region's own."""
    dimensions: list[Line] = Field(default_factory=lambda: ["cluster", "queue_name"])
    """Which labels become dimensions; the others are dropped, their counters summed, of gauges the highest taken."""
    thresholds: Annotated[dict[str, float], Shape("table of queue to number")] = Field(default_factory=dict)
    """From which length on a queue is critical: `{ emails = 1000 }` sends a metric `QueueStatus`, 0 or 1."""


class PlugIn(Table):
    """A sink of a plug-in's kind; what its own keys may be is for the plug-in to say."""

    model_config = ConfigDict(extra="allow")

    kind: str
    """What the plug-in calls it."""
    address: Line = ""
    url: Line = ""
    prefix: Line = ""
    labels: SinkLabels = Field(default_factory=dict)
    metrics: Patterns = Field(default_factory=lambda: ["*"])
    every: Annotated[float, Seconds(at_least=1, at_most=3600)] = 10.0

    @model_validator(mode="after")
    def _plain(self) -> PlugIn:
        plain(dict(self.model_extra or {}))
        return self


BuiltIn = Statsd | Graphite | Files | Prometheus | RemoteWrite | CloudWatch
"""A sink of a built-in kind."""

AnySink = BuiltIn | PlugIn
"""A sink of any kind."""

SINKS: dict[str, type[BuiltIn]] = {
    "statsd": Statsd,
    "graphite": Graphite,
    "files": Files,
    "prometheus": Prometheus,
    "remote_write": RemoteWrite,
    "cloudwatch": CloudWatch,
}
"""The kinds of sinks that need no plug-in."""
