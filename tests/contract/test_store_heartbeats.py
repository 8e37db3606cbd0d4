"""Heartbeats in every back end."""

from __future__ import annotations

from nightowl.core.heartbeat import token_hash
from nightowl.core.values import Heartbeat, Ping, Pulse
from nightowl.ports import HeartbeatUrl, Store, StoredCheck

NOW = 1_700_000_000.123


def define(store: Store, name: str = "backup") -> None:
    with store.transaction() as unit:
        unit.checks.put(StoredCheck(name=name, origin="stored", paused=False, spec={"kind": "heartbeat"}))


def ping(at: float = NOW, **more: object) -> Ping:
    return Ping(check="backup", at=at, signal="fail", exit_code=3, source="192.0.2.1", tail="a\nb\0c", **more)  # type: ignore[arg-type]  # a word of the test's own


def url_of(store: Store, generation: int = 0) -> HeartbeatUrl:
    with store.read() as unit:
        plain = unit.heartbeats.url("backup")
    assert plain is not None
    return HeartbeatUrl(serial=plain.serial, generation=generation, token_hash=token_hash(f"t{generation}"))


def test_a_url_is_found_by_its_hash_until_there_is_another(store: Store) -> None:
    define(store)
    with store.read() as unit:
        assert unit.heartbeats.urls()["backup"].token_hash == b""
    first, second = url_of(store), url_of(store, 1)
    with store.transaction() as unit:
        unit.heartbeats.set_url("backup", first)
    with store.read() as unit:
        assert unit.heartbeats.owner(first.token_hash) == "backup"
        assert unit.heartbeats.urls() == {"backup": first}
    with store.transaction() as unit:
        unit.heartbeats.set_url("backup", second)
    with store.read() as unit:
        assert unit.heartbeats.owner(first.token_hash) is None
        assert unit.heartbeats.url("backup") == second


def test_calls_wait_in_order_until_they_are_taken_up(store: Store) -> None:
    define(store)
    with store.transaction() as unit:
        for moment in (NOW, NOW + 1, NOW + 2):
            unit.heartbeats.add(ping(moment))
    with store.transaction() as unit:
        waiting = unit.heartbeats.untaken(2)
        assert [each.at for each in waiting] == [NOW, NOW + 1]
        unit.heartbeats.take(waiting)
    with store.read() as unit:
        assert [each.at for each in unit.heartbeats.untaken(10)] == [NOW + 2]
        assert [each.at for each in unit.heartbeats.pings("backup", 2)] == [NOW + 2, NOW + 1]
        found = unit.heartbeats.pings("backup", 1)[0]
    assert (found.signal, found.exit_code, found.source) == ("fail", 3, "192.0.2.1")
    assert found.tail.startswith("a\nb")


def test_a_call_is_told_by_the_feed(store: Store) -> None:
    define(store)
    with store.transaction() as unit:
        last = unit.feed.last()
        unit.heartbeats.add(ping())
    with store.read() as unit:
        assert [(item.kind, item.subject) for item in unit.feed.after(last, 10)] == [("ping", "backup")]


def test_a_pulse_is_kept_as_it_is(store: Store) -> None:
    define(store)
    plan = Heartbeat(cron="0 3 * * *", timezone="Europe/Paris", grace=60.0)
    pulse = Pulse(check="backup", plan=plan, counted=NOW, expected=NOW + 9, deadline=NOW + 69, started=NOW - 1)
    with store.transaction() as unit:
        unit.heartbeats.save([pulse, Pulse(check="unknown", plan=plan)])
        unit.heartbeats.watch(NOW)
    with store.read() as unit:
        assert unit.heartbeats.pulses() == [pulse]
        assert unit.heartbeats.pulse("backup") == pulse
        assert unit.heartbeats.watched_until() == NOW


def test_a_removed_check_leaves_nothing_that_answers_to_its_url(store: Store) -> None:
    define(store)
    url = url_of(store)
    with store.transaction() as unit:
        unit.heartbeats.set_url("backup", url)
        unit.heartbeats.add(ping())
        unit.heartbeats.save([Pulse(check="backup", plan=Heartbeat(every=60.0))])
        unit.checks.remove("backup")
        unit.heartbeats.add(ping())
    define(store)
    with store.read() as unit:
        assert unit.heartbeats.owner(url.token_hash) is None
        assert (unit.heartbeats.untaken(10), unit.heartbeats.pulse("backup")) == ([], None)
        again = unit.heartbeats.url("backup")
    assert again is not None
    assert again.serial != url.serial


def test_calls_are_forgotten_by_age(store: Store) -> None:
    define(store)
    with store.transaction() as unit:
        for moment in (NOW, NOW + 1, NOW + 2):
            unit.heartbeats.add(ping(moment))
    with store.transaction() as unit:
        assert unit.retention.prune("pings", NOW + 2, 10) == 2
    with store.read() as unit:
        assert [each.at for each in unit.heartbeats.pings("backup", 10)] == [NOW + 2]


def test_a_call_of_the_same_event_is_stored_once_and_one_without_an_event_each_time(store: Store) -> None:
    define(store)
    define(store, "other")
    begun = Ping(check="backup", at=NOW, signal="start", run="u" * 300, source="celery@web-1", event="u start")
    ended = Ping(check="backup", at=NOW + 2, signal="success", run="u" * 300, started=NOW, event="u end")
    with store.transaction() as unit:
        unit.heartbeats.add(begun, ended, begun, Ping(check="gone", at=NOW, signal="start", event="u start"))
    with store.transaction() as unit:
        last = unit.feed.last()
        unit.heartbeats.add(ended)
        assert unit.feed.after(last, 10) == []
        unit.heartbeats.add()
        unit.heartbeats.add(Ping(check="other", at=NOW, signal="start", event="u start"), ping(), ping())
    with store.read() as unit:
        found = unit.heartbeats.untaken(10)
    assert [(each.check, each.signal) for each in found] == [
        ("backup", "start"),
        ("backup", "success"),
        ("other", "start"),
        ("backup", "fail"),
        ("backup", "fail"),
    ]
    assert (found[1].run, found[1].started, found[0].started) == ("u" * 255, NOW, None)
