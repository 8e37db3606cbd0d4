"""Series: durable steps, compressed hours, rollups."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from itertools import groupby
from math import ceil
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import MEDIUMBLOB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NAME = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
_BLOB = sa.LargeBinary().with_variant(MEDIUMBLOB(), "mysql", "mariadb")
_CLUSTERED = {"sqlite_with_rowid": False}

_MARKS = sa.table("marks", sa.column("name", _NAME), sa.column("value", sa.BigInteger))
_SERIES = sa.table("series", sa.column("id", sa.BigInteger))
_SAMPLES = sa.table(
    "samples", sa.column("series_id", sa.BigInteger), sa.column("time", sa.Double), sa.column("value", sa.Double)
)

_BLOCK = 64
_HOUR = 3600
_AT_ONCE = 20_000
_MOST = 500_000


def upgrade() -> None:
    """Add what is new since 0003, and make steps of the samples that are there."""
    op.add_column("series", sa.Column("born", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("series", sa.Column("seen", sa.Integer, nullable=False, server_default="-1"))
    op.create_index("series_by_metric", "series", ["metric", "id"])
    op.create_index("series_by_age", "series", ["seen", "born", "id"])
    op.drop_index("ix_series_metric", table_name="series")
    steps = _tables()
    written = _carry_over(steps)
    last, known = (
        op.get_bind().execute(sa.select(sa.func.coalesce(sa.func.max(_SERIES.c.id), 0), sa.func.count())).one()
    )
    marks = {
        "steps": written,
        "series": last,
        "series_known": known,
        "series_limit": _MOST,
        "series_refused": 0,
        "series_refused_at": 0,
        "series_forgotten": 0,
    }
    op.bulk_insert(_MARKS, [{"name": name, "value": value} for name, value in marks.items()])
    op.drop_table("samples")


def _create(name: str, *items: sa.Column[Any] | sa.Index, **options: Any) -> sa.Table:
    options |= {
        f"{dialect}_{key}": value
        for dialect in ("mysql", "mariadb")
        for key, value in {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}.items()
    }
    return op.create_table(name, *items, **options)


def _tables() -> sa.Table:
    _create(
        "hours",
        sa.Column("block", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("samples", _BLOB, nullable=False),
        sa.Index("hours_by_age", "hour", "block"),
        **_CLUSTERED,
    )
    _create(
        "rollups",
        sa.Column("block", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("buckets", _BLOB, nullable=False),
        sa.Index("rollups_by_age", "day", "block"),
        **_CLUSTERED,
    )
    return _create(
        "steps",
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("role", _NAME, nullable=False),
        sa.Column("step", sa.Double, nullable=False),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.Column("oldest", sa.Double, nullable=False),
        sa.Column("newest", sa.Double, nullable=False),
        sa.Column("frame", _BLOB, nullable=False),
        sa.Index("steps_by_step", "step", "role", "block", "oldest"),
        sa.Index("steps_by_block", "block", "oldest", "newest"),
        sa.Index("steps_by_newest", "newest", "position"),
    )


def _carry_over(steps: sa.Table) -> int:
    """Write the samples as steps of a role of the past; how many rows that makes."""
    connection = op.get_bind()
    position = 0
    for position, (block, rows) in enumerate(_parts(connection), start=1):
        times = [time for _, time, _ in rows]
        step = {"role": "", "step": max(times), "oldest": min(times), "newest": max(times)}
        connection.execute(sa.insert(steps).values(position=position, block=block, frame=_packed(block, rows), **step))
    return position


def _parts(connection: sa.Connection) -> Iterator[tuple[int, list[tuple[int, float, float]]]]:
    """The samples hour by hour, so that each row is compacted in one go."""
    rows: list[tuple[int, float, float]]
    after, found = (0, float("-inf")), True
    while found:
        number, time = after
        later = sa.or_(_SAMPLES.c.series_id > number, sa.and_(_SAMPLES.c.series_id == number, _SAMPLES.c.time > time))
        query = sa.select(_SAMPLES).where(later if number else sa.true())
        query = query.order_by(_SAMPLES.c.series_id, _SAMPLES.c.time).limit(_AT_ONCE)
        rows = [(row.series_id, row.time, row.value) for row in connection.execute(query)]
        found = bool(rows)
        if found:
            after = rows[-1][:2]
        for (block, _hour), part in groupby(rows, key=lambda row: (row[0] // _BLOCK, ceil(row[1] / _HOUR))):
            yield block, list(part)


def _packed(block: int, rows: Iterable[tuple[int, float, float]]) -> bytes:
    """The layout of ``steps.frame`` at this revision: count, places in the block, times, values."""
    places, times, values = zip(*((number - block * _BLOCK, time, value) for number, time, value in rows), strict=True)
    count = len(places)
    return struct.pack(f"<I{count}B{count}d{count}d", count, *places, *times, *values)
