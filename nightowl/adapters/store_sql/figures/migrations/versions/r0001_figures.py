"""What was counted of each cluster."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import MEDIUMBLOB, VARBINARY

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BLOB = sa.LargeBinary().with_variant(MEDIUMBLOB(), "mysql", "mariadb")
_TEXT = sa.LargeBinary().with_variant(VARBINARY(1020), "mysql", "mariadb")


def upgrade() -> None:
    """Make the table."""
    options: dict[str, Any] = {f"{dialect}_engine": "InnoDB" for dialect in ("mysql", "mariadb")}
    op.create_table(
        "cluster_figures",
        sa.Column("cluster", _TEXT, primary_key=True),
        sa.Column("figures", _BLOB, nullable=False),
        **options,
    )
