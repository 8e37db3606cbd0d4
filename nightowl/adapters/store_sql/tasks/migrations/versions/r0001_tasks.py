"""Tasks, how clusters stand, and the index of words."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.mysql import MEDIUMBLOB, VARBINARY
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_BLOB = sa.LargeBinary().with_variant(MEDIUMBLOB(), "mysql", "mariadb")
_TEXT = sa.LargeBinary().with_variant(VARBINARY(1020), "mysql", "mariadb")
_KEY = sa.LargeBinary().with_variant(VARBINARY(16), "mysql", "mariadb")


def upgrade() -> None:
    """Make all tables."""
    _clusters()
    _names()
    _tasks()
    _words()


def _create(name: str, *items: sa.Column[Any] | sa.UniqueConstraint, **options: Any) -> None:
    options |= {
        f"{dialect}_{key}": value
        for dialect in ("mysql", "mariadb")
        for key, value in {"engine": "InnoDB", "charset": "utf8mb4", "collate": "utf8mb4_bin"}.items()
    }
    op.create_table(name, *items, **options)


def _index(name: str, *columns: str, where: str = "") -> None:
    """Index tasks, in their order; only PostgreSQL does not put the key behind what is indexed by itself."""
    if op.get_bind().dialect.name == "postgresql":
        columns = (*columns, "id")
    condition = sa.text(where) if where else None
    op.create_index(name, "tasks", list(columns), postgresql_where=condition, sqlite_where=condition)


def _clusters() -> None:
    _create(
        "task_clusters",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", _TEXT, nullable=False, unique=True),
        sa.Column("tasks", sa.BigInteger, nullable=False),
        sa.Column("state", _BLOB),
    )
    _create(
        "task_gaps",
        sa.Column("cluster", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("until", sa.Double, primary_key=True, autoincrement=False),
        sa.Column("since", sa.Double, primary_key=True, autoincrement=False),
        sa.Column("gap", _BLOB, nullable=False),
        sqlite_with_rowid=False,
    )


def _names() -> None:
    _create(
        "task_names",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("cluster", sa.Integer, nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.UniqueConstraint("cluster", "kind", "name", name="task_names_by_name"),
    )
    _create(
        "task_faults",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("cluster", sa.Integer, nullable=False),
        sa.Column("name", sa.BigInteger, nullable=False),
        sa.Column("exception", sa.BigInteger, nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("cluster", "exception", "place", "name", name="task_faults_by_exception"),
        sqlite_autoincrement=True,
    )
    op.create_index("task_faults_by_place", "task_faults", ["cluster", "place"])


def _tasks() -> None:
    _create(
        "tasks",
        sa.Column("id", _ID, primary_key=True, autoincrement=False),
        sa.Column("cluster", sa.Integer, nullable=False),
        sa.Column("uuid", _KEY, nullable=False),
        sa.Column("name", sa.BigInteger, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("worker", sa.BigInteger, nullable=False),
        sa.Column("queue", sa.BigInteger, nullable=False),
        sa.Column("fault", sa.BigInteger),
        sa.Column("failed", sa.Double),
        sa.Column("root", _KEY),
        sa.Column("parent", _KEY),
        sa.Column("seen", sa.Double, nullable=False),
        sa.Column("body", _BLOB, nullable=False),
    )
    op.create_index("tasks_by_uuid", "tasks", ["uuid", "cluster"], unique=True)
    _index("tasks_by_name", "name", "state")
    _index("tasks_by_state", "state")
    _index("tasks_by_worker", "worker")
    _index("tasks_by_fault", "fault", where="fault IS NOT NULL")
    _index("tasks_by_failure", "fault", "failed", where="failed IS NOT NULL")
    _index("tasks_by_root", "root", where="root IS NOT NULL")
    _index("tasks_by_parent", "parent", where="parent IS NOT NULL")


def _words() -> None:
    """Make the index of words, of each database's own kind; in all of them a word is what NightOwl takes for one."""
    dialect = op.get_bind().dialect.name
    if dialect == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE task_words USING fts5 "
            "(words, content='', columnsize=0, detail=none, tokenize=\"ascii tokenchars '_'\")"
        )
        return
    words = sa.Column("words", TSVECTOR if dialect == "postgresql" else sa.dialects.mysql.MEDIUMTEXT(charset="ascii"))
    _create("task_words", sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False), words)
    if dialect == "postgresql":
        op.create_index("task_words_by_word", "task_words", ["words"], postgresql_using="gin")
    else:
        op.create_index(
            "task_words_by_word", "task_words", ["words"], mysql_prefix="FULLTEXT", mariadb_prefix="FULLTEXT"
        )
