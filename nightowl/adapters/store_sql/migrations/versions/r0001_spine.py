"""The spine: checks, rounds, incidents, outbox, leases, users, feed, samples."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import MEDIUMBLOB, MEDIUMTEXT, VARBINARY

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NAME = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
_INCIDENT_ID = sa.String(320).with_variant(sa.String(320, collation="C"), "postgresql")
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_BLOB = sa.LargeBinary().with_variant(MEDIUMBLOB(), "mysql", "mariadb")
_LONG_TEXT = sa.Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")
_HASH = sa.LargeBinary().with_variant(VARBINARY(64), "mysql", "mariadb")
_CLUSTERED = {"sqlite_with_rowid": False}


def upgrade() -> None:
    """Create all tables."""
    _marks()
    _checks()
    _rounds()
    _incidents()
    _rest()


def _create(name: str, *items: sa.Column[Any] | sa.Index, **options: Any) -> None:
    options |= {
        f"{dialect}_{key}": value
        for dialect in ("mysql", "mariadb")
        for key, value in {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}.items()
    }
    op.create_table(name, *items, **options)


def _marks() -> None:
    _create(
        "marks",
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO marks (name, value) VALUES ('feed', 0), ('removals', 0)")


def _checks() -> None:
    _create(
        "check_ids",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("name", _NAME, unique=True),
        sqlite_autoincrement=True,
    )
    _create(
        "location_ids",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("name", _NAME, nullable=False, unique=True),
    )
    _create(
        "checks",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("name", _NAME, nullable=False, unique=True),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("spec", _LONG_TEXT, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
        sa.Column("search", _LONG_TEXT, nullable=False),
        sa.Column("standing", sa.SmallInteger, nullable=False),
        sa.Index("checks_by_standing", "standing", "name"),
    )
    _create(
        "check_tags",
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("check_id", sa.BigInteger, sa.ForeignKey("checks.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sa.Index("check_tags_by_check", "check_id"),
        **_CLUSTERED,
    )
    _create(
        "check_locations",
        sa.Column("location", _NAME, primary_key=True),
        sa.Column("check_id", sa.BigInteger, sa.ForeignKey("checks.id", ondelete="CASCADE"), primary_key=True),
        sa.Index("check_locations_by_check", "check_id"),
        **_CLUSTERED,
    )
    _create(
        "check_states",
        sa.Column("check_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("verdict", sa.SmallInteger, nullable=False),
        sa.Column("state", _BLOB, nullable=False),
    )


def _rounds() -> None:
    _create(
        "tickets",
        sa.Column("number", _ID, primary_key=True),
        sa.Column("id", _NAME, nullable=False, unique=True),
        sa.Column("rounds", _BLOB, nullable=False),
    )
    _create(
        "outcomes",
        sa.Column("check_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("due", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("location_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("late", sa.Boolean, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("kept_state", sa.SmallInteger),
        sa.Column("started", sa.Double),
        sa.Column("duration", sa.Double),
        sa.Column("dns", sa.Double),
        sa.Column("connect", sa.Double),
        sa.Column("tls", sa.Double),
        sa.Column("first_byte", sa.Double),
        sa.Column("transfer", sa.Double),
        sa.Column("status", sa.Integer),
        sa.Column("address", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("certificate_expiry", sa.Double),
        **_CLUSTERED,
    )
    _create(
        "attempts",
        sa.Column("due", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("check_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("location_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("attempts", _BLOB, nullable=False),
        **_CLUSTERED,
    )
    _create(
        "rounds",
        sa.Column("check_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("due", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("closed", sa.Double, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("duration", sa.Double),
        sa.Column("places", _BLOB, nullable=False),
        **_CLUSTERED,
    )
    _create(
        "days",
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("check_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("up", sa.Integer, nullable=False),
        sa.Column("degraded", sa.Integer, nullable=False),
        sa.Column("down", sa.Integer, nullable=False),
        sa.Column("unknown", sa.Integer, nullable=False),
        **_CLUSTERED,
    )


def _incidents() -> None:
    _create(
        "incidents",
        sa.Column("id", _INCIDENT_ID, primary_key=True),
        sa.Column("subject", _NAME, nullable=False),
        sa.Column("severity", sa.SmallInteger, nullable=False),
        sa.Column("opened", sa.Double, nullable=False),
        sa.Column("resolved", sa.Double),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("incident", _BLOB, nullable=False),
        sa.Index("incidents_by_opened", "opened", "id"),
        sa.Index("incidents_by_subject", "subject", "opened", "id"),
        sa.Index("incidents_open", "is_open", "opened", "id"),
        sa.Index("incidents_by_resolved", "resolved"),
    )
    _create(
        "timeline",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("incident", _INCIDENT_ID, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Index("timeline_by_incident", "incident", "at", "id"),
    )
    _create(
        "outbox",
        sa.Column("id", _ID, primary_key=True),
        sa.Column(
            "key", sa.String(640).with_variant(sa.String(640, collation="C"), "postgresql"), nullable=False, unique=True
        ),
        sa.Column("incident", _INCIDENT_ID, nullable=False),
        sa.Column("channel", _NAME, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Double, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("held_until", sa.Double, nullable=False),
        sa.Column("finished", sa.Double),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("notice", _BLOB, nullable=False),
        sa.Index("outbox_due", "status", "next_at"),
        sa.Index("outbox_by_incident", "incident", "id"),
        sa.Index("outbox_finished", "finished"),
        sqlite_autoincrement=True,
    )


def _rest() -> None:
    _create(
        "leases",
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("holder", _NAME, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
    )
    _create(
        "users",
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
    )
    _create(
        "sessions",
        sa.Column("token_hash", _HASH, primary_key=True),
        sa.Column("user_name", _NAME, sa.ForeignKey("users.name", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("expires", sa.Double, nullable=False),
        sa.Index("sessions_by_expiry", "expires", "token_hash"),
    )
    _create(
        "feed",
        sa.Column("id", _ID, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False, index=True),
    )
    _create(
        "series",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("key", _HASH, nullable=False, unique=True),
        sa.Column("metric", _NAME, nullable=False, index=True),
        sa.Column("labels", sa.Text, nullable=False),
    )
    _create(
        "samples",
        sa.Column("series_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("time", sa.Double, primary_key=True, autoincrement=False),
        sa.Column("value", sa.Double, nullable=False),
        **_CLUSTERED,
    )
