"""Every list is read by an index, and stays quick when there is much to list."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event

from nightowl.adapters.store_sql import SqlStore, open_store
from nightowl.core.series import Series
from nightowl.core.values import CheckState, Round, Sample, State
from nightowl.ports import AuditFilter, CheckFilter, StoredCheck, Unit

Read = Callable[[Unit], object]

LISTS: dict[str, Read] = {
    "checks": lambda unit: unit.checks.all(),
    "check": lambda unit: unit.checks.get("shop"),
    "page of checks": lambda unit: unit.checks.page(CheckFilter(), 0, 50),
    "page of checks by state": lambda unit: unit.checks.page(CheckFilter(state="down"), 0, 50),
    "page of checks by tag and location": lambda unit: unit.checks.page(CheckFilter(tag="a=b", location="l"), 0, 50),
    "counts": lambda unit: unit.checks.counts(),
    "open tickets": lambda unit: unit.rounds.open_tickets(),
    "outcomes": lambda unit: unit.rounds.outcomes("shop", 1.0),
    "late": lambda unit: unit.rounds.late("shop", 1.0),
    "votes": lambda unit: unit.rounds.votes([Round(1.0, "shop"), Round(2.0, "shop")]),
    "outcome range": lambda unit: unit.rounds.outcome_range("shop", 1.0, 2.0, 50),
    "closed": lambda unit: unit.rounds.closed([Round(1.0, "shop"), Round(2.0, "shop")]),
    "state": lambda unit: unit.rounds.state("shop"),
    "verdicts": lambda unit: unit.rounds.verdicts("shop", 1.0, 2.0, 50),
    "days": lambda unit: unit.rounds.days("shop", 1, 90),
    "incident": lambda unit: unit.incidents.get("i1"),
    "open incidents": lambda unit: unit.incidents.open(),
    "incidents": lambda unit: unit.incidents.page(open_only=False, subject="", offset=0, limit=50),
    "open page of incidents": lambda unit: unit.incidents.page(open_only=True, subject="", offset=0, limit=50),
    "incidents of a subject": lambda unit: unit.incidents.page(open_only=False, subject="shop", offset=0, limit=50),
    "incidents of a rule": lambda unit: unit.incidents.of_rule("backlog", 50),
    "rules": lambda unit: unit.rule_definitions.all(),
    "rule": lambda unit: unit.rule_definitions.get("backlog"),
    "metrics": lambda unit: unit.series_names.metrics(),
    "labels of a metric": lambda unit: unit.series_names.labels("queue_length"),
    "labels of checks": lambda unit: unit.series_names.labels("check_up"),
    "timeline": lambda unit: unit.incidents.timeline("i1"),
    "claim": lambda unit: unit.outbox.claim(1.0, "me", 30.0, 10, ("ops",)),
    "notices of an incident": lambda unit: unit.outbox.of("i1"),
    "notices of some incidents": lambda unit: unit.outbox.of_many(["i1", "i2"]),
    "incidents of late": lambda unit: unit.incidents.since("check", "shop", 1.0, 50),
    "incidents that ended": lambda unit: unit.incidents.ended(1.0),
    "silence": lambda unit: unit.silences.get(1),
    "silences that last": lambda unit: unit.silences.lasting(1.0),
    "silences": lambda unit: unit.silences.page(0, 50),
    "oldest notice": lambda unit: unit.outbox.oldest(),
    "holder": lambda unit: unit.leases.holder("director"),
    "url of a heartbeat": lambda unit: unit.heartbeats.url("shop"),
    "urls of heartbeats": lambda unit: unit.heartbeats.urls(),
    "owner of a URL": lambda unit: unit.heartbeats.owner(b"x"),
    "calls of a check": lambda unit: unit.heartbeats.pings("shop", 50),
    "calls that wait": lambda unit: unit.heartbeats.untaken(50),
    "pulses": lambda unit: unit.heartbeats.pulses(),
    "pulse": lambda unit: unit.heartbeats.pulse("shop"),
    "users": lambda unit: unit.users.all(),
    "session": lambda unit: unit.users.session(b"x", 1.0),
    "open sessions": lambda unit: unit.users.sessions(1.0),
    "tokens": lambda unit: unit.tokens.all(),
    "token": lambda unit: unit.tokens.find(b"x", 1.0),
    "audit": lambda unit: unit.audit.page(AuditFilter(), 0, 50),
    "audit of one person": lambda unit: unit.audit.page(AuditFilter(who="anna"), 0, 50),
    "audit of one kind": lambda unit: unit.audit.page(AuditFilter(what="sign-in"), 0, 50),
    "audit of a subject": lambda unit: unit.audit.page(AuditFilter(subject="shop"), 0, 50),
    "feed": lambda unit: unit.feed.after(1, 50),
    "last of the feed": lambda unit: unit.feed.last(),
    "window": lambda unit: unit.series.window("queue_length", {"queue": "a"}, 1.0, 2.0),
    "frame": lambda unit: unit.series.frame("queue_length", {"queue": "a"}, 1.0, 2.0),
    "range": lambda unit: unit.series.range("queue_length", {}, 1.0, 9000.0, 300.0),
    "range of samples": lambda unit: unit.series.range("queue_length", {}, 1.0, 9000.0, 7.0),
    "tail": lambda unit: unit.series.tail(1, 50),
    "last of the tail": lambda unit: unit.series.last(),
    "names of series": lambda unit: unit.series.names([1, 999]),
    "refused series": lambda unit: unit.series.refused(),
    "numbers of series": lambda unit: unit.series.number([Series("queue_length"), Series("new")]),
    "compact": lambda unit: unit.series.compact(99_999.0, 9),
    "nothing to compact": lambda unit: unit.series.compact(0.0, 9),
    "latest samples": lambda unit: unit.series.latest(1.0),
    "checks as series": lambda unit: unit.series.window("check_up", {"check": "shop"}, 1.0, 2.0),
    "all checks as series": lambda unit: unit.series.window("check_up", {}, 1.0, 2.0),
    "prune attempts": lambda unit: unit.retention.prune("attempts", 1.0, 10),
    "prune pings": lambda unit: unit.retention.prune("pings", 1.0, 10),
    "prune outcomes": lambda unit: unit.retention.prune("outcomes", 1.0, 10),
    "prune series": lambda unit: unit.retention.prune("series", 1.0, 10),
    "prune rollups": lambda unit: unit.retention.prune("rollups", 1e6, 10),
    "prune incidents": lambda unit: unit.retention.prune("incidents", 1.0, 10),
    "prune the feed": lambda unit: unit.retention.prune("feed", 1.0, 10),
    "prune the outbox": lambda unit: unit.retention.prune("outbox", 1.0, 10),
    "prune sessions": lambda unit: unit.retention.prune("sessions", 1.0, 10),
    "prune the audit": lambda unit: unit.retention.prune("audit", 1.0, 10),
}

SMALL = (
    "check_ids|check_states|location_ids|tickets|rules|series|users|sessions|tokens|silences"
    "|checks USING (COVERING )?INDEX|incidents USING (COVERING )?INDEX|audit USING (COVERING )?INDEX"
)
"""What may be read whole: as many rows as there are checks, rules, places, series, silences, ticks and people at work;
incidents and audit in order."""

SORTED_IN_MEMORY = {"outcomes", "outcome range", "open incidents", "notices of some incidents", "incidents of a rule"}
"""Where what is left after the index is few: the places of a round, what is open, the notices of an incident, what a
rule found."""


@pytest.fixture(scope="module")
def store() -> Iterator[SqlStore]:
    store = open_store("sqlite://", migrate=True)
    with store.transaction() as unit:
        unit.checks.put(StoredCheck(name="shop", origin="stored", paused=False, spec={"tags": {"a": "b"}}))
        unit.rounds.close([], [CheckState(check="shop", verdict=State.DOWN)])
        for time in (1.5, 5000.0, 90_000.0):
            unit.series.append("test", time, [Sample("queue_length", (("queue", "a"),), time, 1.0)])
        unit.series.compact(5000.0, 9)
    yield store
    store.close()


def plans(store: SqlStore, read: Read) -> list[str]:
    """SQLite's plan of every statement that ``read`` runs."""
    found: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        rows = connection.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters[0] if many else parameters)
        found.extend(row[3] for row in rows)

    engine = store._engines.writer
    with store.transaction() as unit:
        event.listen(engine, "before_cursor_execute", explain)
        try:
            read(unit)
        finally:
            event.remove(engine, "before_cursor_execute", explain)
    return found


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_read_by_an_index(store: SqlStore, name: str) -> None:
    steps = plans(store, LISTS[name])
    assert steps
    for step in steps:
        assert not re.search(r"SCAN (?!CONSTANT)", step) or re.fullmatch(rf"SCAN ({SMALL}).*", step)
        assert "AUTOMATIC" not in step
        if name not in SORTED_IN_MEMORY:
            assert "USE TEMP B-TREE" not in step
