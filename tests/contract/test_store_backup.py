"""Backups, from every database into every other."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select

from nightowl.adapters.store_sql import SqlStore, backup, open_store, restore
from nightowl.adapters.store_sql.schema import METADATA
from nightowl.core.errors import Refused, SchemaOutdated, StoreUnavailable
from nightowl.core.rule_incident import Standing
from nightowl.core.rule_state import Phase, RuleState
from nightowl.core.values import (
    ActorSeen,
    Attempt,
    AuditEntry,
    Author,
    Change,
    CheckState,
    Heartbeat,
    Incident,
    Notice,
    Outcome,
    Ping,
    Pulse,
    Round,
    Sample,
    Severity,
    Silence,
    State,
    Token,
    User,
    Verdict,
)
from nightowl.ports import HeartbeatUrl, StoredCheck, StoredRule, Ticket

DUE = 1_790_000_000.123


def fill(store: SqlStore, rounds: int = 3) -> None:
    """Put something into every table."""
    incident = Incident(id="i1", kind="check", subject="shöp", severity=Severity.WARNING, summary="🦉", opened=DUE)
    attempt = Attempt(state=State.DOWN, started=DUE + 1e-6, duration=0.1, reason="dns.nxdomain")
    with store.transaction() as unit:
        spec = {"url": "http://shöp", "tags": {"team": "a"}, "locations": ["london"]}
        unit.checks.put(StoredCheck(name="gone", origin="stored", paused=False, spec={}))
        unit.checks.put(StoredCheck(name="shöp", origin="stored", paused=True, spec=spec))
        unit.rounds.dispatch(Ticket(id="t1", rounds=(Round(DUE, "shöp"),)), DUE)
        unit.rounds.add_outcomes(
            [
                Outcome(check="shöp", due=DUE + n, location="london", state=State.DOWN, attempts=(attempt,), kept=0)
                for n in range(rounds)
            ]
        )
        verdict = Verdict(check="shöp", due=DUE, closed=DUE, state=State.DOWN, places=())
        unit.rounds.close([verdict], [CheckState(check="shöp", last=verdict)])
        unit.incidents.apply([Change(event="opened", incident=incident, at=DUE, text="")])
        unit.outbox.add([Notice(incident=incident, step="firing", channel="ops", created=DUE)])
        unit.users.put(User(name="alice", role="admin", password_hash="$"))
        unit.users.open_session(b"\x00\xff", "alice", DUE)
        unit.tokens.add(Token(name="ci", role="viewer", owner="alice", created=DUE), b"\xff\x00")
        unit.audit.add(AuditEntry(at=DUE, author=Author("user", "alice"), what="check.add", subject="shöp"))
        unit.heartbeats.set_url("shöp", HeartbeatUrl(serial=2, generation=1, token_hash=b"\xfe\x00"))
        unit.heartbeats.add(Ping(check="shöp", at=DUE, signal="fail", exit_code=3, tail="🦉"))
        unit.heartbeats.save([Pulse(check="shöp", plan=Heartbeat(every=60.0, grace=5.0), deadline=DUE)])
        unit.actors.put([ActorSeen(name="host.1", location="london", since=DUE, heard=DUE)])
        unit.rule_definitions.put(
            [StoredRule(name="slow", origin="stored", spec={"metric": "ü"}, changed=1790000000.123)]
        )
        unit.silences.add(Silence(match={"team": "shöp"}, start=DUE, end=DUE + 60))
        unit.rules.put([Standing(rule="slow", series='m{q="ü"}', state=RuleState(Phase.FIRING), incident="i1")])
        unit.series.append("test", DUE - 9000, [Sample("queue_length", (("queue", "mail"),), DUE - 9000, 0.1)])
        assert unit.series.compact(DUE, 1) == 1
        unit.series.append("test", DUE, [Sample("queue_length", (("queue", "mail"),), DUE, 0.1)])
        unit.leases.acquire("director", "me", 5.0)
    with store.transaction() as unit:
        unit.checks.remove("gone")


def filled(url: str, rounds: int = 3) -> str:
    store = open_store(url, migrate=True)
    fill(store, rounds)
    store.close()
    return url


def everything(url: str) -> dict[str, list[tuple[object, ...]]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in METADATA.sorted_tables
        }
    engine.dispose()
    return rows


def test_a_backup_of_any_store_can_be_restored_into_sqlite(lasting_url: str, tmp_path: Path) -> None:
    filled(lasting_url)
    copy, target = tmp_path / "owl.backup", f"sqlite:///{tmp_path / 'copy.db'}"
    rows = backup(lasting_url, copy)
    assert restore(target, copy) == rows
    assert everything(target) == everything(lasting_url)
    assert all(everything(target).values())


def test_a_backup_of_sqlite_can_be_restored_into_any_store(lasting_url: str, tmp_path: Path) -> None:
    source = filled(f"sqlite:///{tmp_path / 'source.db'}")
    backup(source, tmp_path / "owl.backup")
    restore(lasting_url, tmp_path / "owl.backup")
    assert everything(lasting_url) == everything(source)


def test_a_restored_store_goes_on_numbering_where_it_was(lasting_url: str, tmp_path: Path) -> None:
    backup(filled(f"sqlite:///{tmp_path / 'source.db'}"), tmp_path / "owl.backup")
    restore(lasting_url, tmp_path / "owl.backup")
    store = open_store(lasting_url)
    with store.transaction() as unit:
        unit.checks.put(StoredCheck(name="new", origin="stored", paused=False, spec={}))
        unit.incidents.apply(
            [
                Change(
                    event="opened",
                    incident=Incident(id="i2", kind="own", subject="x", severity=Severity.INFO, summary="", opened=DUE),
                    at=DUE,
                    text="",
                )
            ]
        )
        unit.actors.put([ActorSeen(name="host.1", location="london", since=DUE, heard=DUE)])
        unit.rules.put([Standing(rule="slow", series='m{q="ü"}', state=RuleState(Phase.FIRING), incident="i1")])
        unit.series.append("test", DUE, [Sample("queue_length", (("queue", "sms"),), DUE, 1.0)])
        unit.rounds.dispatch(Ticket(id="t2", rounds=()), DUE)
        assert [ticket.id for ticket in unit.rounds.open_tickets()] == ["t1", "t2"]
    store.close()


def test_a_store_that_is_not_empty_is_only_replaced_on_demand(lasting_url: str, tmp_path: Path) -> None:
    source = filled(f"sqlite:///{tmp_path / 'source.db'}")
    backup(source, tmp_path / "owl.backup")
    open_store(lasting_url, migrate=True).close()
    with pytest.raises(Refused, match="--force"):
        restore(lasting_url, tmp_path / "owl.backup")
    restore(lasting_url, tmp_path / "owl.backup", replace=True)
    assert everything(lasting_url) == everything(source)


def test_a_backup_is_consistent_while_others_write(lasting_url: str, tmp_path: Path) -> None:
    filled(lasting_url, rounds=1500)
    writer = open_store(lasting_url)

    def interfere(done: int, total: int) -> None:
        with writer.transaction() as unit:
            unit.users.put(User(name=f"later-{done}", role="viewer", password_hash="$"))

    before = everything(lasting_url)
    backup(lasting_url, tmp_path / "owl.backup", interfere)
    writer.close()
    restore(f"sqlite:///{tmp_path / 'copy.db'}", tmp_path / "owl.backup")
    assert everything(f"sqlite:///{tmp_path / 'copy.db'}") == before


def test_progress_counts_up_to_all_rows(tmp_path: Path) -> None:
    url = filled(f"sqlite:///{tmp_path / 'nightowl.db'}", rounds=1500)
    told: list[tuple[int, int]] = []
    rows = backup(url, tmp_path / "owl.backup", lambda done, total: told.append((done, total)))
    assert told[-1] == (rows, rows)
    assert told == sorted(told)
    told.clear()
    restore(f"sqlite:///{tmp_path / 'copy.db'}", tmp_path / "owl.backup", progress=lambda *now: told.append(now))
    assert told[-1] == (rows, rows)


def test_only_the_owner_can_read_a_backup(tmp_path: Path) -> None:
    backup(filled(f"sqlite:///{tmp_path / 'nightowl.db'}"), tmp_path / "owl.backup")
    assert stat.S_IMODE((tmp_path / "owl.backup").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.glob("owl*")) == ["owl.backup"]


@pytest.mark.parametrize("size", [0, 3, 40, -1, -9])
def test_a_file_that_was_cut_short_is_refused_and_nothing_touched(tmp_path: Path, size: int) -> None:
    url = filled(f"sqlite:///{tmp_path / 'nightowl.db'}")
    backup(url, tmp_path / "owl.backup")
    before = everything(url)
    (tmp_path / "cut").write_bytes((tmp_path / "owl.backup").read_bytes()[:size])
    with pytest.raises(Refused, match="cut: is not a complete backup"):
        restore(url, tmp_path / "cut", replace=True)
    assert everything(url) == before


def test_files_that_are_no_backup_or_cannot_be_used_are_refused(tmp_path: Path) -> None:
    url = filled(f"sqlite:///{tmp_path / 'nightowl.db'}")
    (tmp_path / "note").write_text("hello")
    with pytest.raises(Refused, match="is not a complete backup"):
        restore(url, tmp_path / "note")
    with pytest.raises(Refused, match="cannot be read"):
        restore(url, tmp_path / "missing")
    with pytest.raises(Refused, match="cannot be written"):
        backup(url, tmp_path / "missing" / "file")


def test_a_backup_of_a_newer_nightowl_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = filled(f"sqlite:///{tmp_path / 'nightowl.db'}")
    with monkeypatch.context() as patch:
        patch.setattr("nightowl.adapters.store_sql.versions.head", lambda *_: "9999")
        patch.setattr("nightowl.adapters.store_sql.versions.require_head", lambda *_: None)
        backup(url, tmp_path / "owl.backup")
    with pytest.raises(SchemaOutdated, match="9999"):
        restore(url, tmp_path / "owl.backup", replace=True)


def test_a_store_that_is_not_there_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        backup("postgresql://owl:owl@127.0.0.1:1/owl", tmp_path / "owl.backup")
    assert list(tmp_path.iterdir()) == []
