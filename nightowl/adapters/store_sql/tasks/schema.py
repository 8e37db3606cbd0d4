"""The tables of tasks, as this version of NightOwl needs them; ``migrations`` brings a database here.

In SQLite they are a file of their own. Texts that come again and again are numbers (``task_names``). Names are kept as
bytes, so that no database takes two of them for one. The index of words, ``task_words``, is each database's own.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects.mysql import MEDIUMBLOB, VARBINARY

from nightowl.core.cluster.task import TaskState

STATES = (
    TaskState.PENDING,
    TaskState.RECEIVED,
    TaskState.STARTED,
    TaskState.SUCCESS,
    TaskState.FAILURE,
    TaskState.RETRY,
    TaskState.REVOKED,
    TaskState.REJECTED,
    TaskState.LOST,
)
"""States by the code that stands for them in rows: append only."""

NAME, WORKER, CLIENT, QUEUE, EXCHANGE, ROUTING_KEY, EXCEPTION, PLACE = range(8)
"""Kinds of names, by code."""

METADATA = MetaData()

_ID = BigInteger().with_variant(Integer, "sqlite")
_BLOB = LargeBinary().with_variant(MEDIUMBLOB(), "mysql", "mariadb")
_TEXT = LargeBinary().with_variant(VARBINARY(1020), "mysql", "mariadb")
_KEY = LargeBinary().with_variant(VARBINARY(16), "mysql", "mariadb")


def _table(name: str, *items: Column[Any] | Index | UniqueConstraint, **options: Any) -> Table:
    return Table(name, METADATA, *items, **options)


CLUSTERS = _table(
    "task_clusters",
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", _TEXT, nullable=False, unique=True),
    Column("tasks", BigInteger, nullable=False),
    Column("state", _BLOB),
)
"""Clusters: how many tasks are kept of each, how it was seen last. A row is also the lock of its cluster's tasks."""

GAPS = _table(
    "task_gaps",
    Column("cluster", Integer, primary_key=True, autoincrement=False),
    Column("until", Double, primary_key=True, autoincrement=False),
    Column("since", Double, primary_key=True, autoincrement=False),
    Column("gap", _BLOB, nullable=False),
    sqlite_with_rowid=False,
)

NAMES = _table(
    "task_names",
    Column("id", _ID, primary_key=True),
    Column("cluster", Integer, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("name", _TEXT, nullable=False),
    UniqueConstraint("cluster", "kind", "name", name="task_names_by_name"),
)
"""Names of tasks, workers, queues, ... and the numbers that stand for them (0: the empty one). They are never
forgotten, as their number is small."""

FAULTS = _table(
    "task_faults",
    Column("id", _ID, primary_key=True),
    Column("cluster", Integer, nullable=False),
    Column("name", BigInteger, nullable=False),
    Column("exception", BigInteger, nullable=False),
    Column("place", BigInteger, nullable=False),
    UniqueConstraint("cluster", "exception", "place", "name", name="task_faults_by_exception"),
    Index("task_faults_by_place", "cluster", "place"),
    sqlite_autoincrement=True,
)
"""What went wrong: a task's name, an exception, a place. They go with the last task that has them."""

TASKS = _table(
    "tasks",
    Column("id", _ID, primary_key=True, autoincrement=False),
    Column("cluster", Integer, nullable=False),
    Column("uuid", _KEY, nullable=False),
    Column("name", BigInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("worker", BigInteger, nullable=False),
    Column("queue", BigInteger, nullable=False),
    Column("fault", BigInteger),
    Column("failed", Double),
    Column("root", _KEY),
    Column("parent", _KEY),
    Column("seen", Double, nullable=False),
    Column("body", _BLOB, nullable=False),
    Index("tasks_by_uuid", "uuid", "cluster", unique=True),
    Index("tasks_by_name", "name", "state"),
    Index("tasks_by_state", "state"),
    Index("tasks_by_worker", "worker"),
    Index("tasks_by_fault", "fault"),
    Index("tasks_by_failure", "fault", "failed"),
    Index("tasks_by_root", "root"),
    Index("tasks_by_parent", "parent"),
)
"""Tasks. An id says cluster and time (``places``), so every index is in the order of lists without another column.
``state`` is a code of ``STATES``; ``failed`` is when it failed, where that is how it ended; ``root`` is null where it
is the task itself; what is only read, never looked for, is in ``body``."""

PUSHED = _table(
    "pushed",
    Column("id", _ID, primary_key=True),
    Column("cluster", Integer, nullable=False),
    Column("events", Integer, nullable=False),
    Column("body", _BLOB, nullable=False),
    Index("pushed_by_cluster", "cluster", "id"),
    sqlite_autoincrement=True,
)
"""Parcels that were pushed. Numbers are never given twice, and only grow, as whoever puts one holds its cluster."""
