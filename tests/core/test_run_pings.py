"""From tasks to the calls of the checks that follow them."""

from __future__ import annotations

from typing import Any

import pytest

from nightowl.core.cluster.run_pings import BURST, RATE, RunPings, ping_of
from nightowl.core.cluster.task import Task
from nightowl.core.values import Heartbeat

NOW = 1_700_000_000.0


def task(state: str, uuid: str = "u1", name: str = "shop.report", **more: Any) -> Task:
    return Task(uuid=uuid, name=name, state=state, worker="celery@web-1", **more)


def following(**patterns: str) -> RunPings:
    made = RunPings()
    made.follow({name: Heartbeat(every=60.0, cluster="shop", task=pattern) for name, pattern in patterns.items()})
    return made


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (task("PENDING"), None),
        (task("RECEIVED", received=NOW), None),
        (task("STARTED", started=NOW), ("start", NOW, "")),
        (task("RETRY", started=NOW, retried=NOW + 1), ("start", NOW, "")),
        (task("SUCCESS", started=NOW, succeeded=NOW + 2), ("success", NOW + 2, "")),
        (task("FAILURE", started=NOW, failed=NOW + 2, error="ValueError('x')"), ("fail", NOW + 2, "ValueError('x')")),
        (task("LOST", started=NOW), ("fail", NOW + 9, "lost with its worker celery@web-1")),
        (task("REVOKED", revoked=NOW), None),
        (task("REVOKED", started=NOW, revoked=NOW + 1), ("fail", NOW + 1, "revoked while it ran")),
        (task("REJECTED", started=NOW, rejected=NOW + 1), ("fail", NOW + 1, "rejected by its worker")),
        (task("SUCCESS"), None),
    ],
)
def test_what_a_task_says(found: Task, said: tuple[str, float, str] | None) -> None:
    ping = ping_of("nightly", found, NOW + 9)
    assert (ping and (ping.signal, ping.at, ping.tail)) == said
    assert ping is None or (ping.run, ping.source) == ("u1", "celery@web-1")


def test_an_end_tells_its_start_also_where_only_the_run_time_is_known() -> None:
    ended = ping_of("nightly", task("SUCCESS", succeeded=NOW + 5, runtime=3.5), NOW)
    assert ended is not None
    assert ended.started == NOW + 1.5


def test_the_same_end_has_the_same_name_whenever_it_is_heard() -> None:
    for found in (task("SUCCESS", started=NOW, succeeded=NOW + 2), task("LOST", started=NOW)):
        first, second = ping_of("nightly", found, NOW + 5), ping_of("nightly", found, NOW + 500)
        assert first is not None
        assert second is not None
        assert first.event == second.event


def test_a_traceback_is_cut_and_the_error_stands_first() -> None:
    ping = ping_of("nightly", task("FAILURE", failed=NOW, error="e" * 5000, traceback="x" * 50_000 + "end"), NOW)
    assert ping is not None
    assert len(ping.tail) < 10_100
    assert ping.tail.startswith("e")
    assert ping.tail.endswith("xend")


def test_checks_are_followed_by_exact_name_and_by_pattern() -> None:
    pings = following(exact="shop.report", some="shop.*", other="mail.*")
    found = pings.take([task("STARTED", started=NOW), task("STARTED", "u2", "", started=NOW)], NOW)
    assert sorted((ping.check, ping.run) for ping in found) == [("exact", "u1"), ("some", "u1")]


def test_a_start_is_told_once_and_calls_are_in_order() -> None:
    pings = following(nightly="*")
    begun = task("STARTED", started=NOW)
    assert len(pings.take([begun, begun], NOW)) == 1
    assert pings.take([begun], NOW + 1) == []
    ended = [task("SUCCESS", started=NOW, succeeded=NOW + 3), task("FAILURE", "u2", failed=NOW + 2)]
    assert [ping.at for ping in pings.take(ended, NOW + 3)] == [NOW + 2, NOW + 3]


def test_a_flood_is_bounded_and_ends_of_what_was_told_are_all_told() -> None:
    pings = following(all="*")
    begun = [task("STARTED", str(each), started=NOW + each / 1e6) for each in range(10_000)]
    told = [ping.run for ping in pings.take(begun, NOW)]
    assert len(told) == BURST
    assert pings.left_out == 10_000 - BURST
    ended = [task("SUCCESS", str(each), started=NOW, succeeded=NOW + 1) for each in range(10_000)]
    heard = [ping.run for ping in pings.take(ended, NOW + 1)]
    assert set(told) <= set(heard)
    assert len(heard) <= BURST + RATE


def test_failures_go_first_where_there_is_little_room() -> None:
    pings = following(all="*")
    many = [task("SUCCESS", str(each), succeeded=NOW) for each in range(1000)]
    found = pings.take([*many, task("FAILURE", "bad", failed=NOW - 1)], NOW)
    assert "bad" in {ping.run for ping in found}


def test_checks_that_are_gone_are_followed_no_more() -> None:
    pings = following(nightly="*")
    pings.take([task("STARTED", started=NOW)], NOW)
    pings.follow({})
    assert pings.take([task("SUCCESS", succeeded=NOW)], NOW) == []
