"""Silences, and notices that share a message."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import MEDIUMBLOB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NAME = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_BLOB = sa.LargeBinary().with_variant(MEDIUMBLOB(), "mysql", "mariadb")


def upgrade() -> None:
    """Add the table of silences, and the group to notices."""
    options: dict[str, Any] = {
        f"{dialect}_{key}": value
        for dialect in ("mysql", "mariadb")
        for key, value in {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}.items()
    }
    op.create_table(
        "silences",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("ends", sa.Double, nullable=False),
        sa.Column("silence", _BLOB, nullable=False),
        sqlite_autoincrement=True,
        **options,
    )
    op.create_index("silences_by_end", "silences", ["ends", "id"])
    op.add_column("outbox", sa.Column("group_key", _NAME, nullable=False, server_default=""))
    op.create_index("outbox_by_group", "outbox", ["group_key", "status"])
