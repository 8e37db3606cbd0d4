"""The tables, as this version of NightOwl needs them; ``migrations`` brings a database here.

What is written for every round is keyed by small integers: ``check_ids`` and ``location_ids`` give the names theirs.
Moments that name a round (``due``) are integer milliseconds, other times are seconds as doubles. Tables that
pages read check by check are clustered by check; those that are only read by key, or forgotten by age, by time, so
that writing them appends.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    false,
)
from sqlalchemy.dialects.mysql import MEDIUMBLOB, MEDIUMTEXT, VARBINARY

from nightowl.core.values import Severity, State

STATES = (State.UP, State.DEGRADED, State.DOWN, State.UNKNOWN)
"""States by the code that stands for them in rows: append only."""

SEVERITIES = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)
"""Severities by their code: append only."""

STANDINGS = ("down", "degraded", "unknown", "new", "up", "paused")
"""Where a check stands, in the order of lists, by code."""

WAITING, SENT, DEAD = range(3)
"""Codes of an outbox row's status."""

METADATA = MetaData()

# Comparing bytes: the order of names is then the same in every database.
_NAME = String(255).with_variant(String(255, collation="C"), "postgresql")
_ID = BigInteger().with_variant(Integer, "sqlite")
_BLOB = LargeBinary().with_variant(MEDIUMBLOB(), "mysql", "mariadb")
_LONG_TEXT = Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")
_HASH = LargeBinary().with_variant(VARBINARY(64), "mysql", "mariadb")

_CLUSTERED = {"sqlite_with_rowid": False}


def _table(name: str, *items: Column[Any] | Index, **options: Any) -> Table:
    options |= {
        f"{dialect}_{key}": value
        for dialect in ("mysql", "mariadb")
        for key, value in {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}.items()
    }
    return Table(name, METADATA, *items, **options)


