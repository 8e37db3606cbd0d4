"""Rules: where they stand."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import MEDIUMBLOB, VARBINARY

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NAME = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
_BLOB = sa.LargeBinary().with_variant(MEDIUMBLOB(), "mysql", "mariadb")
_HASH = sa.LargeBinary().with_variant(VARBINARY(64), "mysql", "mariadb")


def upgrade() -> None:
    """Add what is new since 0002."""
    options: dict[str, Any] = {
        f"{dialect}_{key}": value
        for dialect in ("mysql", "mariadb")
        for key, value in {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}.items()
    }
    op.create_table(
        "rule_standings",
        sa.Column("key", _HASH, primary_key=True),
        sa.Column("rule", _NAME, nullable=False),
        sa.Column("series", sa.Text, nullable=False),
        sa.Column("standing", _BLOB, nullable=False),
        sqlite_with_rowid=False,
        **options,
    )
