"""The database: transactions, leases, the feed of changes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from nightowl.ports.checks import Actors, Checks, Heartbeats, Rounds
from nightowl.ports.incidents import Incidents, Outbox, Silences
from nightowl.ports.people import Audit, Tokens, Users
from nightowl.ports.rules import RuleDefinitions, RuleStandings
from nightowl.ports.series import SeriesNames, SeriesStore


class Lease(msgspec.Struct, frozen=True):
    """The right to lead under ``name``, until another holder takes it: its ``epoch`` then differs."""

    name: str
    holder: str
    epoch: int


class FeedItem(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the change feed: something of a ``kind`` changed.

    Kinds are check, rule, verdict, incident, silence, request and ping.
    """

    id: int
    kind: str
    subject: str


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
