"""Presence of workers by the watcher's clock, and what is made of clocks that are wrong."""

from __future__ import annotations

import threading

from nightowl.core.cluster.events import Event
from nightowl.core.cluster.state import Worker
from nightowl.core.cluster.workers import Workers

AT = 1_790_000_000.0


def hear(workers, kind, now, name="a@web", ahead=0.0, **fields):
    sender = workers.sender(name, now)
    sender.heard = now
    event = Event(f"worker-{kind}", name, now + ahead, **fields)
    sender.corrected(event.timestamp, now)
    workers.tell(sender, event, now)


def standing(workers):
    return {worker.name: worker for worker in workers.standing()}


def test_two_workers_of_one_host_are_two():
    workers = Workers()
    hear(workers, "online", AT, "a@web", active=1)
    hear(workers, "heartbeat", AT, "b@web", active=2, sw_ident="py-celery", sw_ver="5.7.0", processed=9)
    shown = standing(workers)
    assert {name: worker.active for name, worker in shown.items()} == {"a@web": 1, "b@web": 2}
    assert (shown["b@web"].software, shown["b@web"].version, shown["b@web"].processed) == ("py-celery", "5.7.0", 9)


def test_workers_are_shown_while_others_come():
    workers, over, failed = Workers(300.0, 600.0), threading.Event(), []

    def show():
        while not over.is_set():
            try:
                workers.standing()
            except RuntimeError as error:
                failed.append(error)

    threads = [threading.Thread(target=show) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(3_000):
        hear(workers, "online", AT, f"w{number}@web")
    over.set()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(workers.standing()) == 3_000


def test_a_worker_that_is_not_heard_is_away_and_later_forgotten():
    workers = Workers(timeout=300, purge=600)
    hear(workers, "heartbeat", AT, active=3)
    workers.sweep(AT + 299)
    assert standing(workers)["a@web"].up
    assert workers.sweep(AT + 301) == []
    away = standing(workers)["a@web"]
    assert (away.up, away.goodbye, away.active, away.offline) == (False, False, 0, AT + 301)
    assert workers.sweep(AT + 601) == ["a@web"]
    assert standing(workers) == {}


def test_a_worker_that_says_goodbye_is_away_at_once_and_comes_back_as_the_same():
    workers = Workers()
    hear(workers, "online", AT)
    hear(workers, "offline", AT + 5)
    assert (standing(workers)["a@web"].up, standing(workers)["a@web"].goodbye) == (False, True)
    hear(workers, "online", AT + 9)
    back = standing(workers)["a@web"]
    assert (back.up, back.goodbye, back.since, back.offline) == (True, False, AT + 9, None)


def test_nobody_is_forgotten_where_that_is_switched_off():
    workers = Workers(timeout=0, purge=0)
    hear(workers, "heartbeat", AT)
    assert workers.sweep(AT + 1e7) == []
    assert standing(workers)["a@web"].up


def test_a_wrong_clock_changes_nothing_of_presence():
    workers = Workers()
    hear(workers, "heartbeat", AT, ahead=-3600)
    workers.sweep(AT + 1)
    slow = standing(workers)["a@web"]
    assert (slow.up, slow.heard, slow.skew) == (True, AT, -3600)


def test_a_clock_some_seconds_slow_is_believed_once_it_stays_so():
    workers = Workers()
    for second in range(8):
        hear(workers, "heartbeat", AT + second, ahead=-10)
        assert standing(workers)["a@web"].skew == (None if second < 5 else -10)


def test_a_clock_that_is_set_right_is_taken_as_right_again():
    workers = Workers()
    for second in range(300):
        hear(workers, "heartbeat", AT + second, ahead=50 if second < 5 else 0)
    assert standing(workers)["a@web"].skew == 0


def test_a_client_is_no_worker_and_forgotten_when_it_is_silent():
    workers = Workers()
    workers.sender("gen1@web", AT)
    workers.sweep(AT + 599)
    assert (standing(workers), len(workers.senders)) == ({}, 1)
    workers.sweep(AT + 700)
    assert len(workers.senders) == 0


def test_workers_from_before_a_restart_are_known():
    workers = Workers(timeout=300, purge=600)
    known = (Worker(name="a@web", up=True, heard=AT, since=AT - 9, active=2, version="5.7.0"),)
    workers.restore(known)
    assert standing(workers)["a@web"].version == "5.7.0"
    workers.sweep(AT + 301)
    assert standing(workers)["a@web"].up
    workers.sweep(AT + 312)
    assert not standing(workers)["a@web"].up
