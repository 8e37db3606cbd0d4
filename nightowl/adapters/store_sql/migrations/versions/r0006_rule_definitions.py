"""Definitions of rules."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import MEDIUMTEXT

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_NAME = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
_LONG_TEXT = sa.Text().with_variant(MEDIUMTEXT(), "mysql", "mariadb")


def upgrade() -> None:
    """Add the table of rules that files, API and pages define."""
    options: dict[str, Any] = {
        f"{dialect}_{key}": value
        for dialect in ("mysql", "mariadb")
        for key, value in {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}.items()
    }
    op.create_table(
        "rules",
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("spec", _LONG_TEXT, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
        **options,
    )
