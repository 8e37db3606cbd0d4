"""Events that workers pushed, until they are taken."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import MEDIUMBLOB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_BLOB = sa.LargeBinary().with_variant(MEDIUMBLOB(), "mysql", "mariadb")


def upgrade() -> None:
    """Make the table."""
    options: dict[str, Any] = {f"{dialect}_engine": "InnoDB" for dialect in ("mysql", "mariadb")}
    op.create_table(
        "pushed",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("cluster", sa.Integer, nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("body", _BLOB, nullable=False),
        sqlite_autoincrement=True,
        **options,
    )
    op.create_index("pushed_by_cluster", "pushed", ["cluster", "id"])
