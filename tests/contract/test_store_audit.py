"""Who changed what."""

from __future__ import annotations

from nightowl.core.values import AuditEntry, Author
from nightowl.ports import AuditFilter, Store

NOW = 1_790_000_000.25
ANNA = Author("user", "anna", "192.0.2.7")
CI = Author("token", "ci", "2001:db8::7")


def entry(at: float, author: Author, what: str, subject: str, detail: str = "") -> AuditEntry:
    return AuditEntry(at=NOW + at, author=author, what=what, subject=subject, detail=detail)


ENTRIES = [
    entry(0, ANNA, "check.add", "shop", "every: 1m"),
    entry(1, CI, "check.edit", "shop", "every: 1m, now 5m"),
    entry(1, ANNA, "check.delete", "Bücher", "\N{OWL}"),
    entry(2, Author("local"), "check.edit", "cart"),
]


def fill(store: Store) -> None:
    with store.transaction() as unit:
        for each in ENTRIES:
            unit.audit.add(each)


def test_entries_are_listed_newest_first(store: Store) -> None:
    fill(store)
    with store.read() as unit:
        assert unit.audit.page(AuditFilter(), 0, 10) == (ENTRIES[::-1], 4)
        assert unit.audit.page(AuditFilter(), 1, 2) == ([ENTRIES[2], ENTRIES[1]], 4)


def test_entries_are_found_by_who_did_what_to_what(store: Store) -> None:
    fill(store)
    with store.read() as unit:
        assert unit.audit.page(AuditFilter(who="anna"), 0, 10) == ([ENTRIES[2], ENTRIES[0]], 2)
        assert unit.audit.page(AuditFilter(what="check.edit"), 0, 10) == ([ENTRIES[3], ENTRIES[1]], 2)
        assert unit.audit.page(AuditFilter(what="check.edit", subject="shop"), 0, 10) == ([ENTRIES[1]], 1)


def test_what_is_too_long_or_no_text_is_kept_as_far_as_it_can_be(store: Store) -> None:
    with store.transaction() as unit:
        unit.audit.add(entry(0, Author("user", "a" * 999, "b" * 999), "check.edit", "c" * 999, "d\0" + "e" * 99_999))
    with store.read() as unit:
        [kept], _ = unit.audit.page(AuditFilter(), 0, 10)
    assert (len(kept.author.name), len(kept.author.address), len(kept.subject), len(kept.detail)) == (
        255,
        255,
        255,
        4000,
    )


def test_old_entries_are_forgotten(store: Store) -> None:
    fill(store)
    with store.transaction() as unit:
        assert unit.retention.prune("audit", NOW + 1, 10) == 1
        assert unit.audit.page(AuditFilter(), 0, 10)[1] == 3
