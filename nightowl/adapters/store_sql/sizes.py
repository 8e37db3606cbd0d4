"""How much room the tables take, without what is free in them and used again.

So that forgetting shows: no database gives the room of deleted rows back to the disk at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, text

from nightowl.adapters.store_sql.schema import METADATA

# The share of each table that its rows fill, by the statistics of the last (auto)vacuum or analyze; a row's own header
# and pointer are 28 bytes. Long values stand in a table beside it, in pieces of up to 2 kB, which are counted live.
_POSTGRESQL = text("""
    SELECT SUM(
        (pg_total_relation_size(c.oid) - COALESCE(pg_total_relation_size(NULLIF(c.reltoastrelid, 0)), 0)) * CASE
            WHEN c.reltuples < 0 OR c.relpages = 0 OR w.width IS NULL THEN 1
            ELSE LEAST(1, c.reltuples * (w.width + 28) / (c.relpages * current_setting('block_size')::float))
        END
        + COALESCE(LEAST(pg_total_relation_size(long.relid), long.n_live_tup * 2048), 0)
    )
    FROM pg_class c
    LEFT JOIN (
        SELECT tablename, SUM(avg_width) AS width FROM pg_stats WHERE schemaname = current_schema() GROUP BY tablename
    ) w ON w.tablename = c.relname
    LEFT JOIN pg_stat_all_tables long ON long.relid = c.reltoastrelid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relname IN :tables
""").bindparams(bindparam("tables", expanding=True))

_MARIADB = text("""
    SELECT SUM(data_length + index_length) FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_name IN :tables
""").bindparams(bindparam("tables", expanding=True))


def size(connection: Connection, tables: Sequence[str] = tuple(METADATA.tables)) -> int:
    """Bytes that these tables take; in SQLite the whole file."""
    if connection.dialect.name == "sqlite":
        pages, free, page = (
            connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one()
            for pragma in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * page)
    query = _POSTGRESQL if connection.dialect.name == "postgresql" else _MARIADB
    return int(connection.execute(query, {"tables": list(tables)}).scalar_one() or 0)
