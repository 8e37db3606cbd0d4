"""Trust: what keeps an installation safe and answerable."""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import MEDIUMBLOB, MEDIUMTEXT, VARBINARY

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NAME = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_BLOB = sa.LargeBinary().with_variant(MEDIUMBLOB(), "mysql", "mariadb")
_LONG_TEXT = sa.Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")
_HASH = sa.LargeBinary().with_variant(VARBINARY(64), "mysql", "mariadb")


def upgrade() -> None:
    """Add what is new since 0001."""
    _access()
    _audit()
    _heartbeats()
    _actors()


def _create(name: str, *items: sa.Column[Any] | sa.Index, **options: Any) -> None:
    options |= {
        f"{dialect}_{key}": value
        for dialect in ("mysql", "mariadb")
        for key, value in {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}.items()
    }
    op.create_table(name, *items, **options)


def _access() -> None:
    marks = sa.table("marks", sa.column("name", _NAME), sa.column("value", sa.BigInteger))
    op.execute(marks.insert().values(name="installation", value=secrets.randbits(62)))
    op.add_column("users", sa.Column("disabled", sa.Boolean, nullable=False, server_default=sa.false()))
    _create(
        "tokens",
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("token_hash", _HASH, nullable=False, unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("owner", _NAME, sa.ForeignKey("users.name", ondelete="CASCADE"), index=True),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("expires", sa.Double),
        sa.Column("used", sa.Double),
    )


def _audit() -> None:
    _create(
        "audit",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("who", _NAME, nullable=False),
        sa.Column("address", _NAME, nullable=False),
        sa.Column("what", sa.String(64), nullable=False),
        sa.Column("subject", _NAME, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Index("audit_by_age", "at", "id"),
        sa.Index("audit_by_who", "who", "at", "id"),
        sa.Index("audit_by_what", "what", "at", "id"),
        sa.Index("audit_by_subject", "subject", "at", "id"),
    )


def _heartbeats() -> None:
    _create(
        "heartbeat_urls",
        sa.Column("check_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("token_hash", _HASH, nullable=False, unique=True),
    )
    _create(
        "pulses",
        sa.Column("check_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("pulse", _BLOB, nullable=False),
    )
    _create(
        "pings",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("check_id", sa.BigInteger, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("taken", sa.Boolean, nullable=False),
        sa.Column("signal", sa.String(16), nullable=False),
        sa.Column("exit_code", sa.SmallInteger),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("tail", _LONG_TEXT, nullable=False),
        sa.Index("pings_by_check", "check_id", "id"),
        sa.Index("pings_untaken", "taken", "id"),
        sa.Index("pings_by_age", "at", "id"),
        sqlite_autoincrement=True,
    )


def _actors() -> None:
    _create(
        "actors",
        sa.Column("location", _NAME, primary_key=True),
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("seen", _BLOB, nullable=False),
    )
    op.add_column("outcomes", sa.Column("offline", sa.Boolean, nullable=False, server_default=sa.false()))
