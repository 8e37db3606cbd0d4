"""What watchers have counted of their clusters, apart from tasks: it is stored before it is shown, and must not wait.

In SQLite it is a file of its own, as a file is written by one transaction at a time; in a database of a server it is a
table of its own, as whoever writes tasks of a cluster holds its row. Its schema has revisions of its own.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, Column, LargeBinary, MetaData, Table, select

from nightowl.adapters.store_sql import sizes, versions
from nightowl.adapters.store_sql.bulk import Bulk
from nightowl.adapters.store_sql.engines import Engines
from nightowl.adapters.store_sql.failures import translated

LINE = versions.Line(Path(__file__).parent / "migrations", "figures_version")
"""The revisions of the table."""

_FIGURES = Table(
    "cluster_figures",
    MetaData(),
    Column("cluster", LargeBinary, primary_key=True),
    Column("figures", LargeBinary, nullable=False),
)


class SqlFigures:
    """Figures by the name of their cluster, as bytes. Safe from any thread. Raises ``StoreUnavailable``."""

    def __init__(self, url: URL, engines: Engines) -> None:
        self._url = url
        self._engines = engines
        self._bulk = Bulk(engines.writer.dialect)

    def save(self, cluster: bytes, figures: bytes) -> None:
        """Replace what is stored of a cluster."""
        with translated(self._url), self._engines.writer.begin() as connection:
            self._bulk.upsert(connection, _FIGURES, [(cluster, figures)])

    def load(self, cluster: bytes) -> bytes | None:
        """What was stored last of a cluster (None: nothing)."""
        with translated(self._url), self._engines.reader.begin() as connection:
            query = select(_FIGURES.c.figures).where(_FIGURES.c.cluster == cluster)
            found: bytes | None = connection.execute(query).scalar_one_or_none()
            return found

    def size(self) -> int:
        """Bytes that it takes."""
        with translated(self._url), self._engines.reader.begin() as connection:
            return sizes.size(connection, [_FIGURES.name])

    def close(self) -> None:
        """Give connections back."""
        self._engines.dispose()
