"""Incidents and their timelines."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import and_, func, insert, select

from nightowl.adapters.store_sql.feed import SqlFeed
from nightowl.adapters.store_sql.schema import INCIDENTS, SEVERITIES, TIMELINE
from nightowl.adapters.store_sql.session import Session
from nightowl.core.values import Change, Entry, Incident

_ENTRY = ("incident", "at", "event", "text", "by")
_decode = msgspec.msgpack.Decoder(Incident).decode


class SqlIncidents:
    """See ``ports.Incidents``."""

    def __init__(self, session: Session, feed: SqlFeed) -> None:
        self._session = session
        self._connection = session.connection
        self._feed = feed

    def apply(self, changes: Sequence[Change]) -> None:
        """Store each change's incident and add the change to its timeline and to the change feed.

        A change that is applied again, as its commit was answered by nobody, stands in the timeline once.
        """
        if not changes:
            return
        latest = {change.incident.id: change.incident for change in changes}
        self._session.upsert(
            INCIDENTS,
            [
                (
                    incident.id,
                    incident.subject,
                    SEVERITIES.index(incident.severity),
                    incident.opened,
                    incident.resolved,
                    incident.open,
                    msgspec.msgpack.encode(incident),
                )
                for incident in latest.values()
            ],
        )
        known = self._entered(changes)
        entries = [(change.incident.id, change.at, change.event, change.text, change.by) for change in changes]
        self._session.insert_new(TIMELINE, [entry for entry in entries if entry[:3] not in known], _ENTRY)
        for incident in latest:
            self._feed.add("incident", incident)

    def _entered(self, changes: Sequence[Change]) -> set[tuple[str, float, str]]:
        """Those of the changes that stand in a timeline: incident, moment and event."""
        query = select(TIMELINE.c.incident, TIMELINE.c.at, TIMELINE.c.event).where(
            TIMELINE.c.incident.in_({change.incident.id for change in changes}),
            TIMELINE.c.at.in_({change.at for change in changes}),
        )
        return {(row.incident, row.at, row.event) for row in self._connection.execute(query)}

    def get(self, incident: str) -> Incident | None:
        """One incident; in a transaction no other can change it from here on until the commit."""
        query = select(INCIDENTS.c.incident).where(INCIDENTS.c.id == incident)
        if self._session.writes:
            query = query.with_for_update()  # SQLite, whose transactions write one at a time, leaves it out
        blob = self._connection.execute(query).scalar()
        return None if blob is None else _decode(blob)

    def open(self) -> list[Incident]:
        """Open incidents: most severe first, then oldest."""
        query = (
            select(INCIDENTS.c.incident)
            .where(INCIDENTS.c.is_open)
            .order_by(INCIDENTS.c.severity.desc(), INCIDENTS.c.opened, INCIDENTS.c.id)
        )
        return [_decode(blob) for blob in self._connection.execute(query).scalars()]

    def page(self, *, open_only: bool, subject: str, offset: int, limit: int) -> tuple[list[Incident], int]:
        """Incidents newest first, and how many there are (``subject`` empty: all)."""
        wanted = [
            *([INCIDENTS.c.is_open] if open_only else []),
            *([INCIDENTS.c.subject == subject] if subject else []),
        ]
        query = (
            select(INCIDENTS.c.incident)
            .where(*wanted)
            .order_by(INCIDENTS.c.opened.desc(), INCIDENTS.c.id.desc())
            .offset(offset)
            .limit(limit)
        )
        total = self._connection.execute(select(func.count()).select_from(INCIDENTS).where(*wanted)).scalar_one()
        return [_decode(blob) for blob in self._connection.execute(query).scalars()], total

    def since(self, kind: str, subject: str, moment: float, limit: int) -> list[Incident]:
        """The newest ``limit`` incidents of a kind and subject that opened after ``moment``, newest first."""
        query = (
            select(INCIDENTS.c.incident)
            .where(INCIDENTS.c.subject == subject, INCIDENTS.c.opened > moment)
            .order_by(INCIDENTS.c.opened.desc(), INCIDENTS.c.id.desc())
            .limit(limit)
        )
        found = [_decode(blob) for blob in self._connection.execute(query).scalars()]
        return [incident for incident in found if incident.kind == kind]

    def ended(self, moment: float) -> list[Incident]:
        """Those that ended after ``moment``."""
        query = select(INCIDENTS.c.incident).where(INCIDENTS.c.resolved > moment)
        return [_decode(blob) for blob in self._connection.execute(query).scalars()]

    def of_rule(self, rule: str, limit: int) -> list[Incident]:
        """Incidents of a rule, of breaches and of missing data, the newest ``limit`` first."""
        subject = INCIDENTS.c.subject
        # "|" is what comes after "{", with which labels begin
        found = [
            _decode(blob)
            for mine in (subject == rule, and_(subject >= f"{rule}{{", subject < f"{rule}|"))
            for blob in self._connection.execute(
                select(INCIDENTS.c.incident).where(mine).order_by(INCIDENTS.c.opened.desc()).limit(limit)
            ).scalars()
        ]
        found.sort(key=lambda incident: (incident.opened, incident.id), reverse=True)
        return [incident for incident in found if incident.kind in ("rule", "nodata")][:limit]

    def timeline(self, incident: str) -> list[Entry]:
        """What happened, oldest first."""
        query = (
            select(*(TIMELINE.c[name] for name in _ENTRY))
            .where(TIMELINE.c.incident == incident)
            .order_by(TIMELINE.c.at, TIMELINE.c.id)
        )
        return [Entry(**row) for row in self._connection.execute(query).mappings()]

    def note(self, entry: Entry) -> None:
        """Add a line to a timeline."""
        self._connection.execute(insert(TIMELINE).values(msgspec.structs.asdict(entry)))
        self._feed.add("incident", entry.incident)
