"""``[check.NAME]`` and ``[template.NAME]``."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from nightowl.config.fields import (
    Cron,
    Headers,
    JsonPaths,
    Line,
    Names,
    Pattern,
    Resolver,
    Seconds,
    Shape,
    Statuses,
    Tags,
    TargetUrl,
    TimeZone,
    WebUrl,
    Whole,
    each_once,
    refuse,
)
from nightowl.config.models.table import Table


def _basic(found: str) -> str:
    if ":" not in found:
        raise refuse('"user:password"')
    return found


class Auth(Table):
    """How a check signs in: one of the two."""

    basic: Annotated[Line, AfterValidator(_basic)] | None = None
    """`user:password`, best as `${env:NAME}`."""
    bearer: Annotated[Line, Field(min_length=1)] | None = None
    """A token, best as `${env:NAME}`."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.basic is None) == (self.bearer is None):
            raise refuse("either basic or bearer")
        return self


class Expect(Table):
    """What a good answer looks like. Where any of it is broken, the attempt says *down*."""

    status: Statuses = ((200, 299),)
    """Codes and ranges of which the answer's status must be one: `["200-299", 404, "3xx"]`."""
    body: str = ""
    """A text that the body must contain."""
    not_body: str = ""
    """A text that the body must not contain."""
    regex: Pattern = ""
    """A regular expression that must be found in the body, within a bounded time."""
    json_values: JsonPaths = Field(default_factory=dict, alias="json")
    """JSONPath (RFC 9535) to the value it must have: `{ "$.ok" = true }`."""
    header: Headers = Field(default_factory=dict)
    """Headers and the text that the value of each must contain."""
    banner: str = ""
    """What a tcp peer must say, or an smtp server in its greeting; the text may stand anywhere in it."""
    tls: Literal["1.2", "1.3"] | None = None
    """The oldest version of TLS that a peer may agree on: a tls one, or an smtp one that goes over to TLS."""
    answers: list[Line] = Field(default_factory=list)
    """Records that must be among a name server's answers, as they are written: `["10 mail.example.com"]` for an MX."""


class Warn(Table):
    """What still counts as good. Where any of it is broken, the attempt says *degraded*."""

    duration: Annotated[float, Seconds(at_least=0.001)] | None = None
    """The longest that a good attempt may take."""
    certificate: Annotated[float, Seconds()] | None = None
    """The least time that the certificate must still be valid, such as `"14d"`."""


Record = Literal["A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NS", "PTR", "SOA", "SRV", "TLSA", "TXT"]