MARKS = _table(
    "marks",
    Column("name", _NAME, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Single numbers: ``scheduled_until`` and ``watched_until`` (ms), ``missed`` (rounds, so far), ``feed`` (the newest
id), ``removals`` (of checks, so far), ``installation`` (random, made with the store; its row is the lock of users),
``steps`` (the newest position), ``series`` (the newest number), ``series_known``, ``series_limit`` (how many there are,
and may be), ``series_refused`` and ``series_forgotten`` (so far), ``series_refused_at`` (the end of
a step, in seconds)."""

# -- checks --------------------------------------------------------------------------------------------------------

CHECK_IDS = _table(
    "check_ids",
    Column("id", _ID, primary_key=True),
    Column("name", _NAME, unique=True),
    sqlite_autoincrement=True,
)
"""A check's number. A removed check leaves its number, without a name, until its rounds are deleted; one that is
defined again gets another, and so starts without a past."""

LOCATION_IDS = _table(
    "location_ids",
    Column("id", _ID, primary_key=True),
    Column("name", _NAME, nullable=False, unique=True),
)

CHECKS = _table(
    "checks",
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", _NAME, nullable=False, unique=True),
    Column("origin", String(16), nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("spec", _LONG_TEXT, nullable=False),
    Column("changed", Double, nullable=False),
    Column("search", _LONG_TEXT, nullable=False),
    Column("standing", SmallInteger, nullable=False),
    Index("checks_by_standing", "standing", "name"),
)
"""Definitions. ``search`` is the folded name and URL, ``standing`` a code of ``STANDINGS``."""

CHECK_TAGS = _table(
    "check_tags",
    Column("name", _NAME, primary_key=True),
    Column("check_id", BigInteger, ForeignKey("checks.id", ondelete="CASCADE"), primary_key=True),
    Column("value", Text, nullable=False),
    Index("check_tags_by_check", "check_id"),
    **_CLUSTERED,
)

CHECK_LOCATIONS = _table(
    "check_locations",
    Column("location", _NAME, primary_key=True),
    Column("check_id", BigInteger, ForeignKey("checks.id", ondelete="CASCADE"), primary_key=True),
    Index("check_locations_by_check", "check_id"),
    **_CLUSTERED,
)
"""Where a check runs; the empty name stands for everywhere."""

CHECK_STATES = _table(
    "check_states",
    Column("check_id", BigInteger, primary_key=True, autoincrement=False),
    Column("verdict", SmallInteger, nullable=False),
    Column("state", _BLOB, nullable=False),
)

# -- rounds --------------------------------------------------------------------------------------------------------

TICKETS = _table(
    "tickets",
    Column("number", _ID, primary_key=True),
    Column("id", _NAME, nullable=False, unique=True),
    Column("rounds", _BLOB, nullable=False),
)

OUTCOMES = _table(
    "outcomes",
    Column("check_id", BigInteger, primary_key=True, autoincrement=False),
    Column("due", BigInteger, primary_key=True, autoincrement=False),
    Column("location_id", BigInteger, primary_key=True, autoincrement=False),
    Column("state", SmallInteger, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("actor", Text, nullable=False),
    Column("kept_state", SmallInteger),
    Column("started", Double),
    Column("duration", Double),
    Column("dns", Double),
    Column("connect", Double),
    Column("tls", Double),
    Column("first_byte", Double),
    Column("transfer", Double),
    Column("status", Integer),
    Column("address", Text),
    Column("reason", Text),
    Column("detail", Text),
    Column("certificate_expiry", Double),
    Column("offline", Boolean, nullable=False),
    **_CLUSTERED,
)
"""What a location said, and the figures of its kept attempt (all null where there is none). ``offline``: so was the
location, and its attempts say nothing of the target."""

ATTEMPTS = _table(
    "attempts",
    Column("due", BigInteger, primary_key=True, autoincrement=False),
    Column("check_id", BigInteger, primary_key=True, autoincrement=False),
    Column("location_id", BigInteger, primary_key=True, autoincrement=False),
    Column("attempts", _BLOB, nullable=False),
    **_CLUSTERED,
)
"""All attempts of an outcome and which was kept; forgotten sooner than the outcome."""

ROUNDS = _table(
    "rounds",
    Column("check_id", BigInteger, primary_key=True, autoincrement=False),
    Column("due", BigInteger, primary_key=True, autoincrement=False),
    Column("closed", Double, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("duration", Double),
    Column("places", _BLOB, nullable=False),
    **_CLUSTERED,
)
"""Verdicts. ``places`` also holds who dissents."""

DAYS = _table(
    "days",
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("check_id", BigInteger, primary_key=True, autoincrement=False),
    Column("up", Integer, nullable=False),
    Column("degraded", Integer, nullable=False),
    Column("down", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
    **_CLUSTERED,
)
"""Rounds counted by UTC day; by day first, as all checks' counters of today are written again and again."""

# -- heartbeats ----------------------------------------------------------------------------------------------------

HEARTBEAT_URLS = _table(
    "heartbeat_urls",
    Column("check_id", BigInteger, primary_key=True, autoincrement=False),
    Column("generation", Integer, nullable=False),
    Column("token_hash", _HASH, nullable=False, unique=True),
)

PULSES = _table(
    "pulses",
    Column("check_id", BigInteger, primary_key=True, autoincrement=False),
    Column("pulse", _BLOB, nullable=False),
)
"""Where heartbeats stand."""

PINGS = _table(
    "pings",
    Column("id", _ID, primary_key=True),
    Column("check_id", BigInteger, nullable=False),
    Column("at", Double, nullable=False),
    Column("taken", Boolean, nullable=False),
    Column("signal", String(16), nullable=False),
    Column("exit_code", SmallInteger),
    Column("source", Text, nullable=False),
    Column("tail", _LONG_TEXT, nullable=False),
    Column("run", String(255), nullable=False, server_default=""),
    Column("started", Double),
    Column("event", String(64)),
    Index("pings_by_check", "check_id", "id"),
    Index("pings_by_event", "check_id", "event", unique=True),
    Index("pings_untaken", "taken", "id"),
    Index("pings_by_age", "at", "id"),
    sqlite_autoincrement=True,
)
"""The calls of heartbeats; ``taken``: the leader has taken them up. ``event`` is a hash (null: of nothing)."""

# -- incidents -----------------------------------------------------------------------------------------------------

_INCIDENT_ID = String(320).with_variant(String(320, collation="C"), "postgresql")

INCIDENTS = _table(
    "incidents",
    Column("id", _INCIDENT_ID, primary_key=True),
    Column("subject", _NAME, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("opened", Double, nullable=False),
    Column("resolved", Double),
    Column("is_open", Boolean, nullable=False),
    Column("incident", _BLOB, nullable=False),
    Index("incidents_by_opened", "opened", "id"),
    Index("incidents_by_subject", "subject", "opened", "id"),
    Index("incidents_open", "is_open", "opened", "id"),
    Index("incidents_by_resolved", "resolved"),
)

TIMELINE = _table(
    "timeline",
    Column("id", _ID, primary_key=True),
    Column("incident", _INCIDENT_ID, nullable=False),
    Column("at", Double, nullable=False),
    Column("event", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("by", Text, nullable=False),
    Index("timeline_by_incident", "incident", "at", "id"),
)

OUTBOX = _table(
    "outbox",
    Column("id", _ID, primary_key=True),
    Column("key", String(640).with_variant(String(640, collation="C"), "postgresql"), nullable=False, unique=True),
    Column("incident", _INCIDENT_ID, nullable=False),
    Column("channel", _NAME, nullable=False),
    Column("created", Double, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_at", Double, nullable=False),
    Column("holder", Text, nullable=False),
    Column("held_until", Double, nullable=False),
    Column("finished", Double),
    Column("error", Text, nullable=False),
    Column("notice", _BLOB, nullable=False),
    Column("group_key", _NAME, nullable=False, server_default=""),
    Index("outbox_due", "status", "next_at"),
    Index("outbox_by_group", "group_key", "status"),
    Index("outbox_by_incident", "incident", "id"),
    Index("outbox_finished", "finished"),
    sqlite_autoincrement=True,
)
"""Notices. ``holder`` and ``held_until`` are the claim, ``finished`` when it was sent or given up. ``group_key`` names
those that may share a message (empty: none)."""

SILENCES = _table(
    "silences",
    Column("id", _ID, primary_key=True),
    Column("ends", Double, nullable=False),
    Column("silence", _BLOB, nullable=False),
    Index("silences_by_end", "ends", "id"),
    sqlite_autoincrement=True,
)

# -- the rest ------------------------------------------------------------------------------------------------------

LEASES = _table(
    "leases",
    Column("name", _NAME, primary_key=True),
    Column("holder", _NAME, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("expires", Double, nullable=False),
)
"""Who leads, by the database's clock; nobody's where ``holder`` is empty."""

ACTORS = _table(
    "actors",
    Column("location", _NAME, primary_key=True),
    Column("name", _NAME, primary_key=True),
    Column("seen", _BLOB, nullable=False),
)
"""The actors that the leading director knows of; all rows are replaced together."""

RULE_STANDINGS = _table(
    "rule_standings",
    Column("key", _HASH, primary_key=True),
    Column("rule", _NAME, nullable=False),
    Column("series", Text, nullable=False),
    Column("standing", _BLOB, nullable=False),
    **_CLUSTERED,
)
"""Where rules stand for series, by a hash of both; what is at rest is not there."""

RULES = _table(
    "rules",
    Column("name", _NAME, primary_key=True),
    Column("origin", String(16), nullable=False),
    Column("spec", _LONG_TEXT, nullable=False),
    Column("changed", Double, nullable=False),
)
"""Definitions of rules; ``spec`` is JSON."""

USERS = _table(
    "users",
    Column("name", _NAME, primary_key=True),
    Column("role", String(16), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("origin", String(16), nullable=False),
    Column("disabled", Boolean, nullable=False, server_default=false()),
)

SESSIONS = _table(
    "sessions",
    Column("token_hash", _HASH, primary_key=True),
    Column("user_name", _NAME, ForeignKey("users.name", ondelete="CASCADE"), nullable=False, index=True),
    Column("expires", Double, nullable=False),
    Index("sessions_by_expiry", "expires", "token_hash"),
)

TOKENS = _table(
    "tokens",
    Column("name", _NAME, primary_key=True),
    Column("token_hash", _HASH, nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("owner", _NAME, ForeignKey("users.name", ondelete="CASCADE"), index=True),
    Column("created", Double, nullable=False),
    Column("expires", Double),
    Column("used", Double),
)
"""Tokens of programs; without an owner they are the installation's own."""

AUDIT = _table(
    "audit",
    Column("id", _ID, primary_key=True),
    Column("at", Double, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("who", _NAME, nullable=False),
    Column("address", _NAME, nullable=False),
    Column("what", String(64), nullable=False),
    Column("subject", _NAME, nullable=False),
    Column("detail", Text, nullable=False),
    Index("audit_by_age", "at", "id"),
    Index("audit_by_who", "who", "at", "id"),
    Index("audit_by_what", "what", "at", "id"),
    Index("audit_by_subject", "subject", "at", "id"),
)
"""Who changed what."""

FEED = _table(
    "feed",
    Column("id", _ID, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("subject", Text, nullable=False),
    Column("at", Double, nullable=False, index=True),
)
"""Changes, numbered in the order of their commits; ``at`` is the database's clock."""

# -- series --------------------------------------------------------------------------------------------------------

SERIES = _table(
    "series",
    Column("id", _ID, primary_key=True, autoincrement=False),
    Column("key", _HASH, nullable=False, unique=True),
    Column("metric", _NAME, nullable=False),
    Column("labels", Text, nullable=False),
    Column("born", BigInteger, nullable=False),
    Column("seen", Integer, nullable=False),
    Index("series_by_metric", "metric", "id"),
    Index("series_by_age", "seen", "born", "id"),
)
"""Series by a hash of metric and labels, numbered in the order of the commits. ``born``: the newest position of steps
when it got its number; ``seen``: the newest UTC day of which samples were compacted (-1: none yet)."""

STEPS = _table(
    "steps",
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("role", _NAME, nullable=False),
    Column("step", Double, nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("oldest", Double, nullable=False),
    Column("newest", Double, nullable=False),
    Column("frame", _BLOB, nullable=False),
    Index("steps_by_step", "step", "role", "block", "oldest"),
    Index("steps_by_block", "block", "oldest", "newest"),
    Index("steps_by_newest", "newest", "position"),
)
"""Samples that wait for the end of their hour: what a role saw in a step, of one block of series. Positions are in the
order of the commits; ``oldest`` and ``newest`` are times of samples."""

HOURS = _table(
    "hours",
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("samples", _BLOB, nullable=False),
    Index("hours_by_age", "hour", "block"),
    **_CLUSTERED,
)
"""Compacted samples of a block in ``(hour, hour + 1]``, counted from 1970."""

ROLLUPS = _table(
    "rollups",
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("buckets", _BLOB, nullable=False),
    Index("rollups_by_age", "day", "block"),
    **_CLUSTERED,
)
"""Buckets of a block in the closed hours of a UTC day."""
