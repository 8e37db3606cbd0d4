"""The store as a whole: transactions and reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Connection, text

from nightowl.adapters.store_sql.actors import SqlActors
from nightowl.adapters.store_sql.audit import SqlAudit
from nightowl.adapters.store_sql.bulk import Bulk
from nightowl.adapters.store_sql.checks import SqlChecks
from nightowl.adapters.store_sql.engines import Engines
from nightowl.adapters.store_sql.failures import translated
from nightowl.adapters.store_sql.feed import SqlFeed
from nightowl.adapters.store_sql.heartbeats import SqlHeartbeats
from nightowl.adapters.store_sql.incidents import SqlIncidents
from nightowl.adapters.store_sql.leases import SqlLeases
from nightowl.adapters.store_sql.names import KnownNames, Names
from nightowl.adapters.store_sql.outbox import SqlOutbox
from nightowl.adapters.store_sql.retention import SqlRetention
from nightowl.adapters.store_sql.rounds import SqlRounds
from nightowl.adapters.store_sql.rule_definitions import SqlRuleDefinitions
from nightowl.adapters.store_sql.rules import SqlRules
from nightowl.adapters.store_sql.series import Catalogue, SqlSeries
from nightowl.adapters.store_sql.series_names import SqlSeriesNames
from nightowl.adapters.store_sql.session import Session
from nightowl.adapters.store_sql.silences import SqlSilences
from nightowl.adapters.store_sql.tokens import SqlTokens
from nightowl.adapters.store_sql.users import SqlUsers
from nightowl.ports import Lease


class SqlUnit:
    """What a transaction (or a read) works with."""

    def __init__(self, session: Session, catalogue: Catalogue) -> None:
        self.feed = SqlFeed(session)
        self.checks = SqlChecks(session, self.feed)
        self.rounds = SqlRounds(session, self.feed)
        self.incidents = SqlIncidents(session, self.feed)
        self.outbox = SqlOutbox(session)
        self.silences = SqlSilences(session, self.feed)
        self.heartbeats = SqlHeartbeats(session, self.feed)
        self.leases = SqlLeases(session)
        self.actors = SqlActors(session)
        self.rules = SqlRules(session)
        self.rule_definitions = SqlRuleDefinitions(session, self.feed)
        self.users = SqlUsers(session)
        self.tokens = SqlTokens(session)
        self.audit = SqlAudit(session)
        self.series = SqlSeries(session, catalogue)
        self.series_names = SqlSeriesNames(session)
        self.retention = SqlRetention(session)


class SqlStore:
    """A database by SQLAlchemy Core; safe to use from any thread. Made by ``open_store``."""

    def __init__(self, url: URL, engines: Engines) -> None:
        self._url = url
        self._engines = engines
        self._bulk = Bulk(engines.writer.dialect)
        self._known = KnownNames()
        self._catalogue = Catalogue()

    @contextmanager
    def transaction(self, lease: Lease | None = None) -> Iterator[SqlUnit]:
        """One transaction, committed at the end of the block, rolled back when the block raises.

        With a lease its epoch is confirmed first, under lock; ``LeaseLost`` where it is no longer ours. Transactions do
        not nest. Raises ``StoreUnavailable``.
        """
        with translated(self._url):
            with self._engines.writer.begin() as connection:
                session = self._session(connection, writes=True)
                unit = SqlUnit(session, self._catalogue)
                if lease is not None:
                    unit.leases.confirm(lease)
                yield unit
                unit.feed.flush()
                unit.series.flush()
            session.names.share()
            unit.series.share()

    @contextmanager
    def read(self) -> Iterator[SqlUnit]:
        """A consistent view, for reading only. Raises ``StoreUnavailable``."""
        with translated(self._url), self._engines.reader.begin() as connection:
            yield SqlUnit(self._session(connection, writes=False), self._catalogue)

    def ping(self) -> None:
        """Raise ``StoreUnavailable`` unless the database answers."""
        with translated(self._url), self._engines.reader.begin() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Give connections back."""
        self._engines.dispose()

    def _session(self, connection: Connection, *, writes: bool) -> Session:
        return Session(connection, self._bulk, Names(connection, self._bulk, self._known), writes)
