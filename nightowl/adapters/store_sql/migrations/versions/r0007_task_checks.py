"""Calls that stand for the runs of tasks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let a call tell the run that it is about, when that began, and the one event that it stands for."""
    op.add_column("pings", sa.Column("run", sa.String(255), nullable=False, server_default=""))
    op.add_column("pings", sa.Column("started", sa.Double))
    op.add_column("pings", sa.Column("event", sa.String(64)))
    op.create_index("pings_by_event", "pings", ["check_id", "event"], unique=True)
