"""Incidents and their timelines."""

from __future__ import annotations

import msgspec

from nightowl.core.values import Change, Entry, Incident, Severity
from nightowl.ports import Store

NOW = 1_790_000_000.25


def incident(name: str, *, opened: float = NOW, severity: Severity = Severity.CRITICAL, **more: object) -> Incident:
    values: dict[str, object] = {"subject": "shop", "summary": f"{name} is down", "tags": {"team": "ünï"}} | more
    return Incident(id=name, kind="check", severity=severity, opened=opened, **values)


def change(subject: Incident, event: str = "opened", at: float = NOW) -> Change:
    return Change(event=event, incident=subject, at=at, text=f"{event}!", by="alice")


def apply(store: Store, *changes: Change) -> None:
    with store.transaction() as unit:
        unit.incidents.apply(changes)


def test_changes_store_the_incident_its_timeline_and_a_feed_item(store: Store) -> None:
    first = incident("i1")
    over = msgspec.structs.replace(first, resolved=NOW + 60)
    apply(store, change(first), change(over, "resolved", NOW + 60))
    with store.transaction() as unit:
        unit.incidents.note(Entry(incident="i1", at=NOW + 30, event="sent", text="told ops", by=""))
    with store.read() as unit:
        assert unit.incidents.get("i1") == over
        assert unit.incidents.get("i2") is None
        assert [entry.event for entry in unit.incidents.timeline("i1")] == ["opened", "sent", "resolved"]
        assert unit.incidents.timeline("i1")[0] == Entry(
            incident="i1", at=NOW, event="opened", text="opened!", by="alice"
        )
        assert [(item.kind, item.subject) for item in unit.feed.after(0, 9)] == [("incident", "i1")] * 2


def test_a_change_that_is_applied_again_stands_in_the_timeline_once(store: Store) -> None:
    first = incident("i1")
    apply(store, change(first))
    apply(store, change(first), change(first, "raised", NOW + 60))
    with store.read() as unit:
        assert [entry.event for entry in unit.incidents.timeline("i1")] == ["opened", "raised"]


def test_open_incidents_are_most_severe_first_then_oldest(store: Store) -> None:
    apply(
        store,
        change(incident("late", opened=NOW + 1)),
        change(incident("mild", opened=NOW - 5, severity=Severity.WARNING)),
        change(incident("early")),
        change(incident("over", resolved=NOW)),
    )
    with store.read() as unit:
        assert [item.id for item in unit.incidents.open()] == ["early", "late", "mild"]


def test_pages_of_incidents_are_newest_first(store: Store) -> None:
    apply(store, *(change(incident(f"i{number}", opened=NOW + number, resolved=None)) for number in range(5)))
    apply(store, change(incident("cart", opened=NOW + 9, resolved=NOW + 10, subject="cart")))
    with store.read() as unit:
        found, total = unit.incidents.page(open_only=False, subject="", offset=0, limit=2)
        assert ([item.id for item in found], total) == (["cart", "i4"], 6)
        found, total = unit.incidents.page(open_only=True, subject="shop", offset=4, limit=2)
        assert ([item.id for item in found], total) == (["i0"], 5)
        assert unit.incidents.page(open_only=True, subject="cart", offset=0, limit=2) == ([], 0)


def test_what_a_subject_did_of_late_and_what_has_ended_is_told(store: Store) -> None:
    first, second = incident("i1"), incident("i2", opened=NOW + 60)
    over = msgspec.structs.replace(first, resolved=NOW + 30)
    other = msgspec.structs.replace(second, id="i3", kind="nodata")
    apply(store, change(over), change(second), change(other))
    with store.read() as unit:
        assert unit.incidents.since("check", "shop", NOW - 1, 10) == [second, over]
        assert unit.incidents.since("check", "shop", NOW, 10) == [second]
        assert unit.incidents.since("check", "nobody", NOW - 1, 10) == []
        assert unit.incidents.ended(NOW + 29) == [over]
        assert unit.incidents.ended(NOW + 30) == []
