"""Backups: all rows of a store in one file, which any of the databases can take in again.

The file is a gzip stream of frames, each a length (four bytes, big-endian) and a msgpack message: a ``Header``, the
rows of each table in ``Chunk`` messages, and an ``End``, without which a file is known to be cut short.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
from sqlalchemy import Connection, MetaData, Table, func, select, text

from nightowl.adapters.store_sql import versions
from nightowl.adapters.store_sql.bulk import Bulk
from nightowl.adapters.store_sql.engines import connect, parse
from nightowl.adapters.store_sql.failures import describe, translated
from nightowl.adapters.store_sql.schema import HOURS, METADATA, ROLLUPS
from nightowl.core.errors import Refused, SchemaOutdated

Progress = Callable[[int, int], None]
"""Told now and then: rows done, rows in all."""


def _untold(done: int, total: int) -> None:
    """Nobody wants to know."""


_FORMAT = 1
_CHUNK = 1000
_CHUNK_OF_BLOCKS = 50  # rows of many kilobytes each
_LIMIT = 1 << 30  # bytes of a frame; more is no length


class Header(msgspec.Struct, frozen=True, tag=True):
    """What the file is: the layout, the schema's revision, and how many rows each table has, parents first."""

    format: int
    revision: str
    tables: dict[str, int]


class Chunk(msgspec.Struct, frozen=True, tag=True):
    """Some rows of a table."""

    table: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class End(msgspec.Struct, frozen=True, tag=True):
    """The file is complete."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Header | Chunk | End).decode


def backup(url: str, path: Path, progress: Progress = _untold) -> int:
    """Write a consistent copy of the store at ``url``, which may be in use, to the file ``path``; how many rows.

    The file is complete or not there. Raises ``Refused`` where it cannot be written, and what ``open_store`` raises.
    """
    parsed = parse(url)
    engines = connect(parsed)
    part = path.with_name(f"{path.name}.part")
    try:
        with translated(parsed):
            versions.require_head(engines.writer, parsed)
            # only the owner may read it: it holds password hashes
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                with gzip.open(file, "wb", compresslevel=3) as stream, engines.reader.begin() as connection:
                    total = _write(cast("BinaryIO", stream), connection, progress)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
    except OSError as error:
        raise Refused(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
        engines.dispose()
    return total


def restore(url: str, path: Path, *, replace: bool = False, progress: Progress = _untold) -> int:
    """Fill the database at ``url`` from a backup and bring it to this version's schema; how many rows.

    Nothing is touched before the whole file has been read once. Raises ``Refused`` where the file is no complete
    backup or the database holds a store already (unless ``replace``), ``SchemaOutdated`` for a newer NightOwl's.
    """
    header = _verify(path)
    if not versions.is_known(header.revision):
        raise SchemaOutdated(f"{path} was written by a newer NightOwl (schema {header.revision}); restore it with that")
    parsed = parse(url)
    engines = connect(parsed)
    try:
        with translated(parsed), engines.writer.begin() as connection:
            if versions.revision(connection) is not None:
                if not replace:
                    raise Refused(f"Store {describe(parsed)} is not empty; --force replaces what it holds")
                _clear(connection)
            versions.upgrade_on(connection, header.revision)
            _read(path, header, connection, progress)
            versions.upgrade_on(connection, "head")
    finally:
        engines.dispose()
    return sum(header.tables.values())


def _write(stream: BinaryIO, connection: Connection, progress: Progress) -> int:
    tables = {
        table: connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in METADATA.sorted_tables
    }
    done, total = 0, sum(tables.values())
    _put(stream, Header(_FORMAT, versions.head(), {str(table.name): count for table, count in tables.items()}))
    for table in tables:
        at_once = _CHUNK_OF_BLOCKS if table in (HOURS, ROLLUPS) else _CHUNK
        query = select(table).order_by(*table.primary_key).execution_options(yield_per=at_once)
        columns = tuple(str(column.name) for column in table.columns)
        for rows in connection.execute(query).partitions():
            _put(stream, Chunk(str(table.name), columns, [tuple(row) for row in rows]))
            done += len(rows)
            progress(done, total)
    _put(stream, End())
    return total


def _put(stream: BinaryIO, message: Header | Chunk | End) -> None:
    payload = _encode(message)
    stream.write(len(payload).to_bytes(4, "big"))
    stream.write(payload)


def _messages(path: Path) -> Iterator[Header | Chunk | End]:
    """The messages of a file up to its end; raises ``Refused`` for anything else than a complete backup."""
    try:
        with gzip.open(path, "rb") as stream:
            while True:
                size = int.from_bytes(stream.read(4), "big")
                if not 0 < size < _LIMIT:
                    raise Refused(f"{path}: is not a complete backup of NightOwl")
                message = _decode(stream.read(size))
                yield message
                if isinstance(message, End):
                    stream.read(1)  # the checksum stands behind
                    return
    except (gzip.BadGzipFile, EOFError, zlib.error, msgspec.DecodeError) as error:
        raise Refused(f"{path}: is not a complete backup of NightOwl") from error
    except OSError as error:
        raise Refused(f"{path}: cannot be read: {error.strerror}") from error


def _verify(path: Path) -> Header:
    messages = _messages(path)
    header = next(messages)
    if not isinstance(header, Header) or header.format != _FORMAT:
        raise Refused(f"{path}: is not a backup that this NightOwl can read")
    found = dict.fromkeys(header.tables, 0)
    for message in messages:
        if isinstance(message, Chunk):
            found[message.table] = found.get(message.table, 0) + len(message.rows)
    if found != header.tables:
        raise Refused(f"{path}: is not a complete backup of NightOwl")
    return header


def _clear(connection: Connection) -> None:
    METADATA.drop_all(connection)
    connection.execute(text("DROP TABLE alembic_version"))


def _read(path: Path, header: Header, connection: Connection, progress: Progress) -> None:
    bulk = Bulk(connection.dialect)
    # as they are at the backup's revision
    tables = {name: Table(name, MetaData(), autoload_with=connection) for name in header.tables}
    for table in tables.values():
        connection.execute(table.delete())  # what the migrations put there
    done, total = 0, sum(header.tables.values())
    for message in _messages(path):
        if isinstance(message, Chunk):
            bulk.insert(connection, tables[message.table], message.rows, message.columns)
            done += len(message.rows)
            progress(done, total)
    if connection.dialect.name == "postgresql":
        _advance_sequences(connection)


def _advance_sequences(connection: Connection) -> None:
    """Let new rows be numbered after those that were inserted with their numbers."""
    for table in METADATA.sorted_tables:
        column = table.autoincrement_column
        if column is None:
            continue
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        connection.execute(select(func.setval(sequence, func.coalesce(func.max(column), 0) + 1, False)))
