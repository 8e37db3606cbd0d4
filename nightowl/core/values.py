"""The nouns of NightOwl, as frozen values.

Durations are seconds (floats measured on a monotonic clock), times are Unix seconds in UTC,
sizes are bytes. *Unknown* is a value, never silence. A round's ``due`` moment is rounded to
the millisecond, so that it can name the round together with the check.
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256
from typing import Any, Literal

import msgspec

Role = Literal["viewer", "operator", "admin"]
"""What somebody may do, least first; ``web.access`` says what that is."""

Origin = Literal["file", "stored"]
"""Where an object is defined: in a configuration file (read-only elsewhere), or in the store by API or UI."""


class State(StrEnum):
    """What an attempt, an outcome or a verdict says of a target."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How much an incident matters, least first."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for the least severe."""
        return list(Severity).index(self)


class Network(msgspec.Struct, frozen=True, omit_defaults=True):
    """A network in CIDR form and the ports open in it (none listed: all)."""

    network: str
    ports: tuple[int, ...] = ()


class Policy(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the address guard of a location lets through.

    ``internet``: global unicast addresses, and what ``allow`` lists. ``private``: only what ``allow`` lists.
    ``any``: everything, for URLs that were typed on the command line. ``deny`` (NightOwl's own broker,
    store and web) and cloud metadata addresses are refused under the first two; deny wins.
    """

    reach: Literal["internet", "private", "any"] = "internet"
    allow: tuple[Network, ...] = ()
    deny: tuple[Network, ...] = ()


class LocationKey(msgspec.Struct, frozen=True):
    """What a location and its director know and nobody else: 32 random bytes, which are never shown."""

    secret: bytes

    def __repr__(self) -> str:
        return "LocationKey(***)"


