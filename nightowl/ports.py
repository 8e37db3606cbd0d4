"""The interfaces between NightOwl's flows and the outside world, all in one file.

Adapters implement them; flows and the web take them as arguments; ``nightowl.testing`` ships in-memory ones.
All are plain synchronous code. A store or bus that cannot be reached raises ``errors.Unavailable``.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

import msgspec

from nightowl.core.buckets import Buckets
from nightowl.core.frame import Frame, Numbers
from nightowl.core.portions import PortionBatch, PortionReport
from nightowl.core.reading import Got, Need
from nightowl.core.rule_incident import Standing
from nightowl.core.series import Labels, Series
from nightowl.core.values import (
    ActorSeen,
    Attempt,
    AuditEntry,
    Batch,
    Change,
    CheckState,
    DayCount,
    Entry,
    Incident,
    Notice,
    Origin,
    Outcome,
    Ping,
    Policy,
    Pulse,
    Report,
    Round,
    Sample,
    Silence,
    Target,
    Token,
    User,
    Verdict,
)


class Clock(Protocol):
    """Where flows get the time from."""

    def now(self) -> float:
        """Unix seconds, UTC."""

    def monotonic(self) -> float:
        """Seconds that never step, for durations."""


# -- probes --------------------------------------------------------------------------------------------------------


Transport = Literal["tcp", "udp", "icmp"]


class Connect(Protocol):
    """The guarded way to open a connection: resolves, checks each address against a policy, connects."""

    def __call__(self, host: str, port: int, deadline: float, over: Transport = "tcp") -> socket.socket:
        """Return a connected socket before ``deadline`` (monotonic), else raise the probes' own failure.

        A socket of ``icmp`` is for echo requests, with 0 as the port that the policy is asked for.
        """


class Probe(Protocol):
    """One attempt of one kind: blocking and simple. A down target is a result, never an exception."""

    def __call__(self, target: Target, deadline: float, connect: Connect) -> Attempt:
        """Try ``target`` once, ending before ``deadline`` (monotonic seconds)."""


class Engine(Protocol):
    """Runs many attempts at once on one owner (a thread, or a greenlet of the actor's hub).

    ``submit`` may be called from any thread; ``done`` and ``later``'s function run on the owner and must not block.
    """

    def submit(self, target: Target, policy: Policy, timeout: float, done: Callable[[Attempt], None]) -> None:
        """Start an attempt that ends within ``timeout`` seconds, then call ``done`` with it, always."""

    def later(self, delay: float, function: Callable[[], None]) -> None:
        """Call ``function`` on the owner in ``delay`` seconds (0: as soon as it can)."""

    def start(self) -> None:
        """Start the owner."""

    def stop(self) -> None:
        """End what is under way, and the owner; a stopped engine is not started again."""


# -- the bus between director and actors -----------------------------------------------------------------------


class Delivery(Protocol):
    """A report taken from the bus. Until ``done`` is called the bus still holds it and may deliver it again."""

    @property
    def report(self) -> Report:
        """What the actor said."""

    @property
    def fresh(self) -> bool:
        """Whether it was said just now. An old report brings outcomes, but is no sign of life: it may be a copy."""

    def done(self) -> None:
        """Tell the bus that the report is stored."""


class Bus(Protocol):
    """The director's side: batches out, reports in."""

    def dispatch(self, batch: Batch) -> None:
        """Put a batch into its location's queue."""

    def receive(self, limit: int) -> Sequence[Delivery]:
        """Take up to ``limit`` reports that have arrived, without waiting; garbage is counted and dropped."""

    def backlog(self, location: str) -> int | None:
        """How many messages wait in the location's queue (None: the broker does not tell)."""

    def foreign(self, location: str) -> float | None:
        """When a report of the location was last refused as sealed with another key (director time; None: never)."""

    def reachable(self, location: str) -> bool:
        """Whether the location's broker answers now, as far as is known; otherwise nobody there can be heard."""

    def ask(self, batch: PortionBatch) -> None:
        """Put a batch into the queue of evaluators."""

    def told(self, limit: int) -> Sequence[PortionReport]:
        """Take up to ``limit`` reports of evaluators, without waiting; the bus forgets them."""


class ReportBus(Protocol):
    """The actor's side: reports out. Batches come in as Celery tasks."""

    def report(self, report: Report) -> None:
        """Put a report into the results queue."""


# -- the store -------------------------------------------------------------------------------------------------


class Lease(msgspec.Struct, frozen=True):
    """The right to lead under ``name``, until another holder takes it: its ``epoch`` then differs."""

    name: str
    holder: str
    epoch: int


class StoredCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A check as it is defined: ``spec`` has the keys of a ``[check.NAME]`` table, secrets as references."""

    name: str
    origin: Origin
    paused: bool
    spec: dict[str, Any]
    changed: float = 0.0


class CheckFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which checks a list shows; empty: all.

    ``state`` also knows ``paused`` and ``new``; ``tag`` is ``name`` or ``name=value``; ``text`` is looked for in
    name and URL.
    """

    state: str = ""
    tag: str = ""
    location: str = ""
    text: str = ""


class CheckRow(msgspec.Struct, frozen=True, kw_only=True):
    """A check beside its state (None: no round closed yet)."""

    check: StoredCheck
    state: CheckState | None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows of a list; ``total`` counts all that match."""

    rows: tuple[CheckRow, ...]
    total: int


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """The rounds that one tick of the director dispatched together; kept until all of them are closed."""

    id: str
    rounds: tuple[Round, ...]


class FeedItem(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the change feed: something of a ``kind`` changed.

    Kinds are check, rule, verdict, incident, silence, request and ping.
    """

    id: int
    kind: str
    subject: str


class Checks(Protocol):
    """Check definitions. Every write appends to the change feed."""

    def all(self) -> list[StoredCheck]:
        """All checks, by name."""

    def get(self, name: str) -> StoredCheck | None:
        """One check."""

    def put(self, check: StoredCheck) -> None:
        """Insert or replace by name; writes nothing where nothing differs."""

    def put_many(self, checks: Sequence[StoredCheck]) -> None:
        """``put`` for many checks in a few statements."""

    def remove(self, name: str) -> bool:
        """Forget a check with its rounds; False: there was none."""

    def page(self, wanted: CheckFilter, offset: int, limit: int) -> Page:
        """Rows by state (down, degraded, unknown, never run, up, paused), then name."""

    def counts(self) -> dict[str, int]:
        """How many checks are in each state (``up``, ..., ``paused``, ``new``)."""


class Rounds(Protocol):
    """Rounds, outcomes and verdicts."""

    def dispatch(self, ticket: Ticket | None, scheduled_until: float, missed: int | None = None) -> None:
        """Remember that these rounds are under way, up to which moment rounds have been scheduled, and what was missed.

        So each round that was due until then is in a ticket, has a verdict, or is counted as missed. ``missed`` is the
        count since the store was made (None: as it was), so that writing it again counts nothing twice.
        """

    def missed(self) -> int:
        """How many rounds have been missed since the store was made."""

    def open_tickets(self) -> list[Ticket]:
        """Tickets not finished, oldest first."""

    def finish(self, tickets: Iterable[str]) -> None:
        """Forget tickets: all their rounds are closed."""

    def scheduled_until(self) -> float | None:
        """The moment up to which rounds have been scheduled (None: never)."""

    def add_outcomes(self, outcomes: Sequence[Outcome], *, late: bool = False) -> None:
        """Store outcomes with all attempts; one that is already there has no effect."""

    def outcomes(self, check: str, due: float) -> list[Outcome]:
        """A round's outcomes with their attempts, by location."""

    def late(self, check: str, due: float) -> set[str]:
        """The locations of a round whose outcomes came too late for a vote."""

    def votes(self, rounds: Sequence[Round]) -> list[Outcome]:
        """The outcomes of all these rounds that came in time, with only their kept attempt; in a few statements."""

    def outcome_range(self, check: str, start: float, end: float, limit: int) -> list[Outcome]:
        """Outcomes with ``start < due <= end`` in order of due and location, the newest ``limit``.

        Of their attempts only the kept one is there.
        """

    def close(self, verdicts: Sequence[Verdict], states: Sequence[CheckState]) -> None:
        """Store verdicts (once each), count them by day, and store the checks' new states."""

    def closed(self, rounds: Sequence[Round]) -> set[Round]:
        """Those of ``rounds`` that have a verdict."""

    def state(self, check: str) -> CheckState | None:
        """The check's state."""

    def states(self) -> list[CheckState]:
        """The states of all checks, by name."""

    def verdicts(self, check: str, start: float, end: float, limit: int) -> list[Verdict]:
        """Verdicts with ``start < due <= end`` in order of due; the newest ``limit``."""

    def days(self, check: str, first: int, last: int) -> list[DayCount]:
        """Counts of the UTC days from ``first`` to ``last`` inclusive that have any."""


class Incidents(Protocol):
    """Incidents and their timelines."""

    def apply(self, changes: Sequence[Change]) -> None:
        """Store each change's incident and add the change to its timeline (once) and to the change feed."""

    def get(self, incident: str) -> Incident | None:
        """One incident; in a transaction no other can change it from here on until the commit."""

    def open(self) -> list[Incident]:
        """Open incidents: most severe first, then oldest."""

    def page(self, *, open_only: bool, subject: str, offset: int, limit: int) -> tuple[list[Incident], int]:
        """Incidents newest first, and how many there are (``subject`` empty: all)."""

    def since(self, kind: str, subject: str, moment: float, limit: int) -> list[Incident]:
        """The newest ``limit`` incidents of a kind and subject that opened after ``moment``, newest first."""

    def ended(self, moment: float) -> list[Incident]:
        """Those that ended after ``moment``."""

    def of_rule(self, rule: str, limit: int) -> list[Incident]:
        """Incidents of a rule, of breaches and of missing data, the newest ``limit`` first."""

    def timeline(self, incident: str) -> list[Entry]:
        """What happened, oldest first."""

    def note(self, entry: Entry) -> None:
        """Add a line to a timeline."""


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """An outbox row that a notifier holds until its lease ends; ``tries`` counts sends so far."""

    id: int
    notice: Notice
    tries: int


class OutboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a notice: ``status`` waiting, sent or dead; ``error`` is the last one."""

    notice: Notice
    status: Literal["waiting", "sent", "dead"]
    tries: int
    next_at: float
    error: str = ""


class Outbox(Protocol):
    """Notices on their way out. Only the oldest unsent row of an incident and channel can be claimed."""

    def add(self, notices: Sequence[Notice]) -> None:
        """Queue notices; one whose key is already there has no effect.

        Of the resends of an incident and channel that were sent, the new one takes the place.
        """

    def claim(self, now: float, holder: str, term: float, limit: int, busy: Collection[str] = ()) -> list[Claimed]:
        """Take rows that are due and unclaimed (or whose claim ended) for ``term`` seconds; none to ``busy`` channels.

        So a channel that is slow, or has many rows, keeps none of the others waiting. Beyond ``limit`` are those that
        can share a message with one that was taken.
        """

    def sent(self, row: int, now: float) -> None:
        """The channel took it."""

    def retry(self, row: int, at: float, error: str) -> None:
        """Try again at ``at``."""

    def dead(self, row: int, now: float, error: str) -> None:
        """Give up on it."""

    def of(self, incident: str) -> list[OutboxRow]:
        """All notices of an incident, oldest first."""

    def of_many(self, incidents: Collection[str]) -> dict[str, list[OutboxRow]]:
        """All notices of these incidents (without any: not there), oldest first."""

    def oldest(self) -> float | None:
        """When the oldest waiting notice was created."""


class Silences(Protocol):
    """Silences. Every write appends to the change feed, with the kind ``silence``."""

    def add(self, silence: Silence) -> Silence:
        """Store a new one; it comes back with its number."""

    def get(self, number: int) -> Silence | None:
        """One silence."""

    def put(self, silence: Silence) -> None:
        """Replace by number."""

    def lasting(self, now: float) -> list[Silence]:
        """Those that have not ended at ``now``, in the order in which they end."""

    def page(self, offset: int, limit: int) -> tuple[list[Silence], int]:
        """All of them, newest first, and how many there are."""


class Leases(Protocol):
    """Leases by the database's own clock."""

    def acquire(self, name: str, holder: str, term: float) -> Lease | None:
        """Take a lease that is free, over or already ours; a new holder gets a new epoch. None: another holds it."""

    def renew(self, lease: Lease, term: float) -> bool:
        """Prolong; False: it was lost."""

    def release(self, lease: Lease) -> None:
        """Let another take it at once."""

    def holder(self, name: str) -> tuple[str, float] | None:
        """Who holds it and for how many more seconds (negative: over)."""


class HeartbeatUrl(msgspec.Struct, frozen=True, kw_only=True):
    """The secret URL of a check as the store knows it.

    ``serial`` is the check's number, which one that is defined again does not have; ``generation`` counts its URLs
    from 0. ``token_hash`` is empty while nobody has needed the URL.
    """

    serial: int
    generation: int = 0
    token_hash: bytes = b""


class Heartbeats(Protocol):
    """Heartbeats: their URLs by hash, the calls of their jobs, and where they stand."""

    def url(self, check: str) -> HeartbeatUrl | None:
        """The URL of a check, whatever its kind (None: there is no such check)."""

    def urls(self) -> dict[str, HeartbeatUrl]:
        """The URLs of all checks, by name."""

    def set_url(self, check: str, url: HeartbeatUrl) -> None:
        """Make this the URL of a check, and tell the change feed; the one before is unknown from then on."""

    def owner(self, token_hash: bytes) -> str | None:
        """The check whose URL has a token with this hash."""

    def add(self, ping: Ping) -> None:
        """Store a call, and tell the change feed."""

    def pings(self, check: str, limit: int) -> list[Ping]:
        """The newest calls of a check, newest first."""

    def untaken(self, limit: int) -> list[Ping]:
        """The oldest calls that the leader has not taken up."""

    def take(self, pings: Sequence[Ping]) -> None:
        """Note that calls were taken up."""

    def pulses(self) -> list[Pulse]:
        """Where all heartbeats stand, by name."""

    def pulse(self, check: str) -> Pulse | None:
        """Where one heartbeat stands."""

    def save(self, pulses: Sequence[Pulse]) -> None:
        """Store where heartbeats stand; those whose check is gone are left out."""

    def watched_until(self) -> float | None:
        """The last moment at which a leader watched (None: never)."""

    def watch(self, moment: float) -> None:
        """Note that a leader watches at ``moment``."""


class Actors(Protocol):
    """The actors that the leading director knows of."""

    def put(self, seen: Sequence[ActorSeen]) -> None:
        """Replace all that was known."""

    def all(self) -> list[ActorSeen]:
        """All of them, by location and name."""


class RuleStandings(Protocol):
    """Where rules stand for series; what is at rest is not there."""

    def all(self) -> list[Standing]:
        """All of them, by rule and series."""

    def put(self, standings: Sequence[Standing]) -> None:
        """Insert or replace by rule and series."""

    def remove(self, standings: Sequence[Standing]) -> None:
        """Forget these, by rule and series."""


class StoredRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it is defined: ``spec`` has the keys of a ``[rule.NAME]`` table."""

    name: str
    origin: Origin
    spec: dict[str, Any]
    changed: float = 0.0


class RuleDefinitions(Protocol):
    """Definitions of rules. Every write appends to the change feed, with the kind ``rule``."""

    def all(self) -> list[StoredRule]:
        """All of them, by name."""

    def get(self, name: str) -> StoredRule | None:
        """One of them."""

    def put(self, rules: Sequence[StoredRule]) -> None:
        """Insert or replace by name; writes nothing where nothing differs."""

    def remove(self, name: str) -> bool:
        """Forget one; False: there was none."""


class Users(Protocol):
    """People who may sign in, and their sessions."""

    def get(self, name: str) -> User | None:
        """One user."""

    def all(self) -> list[User]:
        """All users, by name."""

    def put(self, user: User) -> None:
        """Insert or replace by name; a changed password or role, or being disabled, ends the user's sessions."""

    def remove(self, name: str) -> bool:
        """Forget a user with sessions and tokens."""

    def hold(self) -> None:
        """Let no other transaction that holds users go on until this one ends."""

    def installation(self) -> int:
        """A number that tells this store from all others."""

    def open_session(self, token_hash: bytes, user: str, expires: float) -> None:
        """Remember a session by the hash of its token."""

    def session(self, token_hash: bytes, now: float) -> User | None:
        """Whose session this is, where it has not ended and its user is not disabled."""

    def close_session(self, token_hash: bytes) -> None:
        """End a session."""

    def close_sessions(self, name: str) -> int:
        """End all sessions of a user; how many there were."""

    def sessions(self, now: float) -> dict[str, int]:
        """How many sessions each user has open (none: not there)."""


class Tokens(Protocol):
    """What programs sign in with; kept by the hash of what they send."""

    def all(self) -> list[Token]:
        """All tokens, by name."""

    def get(self, name: str) -> Token | None:
        """One token."""

    def add(self, token: Token, token_hash: bytes) -> bool:
        """Remember a new token; False: the name is taken."""

    def remove(self, name: str) -> bool:
        """Forget a token; False: there was none."""

    def find(self, token_hash: bytes, now: float) -> tuple[Token, User | None] | None:
        """The token with this hash and its owner, where it has not expired and the owner is not disabled."""

    def used(self, name: str, now: float) -> None:
        """Note that it was used."""


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries of the audit a list shows; empty: all."""

    who: str = ""
    what: str = ""
    subject: str = ""


class Audit(Protocol):
    """Who changed what. Whoever changes something adds an entry in the same transaction."""

    def add(self, entry: AuditEntry) -> None:
        """Append an entry; what is longer than there is room for is cut."""

    def page(self, wanted: AuditFilter, offset: int, limit: int) -> tuple[list[AuditEntry], int]:
        """Entries newest first, and how many match."""


class Feed(Protocol):
    """The change feed: how the web follows, and how requests reach the leader."""

    def add(self, kind: str, subject: str) -> None:
        """Append an item."""

    def after(self, item: int, limit: int) -> list[FeedItem]:
        """Items with a greater id, in order."""

    def last(self) -> int:
        """The newest id (0: none)."""


class Retention(Protocol):
    """Forgetting, in bounded batches."""

    def prune(self, kind: str, before: float, limit: int) -> int:
        """Delete up to ``limit`` rows of ``kind`` that are older than ``before``; return how many went.

        Kinds are attempts, pings, outcomes, series, rollups (and series of which nothing is left), incidents (and
        silences), feed, outbox, sessions (and expired tokens) and audit. Open incidents and unsent notices stay.
        """

    def size(self) -> int:
        """Bytes that the store takes."""


class Unit(Protocol):
    """What a transaction (or a read) works with."""

    @property
    def checks(self) -> Checks:
        """Check definitions."""

    @property
    def rounds(self) -> Rounds:
        """Rounds, outcomes and verdicts."""

    @property
    def incidents(self) -> Incidents:
        """Incidents and timelines."""

    @property
    def outbox(self) -> Outbox:
        """Notices on their way out."""

    @property
    def silences(self) -> Silences:
        """Silences."""

    @property
    def leases(self) -> Leases:
        """Leases."""

    @property
    def heartbeats(self) -> Heartbeats:
        """Heartbeats and their calls."""

    @property
    def actors(self) -> Actors:
        """Actors at their locations."""

    @property
    def rules(self) -> RuleStandings:
        """Where rules stand."""

    @property
    def rule_definitions(self) -> RuleDefinitions:
        """Definitions of rules."""

    @property
    def users(self) -> Users:
        """Users and sessions."""

    @property
    def tokens(self) -> Tokens:
        """Tokens of programs."""

    @property
    def audit(self) -> Audit:
        """Who changed what."""

    @property
    def feed(self) -> Feed:
        """The change feed."""

    @property
    def series(self) -> SeriesStore:
        """Samples."""

    @property
    def series_names(self) -> SeriesNames:
        """Which series there are."""

    @property
    def retention(self) -> Retention:
        """Forgetting."""


class Store(Protocol):
    """The database."""

    def transaction(self, lease: Lease | None = None) -> AbstractContextManager[Unit]:
        """One transaction, committed at the end of the block.

        With a lease its epoch is confirmed first, under lock: where it is no longer ours, ``LeaseLost`` is raised
        and nothing is written.
        """

    def read(self) -> AbstractContextManager[Unit]:
        """A consistent view, for reading only."""

    def ping(self) -> None:
        """Raise ``StoreUnavailable`` unless the database answers."""

    def close(self) -> None:
        """Give connections back."""


class Refusals(msgspec.Struct, frozen=True):
    """How many times a series was refused as there were too many, and in the step that ended when (0.0: never)."""

    count: int
    at: float


class SeriesStore(Protocol):
    """Samples by metric and labels. Outcomes are series too: ``check_up``, ``check_duration_seconds``.

    A step is what one role saw until a moment (Unix seconds). It is kept as it was written until its hour is
    compacted; whatever is written for that hour later is merged. Of two samples of one series at one time the last
    written wins; NaN and infinities are dropped. A series is known by a number, which is never used again.
    """

    def append(self, role: str, step: float, samples: Sequence[Sample]) -> int:
        """Store what ``role`` saw in the step that ends at ``step``, in place of what it has written for it before.

        Return how many series were refused, as there are as many as there may be (see ``limit``).
        """

    def number(self, series: Sequence[Series]) -> Numbers:
        """Return the numbers of these series, in their order; new ones get one (-1: refused, and counted)."""

    def append_frame(self, role: str, step: float, frame: Frame) -> None:
        """Store a step as ``append`` does, by numbers that ``number`` gave in this transaction; -1 is left out."""

    def limit(self, most: int) -> None:
        """Let the store know at most so many series; those that are known stay."""

    def refused(self) -> Refusals:
        """What was refused, so far, by all roles."""

    def tail(self, after: int, limit: int) -> list[tuple[int, Frame]]:
        """Frames with a greater position, in the order of their commits; none is ever skipped.

        One that was compacted is not there any more: who was away for longer than half an hour reads ``frame`` anew.
        """

    def last(self) -> int:
        """The newest position (0: none)."""

    def names(self, numbers: Iterable[int]) -> dict[int, Series]:
        """The series with these numbers; those that are forgotten are left out."""

    def window(self, metric: str, where: Mapping[str, str], start: float, end: float) -> list[Sample]:
        """Samples in ``(start, end]`` of all series that carry these labels, by series, then time."""

    def frame(self, metric: str, where: Mapping[str, str], start: float, end: float) -> Frame:
        """What ``window`` says as columns, by number, then time. Series of checks have no numbers: ``check_frame``."""

    def check_frame(
        self, metric: str, where: Mapping[str, str], start: float, end: float
    ) -> tuple[list[Series], Frame]:
        """Read a metric of checks as ``frame`` does; a number is the place of its series in the list."""

    def range(
        self, metric: str, where: Mapping[str, str], start: float, end: float, every: float
    ) -> dict[Series, Buckets]:
        """Return buckets of ``every`` seconds of all series that carry these labels.

        A bucket ends at a multiple of ``every`` and holds ``(its end - every, its end]``: all of those that
        ``(start, end]`` touches, whole. Where only rollups are left, what is shorter than their buckets gets those that
        end in it.
        """

    def latest(self, since: float) -> list[Sample]:
        """The newest sample of each appended series, where it is newer than ``since``."""

    def compact(self, now: float, limit: int) -> int:
        """Pack up to ``limit`` blocks of series of hours that have ended a few minutes ago; how many were packed."""


class SeriesNames(Protocol):
    """Which series there are, whenever they last had a sample."""

    def metrics(self) -> list[str]:
        """All names of metrics, in order."""

    def labels(self, metric: str) -> list[Labels]:
        """The labels of each series of a metric, in order."""


# -- sources -------------------------------------------------------------------------------------------------------


class Source(Protocol):
    """Somewhere else that series are read from. It may be used by several threads at once."""

    def read(self, needs: Sequence[Need], seconds: float) -> list[dict[str, Got]]:
        """Return, for each need, what there is by identifier, within so many seconds. A fault is a result, too."""


# -- telling people ------------------------------------------------------------------------------------------------


class Channel(Protocol):
    """Somewhere that notices go.

    One whose class says ``groups = True`` may be sent notices with ``others``: a message for all of a group. Any other
    gets a notice for each incident.
    """

    def send(self, notice: Notice) -> str | None:
        """Deliver, or raise ``DeliveryFailed`` (permanent, or with the seconds to wait).

        Returns what went otherwise than meant, though the notice was sent, for the timeline (nothing: all went well).
        """