class CheckKeys(Table):
    """The keys that checks and templates share."""

    kind: str | None = None
    """What is spoken. Without it: the scheme of `url`. `celery`: `url` is a broker's. `heartbeat`: a job calls \
NightOwl; `task`: a task of a watched cluster runs. Neither has a `url`."""
    url: TargetUrl | None = None
    """What to test: `https://...`, `tcp://HOST:PORT`, ... A check needs one, its own or its template's, unless it is \
a heartbeat or follows a task."""
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = "GET"
    """The HTTP method."""
    headers: Headers = Field(default_factory=dict)
    """Request headers."""
    body: str = ""
    """The request's body."""
    auth: Auth | None = None
    """`{ basic = "user:password" }` or `{ bearer = "token" }`."""
    every: Annotated[float, Seconds()] = 60.0
    """From one round to the next: at least 5 seconds, and long enough for all attempts. Of a heartbeat: from one call \
of the job to the next, of a task: from one start to the next; at least 10 seconds, without a default."""
    cron: Cron | None = None
    """Of a heartbeat or a task, in place of `every`: when the job runs, as in its crontab, `"0 3 * * *"`."""
    timezone: TimeZone = "UTC"
    """The time zone that `cron` is meant in, such as `"Europe/Paris"`."""
    grace: Annotated[float, Seconds()] = 300.0
    """Of a heartbeat: how late a call may be, and how long a run may take that said when it started. Of a task: how \
late it may start."""
    cluster: Annotated[Line, Field(min_length=1)] | None = None
    """Of a task, required: the watched cluster that it runs in."""
    task: Annotated[Line, Field(min_length=1)] | None = None
    """Of a task, required: its name, or a shell pattern of names, such as `"shop.reports.*"`."""
    max_runtime: Annotated[float, Seconds(at_least=1)] | None = None
    """Of a task: how long a run may take, with its retries. Without it: as long as it likes."""
    timeout: Annotated[float, Seconds(at_least=0.05)] = 10.0
    """The deadline of one attempt as a whole, from the name look-up to the last byte."""
    attempts: Annotated[int, Whole(1, 20)] = 3
    """How many attempts each location makes in a round; the fastest good one is kept."""
    attempts_when: Literal["always", "failed"] = "always"
    """`always`: all attempts. `failed`: stop at the first good one."""
    attempt_gap: Annotated[float, Seconds()] = 0.0
    """The pause between two attempts."""
    locations: Names | None = None
    """From where. Without it: from all locations."""
    quorum: Annotated[int, Whole(1, 1000)] | None = None
    """How many locations must say *down* for the check to be down. Without it: more than half of those that voted."""
    down_after: Annotated[int, Whole(1, 1000)] = 2
    """Rounds down in a row before an incident opens; 1 for a heartbeat and a task, unless given."""
    up_after: Annotated[int, Whole(1, 1000)] = 1
    """Rounds up in a row before it closes."""
    redirects: Annotated[int, Whole(0, 20)] = 5
    """The most redirects that are followed; 0: none is."""
    verify: bool = True
    """Whether the certificate must be valid, trusted and made for this host."""
    ca: str | None = None
    """CA certificates that the target's is verified by: a PEM file or text. Without it: the system's."""
    client_certificate: str | None = None
    """The client certificate to show: a PEM file or text."""
    client_key: str | None = None
    """The private key of `client_certificate`: a PEM file or text."""
    family: Literal["any", "4", "6"] = "any"
    """The IP version."""
    http_version: Literal["1.0", "1.1", "2", "h2c"] | None = None
    """The HTTP version; `h2c` is HTTP/2 without TLS. Without it: what both sides agree on."""
    user_agent: Line | None = None
    """The `User-Agent` header. Without it: NightOwl's own."""
    send: str = ""
    """What to say to a tcp peer after connecting."""
    starttls: Literal["offered", "required", "never"] = "offered"
    """When an smtp check goes over to TLS: where the server offers it, or must offer it, or never."""
    queue: Annotated[Line, Field(min_length=1)] = "celery"
    """The queue that a celery check sends its canary through."""
    record: Record = "A"
    """The type of record that a dns check asks for."""
    resolver: Resolver | None = None
    """The name server that a dns check asks, with or without a port. Without it: the machine's own resolvers."""
    expect: Expect = Field(default_factory=lambda: Expect.model_validate({}))
    """What a good answer looks like; broken: down."""
    warn: Warn = Warn()
    """What still counts as good; broken: degraded."""
    severity: Literal["info", "warning", "critical"] = "critical"
    """How much it matters when the check is down. (Degraded opens a `warning`.)"""
    tags: Tags = Field(default_factory=dict)
    """Names and values to filter, group and route by: `{ team = "shop" }`."""
    depends_on: Annotated[list[Line], AfterValidator(each_once), Shape("list of names")] = Field(default_factory=list)
    """Checks and rules without which this one cannot be well: while one of them is down, nobody is told that this one \
is, too."""
    runbook: WebUrl | None = None
    """A page that says what to do; it stands in every notice."""
    paused: bool = False
    """Whether the check rests."""


class Template(CheckKeys):
    """Keys that checks take over by `use = "NAME"`. A check's own keys win, key by key also inside sub-tables."""


class Check(CheckKeys):
    """What to test, how often, from where, and when to say so."""

    use: str | None = None
    """The template whose keys this check takes over."""
