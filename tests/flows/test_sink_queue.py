from __future__ import annotations

from nightowl.core.errors import DeliveryFailed
from nightowl.core.values import Sample
from nightowl.flows.sink_queue import LONGEST, MOST, SinkQueue, Snapshot
from nightowl.testing.clock import ManualClock

SAMPLES = [Sample("check_up", (("check", "a"),), 1.0, 1.0), Sample("check_up", (("check", "b"),), 1.0, 1.0)]


def figures(queue: SinkQueue, now: float = 2000.0) -> dict[str, float]:
    found = {}
    for each in queue.samples(now):
        reason = dict(each.labels).get("reason", "")
        found[f"{each.metric.removeprefix('nightowl_sink_')} {reason}".strip()] = each.value
    return found


def test_snapshots_are_sent_in_their_order_and_counted() -> None:
    queue = SinkQueue("s", ManualClock())
    for at in (1.0, 2.0):
        queue.offer(Snapshot(SAMPLES, at))
    first = queue.next()
    assert first.at == 1.0
    assert not queue.delivered(first, {"unfit": 1})
    assert queue.next().at == 2.0
    assert queue.next() is None
    assert figures(queue)["samples_total"] == 1.0
    assert figures(queue)["dropped_total unfit"] == 1.0


def test_a_snapshot_without_samples_does_not_say_that_the_receiver_takes_any() -> None:
    queue = SinkQueue("s", ManualClock())
    queue.offer(Snapshot([], 1.0))
    queue.delivered(queue.next(), {})
    assert "up" not in figures(queue)
    queue.offer(Snapshot(SAMPLES, 2.0))
    queue.delivered(queue.next(), {})
    assert figures(queue)["up"] == 1.0


def test_where_too_many_wait_the_oldest_go_and_are_counted() -> None:
    queue = SinkQueue("s", ManualClock())
    for at in range(MOST + 3):
        queue.offer(Snapshot(SAMPLES, float(at)))
    assert len(queue) == MOST
    assert queue.next().at == 3.0
    assert figures(queue)["dropped_total full"] == 6.0


def test_what_knows_no_times_gets_the_newest_alone() -> None:
    queue = SinkQueue("s", ManualClock())
    queue.newest = True
    for at in (1.0, 2.0, 3.0):
        queue.offer(Snapshot(SAMPLES, at))
    assert queue.next().at == 3.0
    assert figures(queue)["dropped_total overtaken"] == 4.0


def test_a_failure_pauses_the_sink_ever_longer_up_to_a_bound_and_the_snapshot_waits_on() -> None:
    clock = ManualClock()
    queue = SinkQueue("s", clock)
    queue.offer(Snapshot(SAMPLES, 1.0))
    pauses = []
    for turn in range(8):
        snapshot = queue.next()
        assert snapshot.at == 1.0
        assert queue.failed(snapshot, DeliveryFailed("away")) == (turn == 0)
        assert queue.next() is None
        pauses.append(queue.rest())
        clock.advance(queue.rest())
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, LONGEST, LONGEST, LONGEST]
    assert figures(queue)["up"] == 0.0
    assert not queue.delivered(queue.next(), {})
    assert figures(queue)["up"] == 1.0


def test_a_receiver_that_takes_every_other_snapshot_is_news_once_and_back_after_a_while() -> None:
    clock = ManualClock()
    queue = SinkQueue("s", clock)
    news = []
    for turn in range(6):
        queue.offer(Snapshot(SAMPLES, float(turn)))
        snapshot = queue.next()
        news.append(queue.failed(snapshot, DeliveryFailed("reset")))
        clock.advance(queue.rest())
        news.append(queue.delivered(queue.next(), {}))
        clock.advance(5.0)
    assert news == [True, *[False] * 11]
    for turn in range(6, 14):
        queue.offer(Snapshot(SAMPLES, float(turn)))
        news.append(queue.delivered(queue.next(), {}))
        clock.advance(5.0)
    assert news[12:] == [False] * 5 + [True, False, False]
    queue.offer(Snapshot(SAMPLES, 14.0))
    assert queue.failed(queue.next(), DeliveryFailed("reset"))


def test_what_is_refused_for_good_is_dropped_and_the_next_one_is_tried_at_once() -> None:
    queue = SinkQueue("s", ManualClock())
    queue.offer(Snapshot(SAMPLES, 1.0))
    queue.offer(Snapshot(SAMPLES, 2.0))
    queue.failed(queue.next(), DeliveryFailed("no", permanent=True))
    assert queue.next().at == 2.0
    assert figures(queue)["dropped_total refused"] == 2.0


def test_a_receiver_that_says_how_long_is_waited_for_so_long() -> None:
    queue = SinkQueue("s", ManualClock())
    queue.offer(Snapshot(SAMPLES, 1.0))
    queue.failed(queue.next(), DeliveryFailed("later", retry_after=7.0))
    assert queue.rest() == 7.0


def test_lag_is_the_age_of_what_was_taken_last() -> None:
    clock = ManualClock()
    queue = SinkQueue("s", clock)
    assert "up" not in figures(queue)
    queue.offer(Snapshot(SAMPLES, clock.now()))
    queue.delivered(queue.next(), {})
    assert figures(queue, clock.now() + 25.0)["lag_seconds"] == 25.0


def test_what_is_given_up_at_the_end_is_counted() -> None:
    queue = SinkQueue("s", ManualClock())
    queue.offer(Snapshot(SAMPLES, 1.0))
    assert queue.abandon() == 2
    assert figures(queue)["dropped_total ended"] == 2.0