class Expect(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a good answer looks like; broken: down.

    ``status``: inclusive ranges. ``body`` and ``not_body``: texts. ``regex``: a pattern searched within a time
    bound. ``json``: JSONPath to the value it must have. ``header``: name to the text its value must contain.
    ``banner``: what a tcp or smtp peer must say. ``tls``: the oldest version of TLS. ``answers``: what a name server
    must answer, among others.
    """

    status: tuple[tuple[int, int], ...] = ((200, 299),)
    body: str = ""
    not_body: str = ""
    regex: str = ""
    json: dict[str, Any] = {}
    header: dict[str, str] = {}
    banner: str = ""
    tls: Literal["", "1.2", "1.3"] = ""
    answers: tuple[str, ...] = ()


class Warn(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What still counts as good, but degraded: seconds taken, seconds until the certificate expires."""

    duration: float | None = None
    certificate: float | None = None


class Target(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What one attempt of a check does. ``ca``, ``client_certificate`` and ``client_key`` are PEM texts.

    ``secrets`` are the values of the check's references, which must appear in nothing that is said of it.
    ``resolver`` is ``host:port`` (empty: the machine's own resolvers).
    """

    kind: str
    url: str
    timeout: float = 10.0
    family: Literal["any", "4", "6"] = "any"
    verify: bool = True
    ca: str = ""
    client_certificate: str = ""
    client_key: str = ""
    method: str = "GET"
    headers: dict[str, str] = {}
    body: str = ""
    basic: str = ""
    bearer: str = ""
    redirects: int = 5
    http_version: Literal["", "1.0", "1.1", "2", "h2c"] = ""
    user_agent: str = ""
    send: str = ""
    record: str = "A"
    resolver: str = ""
    starttls: Literal["offered", "required", "never"] = "offered"
    queue: str = "celery"
    secrets: tuple[str, ...] = ()
    expect: Expect = Expect()
    warn: Warn = Warn()


class Location(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A place that runs checks; it has one queue, and a broker of its own where ``broker`` is given.

    ``keys`` seal its jobs and reports (none: they are not sealed); there are two while one takes the other's place.
    ``control`` are targets that can be reached as long as the place itself is online: while all of them fail, nothing
    that it calls down counts.
    """

    name: str
    policy: Policy = Policy()
    broker: str = ""
    keys: tuple[LocationKey, ...] = ()
    labels: dict[str, str] = {}
    control: tuple[Target, ...] = ()


class Heartbeat(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """When a job is expected to call, or a task to run.

    ``every``: seconds from one call to the next; 0: by ``cron`` (five fields) in ``timezone`` (an IANA name).
    ``grace``: seconds that a call may be late, and that a run may take which said when it started.

    Of a check of kind ``task``, ``cluster`` is where the task runs, and ``task`` its name or a shell pattern (empty: a
    job calls). ``every`` counts from one start to the next, ``grace`` is how late a start may be, and ``max_runtime``
    the seconds that a run may take (None: as long as it likes).
    """

    every: float = 0.0
    cron: str = ""
    timezone: str = "UTC"
    grace: float = 300.0
    cluster: str = ""
    task: str = ""
    max_runtime: float | None = None


class Check(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What to test, how often, from where, and when to say so.

    One with a ``heartbeat`` tests nothing by itself and has no locations: a job calls, or fails to. While one of the
    checks or rules that it ``depends_on`` is down, nobody is told of its own incidents.
    """

    name: str
    target: Target
    locations: tuple[str, ...]
    every: float = 60.0
    attempts: int = 3
    attempts_when: Literal["always", "failed"] = "always"
    attempt_gap: float = 0.0
    quorum: int | None = None
    down_after: int = 2
    up_after: int = 1
    severity: Severity = Severity.CRITICAL
    tags: dict[str, str] = {}
    runbook: str = ""
    paused: bool = False
    heartbeat: Heartbeat | None = None
    depends_on: tuple[str, ...] = ()


class Ping(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One call of a heartbeat's URL, at ``at`` (Unix seconds) by the clock of whoever took it.

    ``exit_code`` where the job told one; ``tail`` is the end of its log, ``source`` the address it called from.
    ``id`` is the store's number (0: not stored yet).

    Of a check of kind ``task`` it stands for the start or the end of the run of the task whose id is ``run``, by the
    worker ``source``; ``tail`` is the error. ``started`` is when a run began that has ended, as far as that is known.
    ``event`` names what was heard, so that hearing it twice is one call.
    """

    check: str
    at: float
    signal: Literal["start", "success", "fail"]
    exit_code: int | None = None
    source: str = ""
    tail: str = ""
    id: int = 0
    run: str = ""
    started: float | None = None
    event: str = ""


class Run(msgspec.Struct, frozen=True, omit_defaults=True):
    """A run of a task that was seen to start ``at`` (Unix seconds); ``told``: it is down for taking too long."""

    id: str
    at: float
    told: bool = False


class Pulse(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Where a heartbeat stands; lives in the store, one a check.

    ``deadline``: when it is down unless the job calls before; ``expected``: when the job ought to call, which is
    ``grace`` earlier unless NightOwl was away. Both are None while nothing is counted: before the first call, and
    while the check is paused (``resting``). ``counted`` is the moment that ``expected`` was reckoned from,
    ``started`` when the run began that has not ended yet.

    Of a check of kind ``task``, ``runs`` are those that have not ended, the oldest first, and ``ended`` is the moment
    of the newest end that was judged.
    """

    check: str
    plan: Heartbeat
    counted: float | None = None
    expected: float | None = None
    deadline: float | None = None
    started: float | None = None
    resting: bool = False
    runs: tuple[Run, ...] = ()
    ended: float = 0.0


class Round(msgspec.Struct, frozen=True, order=True):
    """One due moment of a check, at all its locations at once."""

    due: float
    check: str


class Phases(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Seconds that each phase of an attempt took; None where it never began or does not apply."""

    dns: float | None = None
    connect: float | None = None
    tls: float | None = None
    first_byte: float | None = None
    transfer: float | None = None


class Certificate(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The certificate that a peer showed: times in Unix seconds, ``chain`` subjects from leaf to root."""

    subject: str
    issuer: str
    not_before: float
    not_after: float
    names: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()
    protocol: str = ""
    problem: str = ""


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One try of one location in a round.

    ``reason`` is ``class.detail`` of ``docs/reasons.md``, empty where nothing is wrong; ``unknown`` with
    an ``own.*`` reason is a fault of NightOwl itself. ``detail`` explains it to people; ``excerpt`` is the start of
    what the target answered, redacted; ``started`` is Unix time by the actor's clock, which the director corrects where
    it knows that clock to be wrong.
    """

    state: State
    started: float
    duration: float
    phases: Phases = Phases()
    status: int | None = None
    address: str = ""
    reason: str = ""
    detail: str = ""
    certificate: Certificate | None = None
    excerpt: str = ""

    @property
    def good(self) -> bool:
        """Whether the target did what was expected, be it slowly."""
        return self.state in (State.UP, State.DEGRADED)


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A location's attempts of a round. ``kept`` indexes the round's figure in ``attempts`` (None: no attempts).

    ``offline``: the attempts failed, and so did the location's own control targets; nothing is known of the target.
    """

    check: str
    due: float
    location: str
    state: State
    attempts: tuple[Attempt, ...]
    kept: int | None = None
    actor: str = ""
    offline: bool = False

    @property
    def round(self) -> Round:
        """The round that this outcome belongs to."""
        return Round(self.due, self.check)

    @property
    def figure(self) -> Attempt | None:
        """The kept attempt: the fastest good one, else the last."""
        return None if self.kept is None else self.attempts[self.kept]


class Place(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What one location said in a round, without its attempts: a cell of the location matrix.

    ``voted`` is false when nothing arrived in time, or the location was ``offline``: its own control targets failed.
    ``certificate_expiry`` is Unix time.
    """

    location: str
    state: State
    voted: bool = True
    offline: bool = False
    duration: float | None = None
    phases: Phases = Phases()
    status: int | None = None
    address: str = ""
    reason: str = ""
    detail: str = ""
    certificate_expiry: float | None = None


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a closed round says of its check.

    ``places`` has every location asked (a heartbeat asks none); ``dissent`` those that said down while the check is
    not: a location problem, which opens nothing. ``reason`` and ``detail`` are those of most of the locations that
    decided it.
    """

    check: str
    due: float
    closed: float
    state: State
    places: tuple[Place, ...]
    dissent: tuple[str, ...] = ()
    reason: str = ""
    detail: str = ""
    duration: float | None = None

    @property
    def round(self) -> Round:
        """The round that was closed."""
        return Round(self.due, self.check)


class CheckState(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the rounds so far have made of a check; lives in the store, one a check.

    ``verdict`` is the last round's, ``since`` the due moment from which it has been that. The streaks count rounds
    in a row (``bad``: degraded or down). ``incident`` is the id of what is open, ``breach`` how bad that has been.
    ``strip`` has one letter a round, newest last, at most 60: u up, d down, g degraded, k unknown.
    """

    check: str
    verdict: State = State.UNKNOWN
    since: float = 0.0
    last: Verdict | None = None
    up: int = 0
    down: int = 0
    bad: int = 0
    unknown: int = 0
    incident: str = ""
    breach: Literal["", "degraded", "down"] = ""
    strip: str = ""


class DayCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many rounds of a check ended how on one UTC day; ``day`` counts days since the Unix epoch."""

    check: str
    day: int
    up: int = 0
    degraded: int = 0
    down: int = 0
    unknown: int = 0


class Job(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One check of one round, as an actor gets it. ``deadline`` (director time): no attempt may end later."""

    check: str
    due: float
    deadline: float
    target: Target
    attempts: int = 3
    attempts_when: Literal["always", "failed"] = "always"
    attempt_gap: float = 0.0

    @property
    def round(self) -> Round:
        """The round that this job is a part of."""
        return Round(self.due, self.check)


class Batch(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The jobs that go to one location in one message. ``issued`` and ``expires`` are director time.

    ``policy`` and ``control`` are the location's.
    """

    id: str
    location: str
    issued: float
    expires: float
    jobs: tuple[Job, ...]
    policy: Policy = Policy()
    control: tuple[Target, ...] = ()


class Report(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What an actor tells the director: batches taken, batches still held (a beat) and outcomes.

    ``sent`` is the actor's clock. A report with nothing taken and no outcomes is a plain beat. ``offline``: the
    location's control targets failed when the actor last tried them. ``leaving``: the actor ends, and says no more.
    """

    actor: str
    location: str
    sent: float
    taken: tuple[str, ...] = ()
    holding: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    offline: bool = False
    leaving: bool = False


class ActorSeen(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the director knows of an actor at a location. Moments are director time.

    ``since`` is when it was first heard, ``heard`` when last; ``silent`` and ``offline`` since when it has been that
    (None: it is not). ``skew``: by how many seconds the actor's clock is fast (negative: slow; None: not known yet).
    ``holding``: batches that it has.
    """

    name: str
    location: str
    since: float
    heard: float
    silent: float | None = None
    offline: float | None = None
    skew: float | None = None
    holding: int = 0


class Sample(msgspec.Struct, frozen=True):
    """A value of a series at an event time (Unix seconds, UTC). ``labels`` are sorted pairs."""

    metric: str
    labels: tuple[tuple[str, str], ...]
    time: float
    value: float


class Suppression(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why nobody is told that an incident opened.

    ``by`` is the number of the silence, the name of the maintenance or of the parent that is down, or how much of the
    time a flapping subject changes. ``until`` is when it ends (Unix seconds; None: when it is over).
    """

    kind: Literal["silence", "maintenance", "parent", "flapping"]
    by: str
    until: float | None = None


class Incident(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One episode of a check or a rule (or of NightOwl itself: ``own``) being in breach, or of a rule without data.

    Or of something going wrong in a watched cluster. ``subject`` is the check's name, the rule's with the labels of its
    series, what was found in a cluster (``shop/worker_silent/celery@one``), or what is wrong with NightOwl
    (``location/london``). ``id`` is fixed by kind, subject and the moment it opened. ``summary`` is a sentence for
    people. ``link`` is the path of a page about its subject, below the public URL (empty: there is none).

    ``noticed`` is when NightOwl wrote down that it opened (0: then), ``raised`` when it last got worse. An
    acknowledgement lasts until ``acknowledged_until`` (None: to the end); ``expired`` is when one last ran out.
    ``suppressed`` holds back that it opened.
    """

    id: str
    kind: Literal["check", "rule", "nodata", "cluster", "own"]
    subject: str
    severity: Severity
    summary: str
    opened: float
    reason: str = ""
    resolved: float | None = None
    acknowledged: float | None = None
    acknowledged_by: str = ""
    tags: dict[str, str] = {}
    runbook: str = ""
    noticed: float = 0.0
    raised: float | None = None
    acknowledged_until: float | None = None
    expired: float | None = None
    suppressed: Suppression | None = None
    link: str = ""

    @property
    def open(self) -> bool:
        """Whether the episode still lasts."""
        return self.resolved is None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A step of an incident: what happened, when, by whom, and the incident as it is from then on."""

    event: Literal["opened", "raised", "acknowledged", "expired", "suppressed", "released", "resolved", "note"]
    incident: Incident
    at: float
    text: str
    by: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an incident's timeline: a change, or what became of a notice."""

    incident: str
    at: float
    event: str
    text: str
    by: str = ""


class Notice(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A message about an incident to one channel.

    ``step`` is firing, raised, repeat-N, resend-N, resolved or test. ``text`` says what happened, as the change did
    (empty: in a reminder). ``url`` leads to the incident's page (may be empty). ``others`` are incidents that the same
    message tells of. ``group`` names those that may share a message with it: of one channel, group, step and moment.
    """

    incident: Incident
    step: str
    channel: str
    created: float
    text: str = ""
    url: str = ""
    others: tuple[Incident, ...] = ()
    group: str = ""

    @property
    def key(self) -> str:
        """The stable key of every send of this notice, by which a receiver knows a repeat.

        A message that tells of more has a key of its own: what it adds must not be taken for a repeat.
        """
        key = f"{self.incident.id}/{self.step}/{self.channel}"
        if not self.others:
            return key
        together = "\n".join(other.id for other in self.others)
        return f"{key}/{sha256(together.encode()).hexdigest()[:16]}"


class Escalation(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who else is told of an incident that is open and not acknowledged ``after`` seconds since it was told first."""

    after: float
    to: tuple[str, ...]


class Route(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Which incidents go to which channels.

    ``match`` maps ``severity``, ``name`` or a tag's name to the value asked for (a shell pattern).
    ``repeat``: seconds between reminders while the incident is open and not acknowledged (0: none).
    Incidents that agree in the tags ``group_by`` share a message (empty: each is alone). ``wait``: seconds that one
    which is not critical waits for others, from the first of its group on.
    """

    name: str
    match: dict[str, str] = {}
    to: tuple[str, ...] = ()
    repeat: float = 14400.0
    group_by: tuple[str, ...] = ()
    wait: float = 10.0
    escalate: tuple[Escalation, ...] = ()


class Silence(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Incidents that match, as those of a route do, open without a word from ``start`` until ``end`` (Unix seconds).

    ``id`` is the store's number (0: not stored yet).
    """

    match: dict[str, str]
    start: float
    end: float
    author: str = ""
    comment: str = ""
    created: float = 0.0
    id: int = 0


class Maintenance(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Windows in which incidents that match open without a word.

    They begin at ``start`` (seconds since midnight by the clock on the wall of ``timezone``, an IANA name) on ``days``
    (0 is Monday) or on the days of ``rrule`` (RFC 5545), and last ``duration`` elapsed seconds.
    """

    name: str
    start: float
    duration: float
    days: tuple[int, ...] = ()
    rrule: str = ""
    timezone: str = "UTC"
    match: dict[str, str] = {}


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may sign in, unless ``disabled``. ``password_hash`` is argon2's encoded form."""

    name: str
    role: Role
    password_hash: str
    origin: Origin = "stored"
    disabled: bool = False


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What a program signs in with: it may what its role may, and never more than its owner (empty: nobody).

    ``expires`` None: never; ``used`` is when it was last used, to a minute (None: never).
    """

    name: str
    role: Role
    owner: str = ""
    created: float = 0.0
    expires: float | None = None
    used: float | None = None


class Author(msgspec.Struct, frozen=True):
    """Who makes a change, and from which address (empty: not over the network).

    ``name`` is the user's, the token's, or for a command the account's on its machine; ``local`` is whoever sits at
    this machine, ``file`` the configuration, ``stranger`` somebody who has not signed in.
    """

    kind: Literal["user", "token", "local", "command", "file", "stranger"]
    name: str = ""
    address: str = ""


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A change that somebody made: ``what`` (``check.edit``) was done to ``subject`` (``shop``).

    ``detail`` says what differs, without secrets.
    """

    at: float
    author: Author
    what: str
    subject: str
    detail: str = ""
