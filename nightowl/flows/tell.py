"""Tell: write changes of incidents together with the notices that are due, in the transaction of their cause."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from msgspec.structs import replace

from nightowl.core import maintenance
from nightowl.core.due import Case, Heard, decide, endings
from nightowl.core.suppression import Around, looks_back
from nightowl.core.telling import LONGEST_SETTLING, Name, Telling, name_of
from nightowl.core.values import Change, Incident, Notice
from nightowl.ports import OutboxRow, Unit

EPISODES = 120
"""Earlier incidents of a subject that are read at most, to see whether it flaps."""


def tell(unit: Unit, changes: Sequence[Change], telling: Telling, now: float) -> None:
    """Write changes of incidents with the notices that they call for; those that wait are written by the vigil."""
    if not changes:
        return
    rows = unit.outbox.of_many({change.incident.id for change in changes})
    heard = {incident: [heard_of(row) for row in found] for incident, found in rows.items()}
    around = around_now(unit, telling, now, [change.incident for change in changes if change.incident.open])
    written: list[Change] = []
    due: list[Notice] = []
    for change in changes:
        known = heard.setdefault(change.incident.id, [])
        more, notices = _decided(unit, change, known, around, telling, now)
        written += more
        due += notices
        known += [Heard(step=each.step, channel=each.channel, at=now, status="waiting") for each in notices]
    unit.incidents.apply(written)
    unit.outbox.add(due)


def around_now(unit: Unit, telling: Telling, now: float, incidents: Iterable[Incident]) -> Around:
    """Read what may hold back that these incidents opened."""
    known = list(incidents)
    if not known:
        return Around()
    parents = {(parent.kind, parent.name) for incident in known for parent in telling.parents_of(incident)}
    return Around(
        silences=unit.silences.lasting(now),
        maintenance=maintenance.current(telling.maintenance, now),
        parents=_incidents_of(unit, parents, now) if parents else (),
    )


def _incidents_of(unit: Unit, names: Collection[Name], now: float) -> list[Incident]:
    """The incidents of these that are open, or ended not long ago."""
    found = (*unit.incidents.open(), *unit.incidents.ended(now - LONGEST_SETTLING))
    return [incident for incident in found if name_of(incident) in names]


def case_of(unit: Unit, incident: Incident, heard: Sequence[Heard], telling: Telling, now: float) -> Case:
    """Read what else there is to know of an incident. Only one that somebody has yet to hear of can be held back."""
    past: Sequence[Incident] = ()
    if incident.kind != "own":
        since = now - looks_back(incident, telling)
        past = unit.incidents.since(incident.kind, incident.subject, since, EPISODES)
    return Case(incident=incident, heard=heard, past=past)


def heard_of(row: OutboxRow) -> Heard:
    """What a row of the outbox says of its channel."""
    notice = row.notice
    return Heard(
        step=notice.step,
        channel=notice.channel,
        at=notice.created,
        status=row.status,
        raised=notice.incident.raised,
    )


def _decided(
    unit: Unit, change: Change, heard: Sequence[Heard], around: Around, telling: Telling, now: float
) -> tuple[Sequence[Change], Sequence[Notice]]:
    incident = change.incident
    if not incident.open:
        return [change], endings(incident, heard, telling, change.text, now)
    if change.event == "opened":
        incident = replace(incident, noticed=now)
    [decision] = decide([case_of(unit, incident, heard, telling, now)], around, telling, now)
    first = replace(change, incident=decision.incident)
    return [first, *decision.changes], decision.notices
