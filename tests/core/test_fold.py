"""Folding: any order, loss and repetition of events gives what all of them together say."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightowl.core.cluster.events import Event, Intake
from nightowl.core.cluster.figures import KINDS, Figures
from nightowl.core.cluster.fold import Fold
from nightowl.core.cluster.task import Task
from nightowl.core.cluster.workers import Workers
from tests.core.naive_tasks import counts, executions, newest

START = 1_790_000_000.0
AT = START + 58
STEP = 2.5
WORKERS = ("celery@one", "celery@two")
LIMIT = "TimeLimitExceeded(1,)"
REJECT = "reject requeue=False: no"
REFUSED = """Traceback (most recent call last):
  File "/srv/shop/tasks.py", line 31, in charge
    raise Reject("no", requeue=False)
celery.exceptions.Reject: ('no', False)
"""


def fresh(**options):
    return Fold(Figures(), Workers(), **options)


def feed(fold, events, at=AT, found=None):
    """Take events in and answer what is asked."""
    fold.take([Intake(at=at, events=list(events))], at)
    asked = fold.unknown()
    fold.known({uuid: (found or {})[uuid] for uuid in asked if uuid in (found or {})}, asked, at)


def counted(figures):
    """What is counted of each stage, over all labels."""
    total = Counter()
    for cell in [*figures.cells.values(), *figures.retired.values()]:
        total.update(dict(zip(KINDS, cell.counts, strict=True)))
        total["failed"] += sum(failed.count for failed in cell.failed.values())
    total["sent"] += sum(sent.count for sent in figures.sent.values())
    return +total


def task_of(fold, uuid):
    return fold._tasks[uuid].task


WHAT = {"name": "shop.charge", "args": "(1,)", "kwargs": "{}"}
ENDS = {
    "none": [],
    "ok": [("succeeded", {"result": "1", "runtime": 0.5})],
    "boom": [("failed", {"exception": "Boom('x')", "traceback": ""})],
    "limit": [("failed", {"exception": LIMIT, "traceback": ""})] * 2,
    "reject": [("failed", {"exception": REJECT, "traceback": ""}), ("rejected", {"requeue": False})],
    "requeue": [("rejected", {"requeue": True})],
    "revoke": [("revoked", {"terminated": False, "expired": False})],
    "retry": [("retried", {"exception": "Boom('x')", "traceback": ""})],
}
ONCE = {"limit", "reject"}  # a pair of one execution can only be told from ends of two where no begin was lost


def execution(draw, sends, retries, ends):
    """What one execution sends, by whom."""
    by, end = draw(st.sampled_from(WORKERS)), draw(st.sampled_from([*ends, "lost"]))
    said = [("received", by, {**WHAT, "retries": retries})]
    if end != "lost" and (end != "revoke" or draw(st.booleans())):
        said.append(("started", by, {}))
    if end == "retry" and sends:
        said.append(("sent", "gen2@one", {**WHAT, "retries": retries + 1, "queue": "mail"}))
    return end, said + [(stage, by, fields) for stage, fields in ENDS.get(end, [])]


@st.composite
def histories(draw, uuid):
    """All events of one task in true order: executions on two workers, retried, redelivered, ended in each way."""
    sends, retries, ends = draw(st.booleans()), 0, sorted(ENDS)
    said = [("sent", "gen1@client", {**WHAT, "retries": 0, "queue": "mail"})] if sends else []
    for _ in range(draw(st.integers(1, 4))):
        end, more = execution(draw, sends, retries, ends)
        said += more
        retries += end == "retry"
        ends = [each for each in ends if each != end or each not in ONCE]
    return [Event(f"task-{stage}", by, START + STEP * n, uuid, **fields) for n, (stage, by, fields) in enumerate(said)]


@st.composite
def deliveries(draw, *, in_turn=False):
    """Events of some tasks as they may be read: lost, repeated, in any order, in several reads.

    ``in_turn``: no task-retried is lost, and those of one task come in their order; so does what one node sends, as it
    does over one connection.
    """
    events = [event for n in range(draw(st.integers(1, 3))) for event in draw(histories(f"uuid-{n}"))]
    events = [event for event in events if draw(st.integers(0, 9)) or (in_turn and event.type == "task-retried")]
    arrivals, newest_of = [], {}
    for event in sorted(events, key=lambda event: event.timestamp):
        for _ in range(1 if draw(st.integers(0, 5)) else 2):
            at = event.timestamp + STEP * draw(st.integers(0, 12))
            if in_turn:
                lines = [event.hostname, *[event.uuid] * (event.type == "task-retried")]
                at = max(at, *(newest_of.get(line, 0) for line in lines))
                newest_of.update(dict.fromkeys(lines, at))
            arrivals.append((at, len(arrivals), event))
    events = [event for _, _, event in sorted(arrivals, key=lambda each: each[:2])]
    size = draw(st.integers(1, 8))
    return [events[n : n + size] for n in range(0, len(events), size)]


@settings(max_examples=100, deadline=None)
@given(deliveries())
def test_what_is_counted_does_not_depend_on_the_way_of_the_events(reads):
    fold, before = fresh(), Counter()
    for number, events in enumerate(reads):
        feed(fold, events, AT + number / 100)
        assert not before - counted(fold.figures)
        before = counted(fold.figures)
    fold.settle(AT + 50)
    assert counted(fold.figures) == +counts([event for events in reads for event in events])


@settings(max_examples=100, deadline=None)
@given(deliveries(in_turn=True))
def test_a_task_shows_its_newest_execution(reads):
    fold = fresh()
    for number, events in enumerate(reads):
        feed(fold, events, AT + number / 100)
    for uuid, entry in fold._tasks.items():
        mine = [event for events in reads for event in events if event.uuid == uuid]
        state, times = newest(mine)
        shown = {stage: getattr(entry.task, stage) for stage in times}
        assert (entry.task.state, shown) == (state, times)


@settings(max_examples=100, deadline=None)
@given(deliveries())
def test_each_end_that_is_counted_is_told_once(reads):
    told = Counter()
    fold = fresh(told=lambda kind, at, task: told.update([kind.removeprefix("task-")]))
    for number, events in enumerate(reads):
        feed(fold, events, AT + number / 100)
    fold.settle(AT + 50)
    ends = {"succeeded", "failed", "retried", "revoked", "rejected"}
    assert told == Counter({stage: count for stage, count in counted(fold.figures).items() if stage in ends})


def ev(kind, at, uuid="u", by=WORKERS[0], **fields):
    return Event(f"task-{kind}", by, AT + at, uuid, **fields)


def received(at, uuid="u", by=WORKERS[0], name="shop.charge", **fields):
    return ev("received", at, uuid, by, name=name, **fields)


def sent(at, uuid="u", queue="mail", name="shop.charge", **fields):
    return ev("sent", at, uuid, "gen77@client", name=name, queue=queue, **fields)


def cells(fold):
    """What is counted, as {(name, worker, queue): {stage: count}}."""
    return {
        key: {kind: count for kind, count in zip(KINDS, cell.counts, strict=True) if count}
        | {name: failed.count for name, failed in cell.failed.items()}
        for key, cell in fold.figures.cells.items()
    }


def test_a_start_and_an_end_by_themselves_are_of_one_execution_each():
    assert len(executions([ev("started", n) for n in range(3)])) == 3


def test_the_life_of_a_task_is_told_and_counted():
    fold = fresh()
    feed(fold, [sent(0.0), received(0.1), ev("started", 0.3), ev("succeeded", 0.8, runtime=0.5, result="1")], AT + 1)
    task = task_of(fold, "u")
    assert (task.state, task.queue, task.worker, task.client) == ("SUCCESS", "mail", WORKERS[0], "gen77@client")
    assert (task.sent, task.received, task.started, task.succeeded) == (AT, AT + 0.1, AT + 0.3, AT + 0.8)
    assert (task.runtime, task.result, round(task.wait, 6), task.executions) == (0.5, "1", 0.3, 1)
    assert cells(fold) == {("shop.charge", WORKERS[0], "mail"): {"received": 1, "started": 1, "succeeded": 1}}
    cell = fold.figures.cells["shop.charge", WORKERS[0], "mail"]
    assert (cell.runtime.counts(()), cell.runtime.sum, cell.wait.counts(())) == ([1], 0.5, [1])
    assert fold.figures.sent["shop.charge", "client", "mail"].count == 1


def test_a_retry_is_counted_where_it_ran():
    fold = fresh()
    feed(fold, [received(0, retries=0), ev("started", 0.1), ev("retried", 0.2, exception="Busy()")])
    assert task_of(fold, "u").state == "RETRY"
    feed(fold, [received(1, by=WORKERS[1], retries=1), ev("started", 1.1, by=WORKERS[1])], AT + 2)
    task = task_of(fold, "u")
    assert (task.state, task.worker, task.retries, task.executions) == ("STARTED", WORKERS[1], 1, 2)
    assert cells(fold) == {
        ("shop.charge", WORKERS[0], "celery"): {"received": 1, "started": 1, "retried": 1},
        ("shop.charge", WORKERS[1], "celery"): {"received": 1, "started": 1},
    }


def test_a_retry_may_be_received_before_the_worker_says_that_it_is_retried():
    fold = fresh()
    begin = [sent(0), received(0.1), ev("started", 0.2), sent(0.3, retries=1), received(0.4, retries=1)]
    feed(fold, [*begin, ev("retried", 0.5, exception="Busy()")], AT + 1)
    task = task_of(fold, "u")
    assert (task.state, task.retries, task.received, task.sent) == ("RECEIVED", 1, AT + 0.4, AT + 0.3)
    feed(fold, [ev("started", 0.6), ev("retried", 0.7, exception="Busy()")], AT + 1)
    assert (task.state, task.retries, task.executions) == ("RETRY", 1, 2)
    assert cells(fold) == {("shop.charge", WORKERS[0], "mail"): {"received": 2, "started": 2, "retried": 2}}


def test_several_retries_may_be_received_before_the_worker_says_of_any_that_it_is_retried():
    fold = fresh()
    begin = [received(0), ev("started", 0.1), received(0.2, retries=1), ev("started", 0.3), received(0.4, retries=2)]
    feed(fold, [*begin, ev("retried", 0.5, exception="Busy()"), ev("retried", 0.6, exception="Busy()")], AT + 1)
    task = task_of(fold, "u")
    assert (task.state, task.retries, task.received, task.started) == ("RECEIVED", 2, AT + 0.4, None)
    feed(fold, [ev("started", 0.7), ev("failed", 0.8, exception="Boom('x')", traceback="")], AT + 1)
    assert (task.state, task.retries, task.received, task.retried) == ("FAILURE", 2, AT + 0.4, AT + 0.6)


def test_a_retry_may_be_received_before_the_worker_tells_the_start_of_what_sent_it():
    first = [received(0), ev("started", 0.1), ev("retried", 0.2, exception="Busy()")]
    second = [received(0.3, retries=1), received(0.4, retries=2), ev("started", 0.5)]
    fold = fresh()
    feed(fold, [*first, *second, ev("retried", 0.6, exception="Busy()"), ev("started", 0.7)], AT + 1)
    task = task_of(fold, "u")
    assert (task.state, task.retries, task.executions) == ("STARTED", 2, 3)
    assert (task.received, task.started, task.retried) == (AT + 0.4, AT + 0.7, AT + 0.6)


def test_a_worker_may_receive_what_it_rejects_before_it_says_so():
    begin = [sent(0), received(0.1), ev("started", 0.2), received(0.3)]
    rejected, started = ev("rejected", 0.4, requeue=True), ev("started", 0.5)
    for told in ([rejected, started], [started, rejected]):
        fold = fresh()
        feed(fold, [*begin, *told, ev("succeeded", 0.6, runtime=0.1)], AT + 1)
        task = task_of(fold, "u")
        assert (task.state, task.executions, task.rejected) == ("SUCCESS", 2, None)
        assert (task.sent, task.received, task.started) == (AT, AT + 0.3, AT + 0.5)
        assert counted(fold.figures)["rejected"] == 1


def test_a_retry_is_paid_for_by_the_task_retried_of_whoever_sent_it():
    fold = fresh()
    told = [ev("retried", 0.2, exception="Busy()"), ev("retried", 0.5, by=WORKERS[1], exception="Busy()")]
    again = [received(at, by=WORKERS[1], retries=1) for at in (0.3, 0.4)]
    feed(fold, [ev("started", 0.1), *again, *told], AT + 1)
    task = task_of(fold, "u")
    assert (task.state, task.worker, task.received, task.retried) == ("RETRY", WORKERS[1], AT + 0.4, AT + 0.5)


def test_when_it_was_retried_is_told_though_the_retry_was_received_before():
    fold = fresh()
    first = [received(0), ev("started", 0.1), ev("retried", 0.2, exception="Busy()")]
    second = [received(0.3, retries=1), ev("started", 0.4), received(0.5, retries=2), ev("retried", 0.6)]
    feed(fold, [*first, *second, ev("started", 0.7), ev("succeeded", 0.8, runtime=0.1)], AT + 1)
    task = task_of(fold, "u")
    assert (task.state, task.retries, task.retried, task.started) == ("SUCCESS", 2, AT + 0.6, AT + 0.7)


def test_a_retry_that_ran_before_its_worker_said_so_has_the_last_word():
    begin = [received(0), ev("started", 0.1), received(0.2, retries=1), ev("started", 0.3)]
    retried, succeeded = ev("retried", 0.5, exception="Busy()"), ev("succeeded", 0.4, runtime=0.1, result="1")
    for told in ([succeeded, retried], [retried, succeeded]):
        fold = fresh()
        feed(fold, [*begin, *told], AT + 1)
        task = task_of(fold, "u")
        assert (task.state, task.result, task.exception, task.retried) == ("SUCCESS", "1", "", AT + 0.5)


def test_retries_that_are_sent_before_what_came_before_them_is_received_keep_their_task_sent():
    fold = fresh()
    begin = [sent(0.1, retries=1), sent(0), received(0.05), ev("started", 0.06), ev("retried", 0.12)]
    feed(fold, [*begin, sent(0.3, retries=2), received(0.2, retries=1), ev("started", 0.22)], AT + 1)
    assert (task_of(fold, "u").sent, round(task_of(fold, "u").wait, 6)) == (AT + 0.1, 0.12)
    feed(fold, [ev("retried", 0.25), received(0.4, retries=2), ev("started", 0.5)], AT + 1)
    assert (task_of(fold, "u").sent, round(task_of(fold, "u").wait, 6)) == (AT + 0.3, 0.2)
    feed(fold, [sent(0.3, retries=2), sent(0.1, retries=1)], AT + 1)
    assert counted(fold.figures)["sent"] == 3


def test_what_is_told_of_a_retry_that_was_received_already_is_how_it_ended():
    told = []
    fold = fresh(told=lambda kind, at, task: told.append((kind, at, task.state, task.error, task.worker)))
    begin = [received(0.1), ev("started", 0.2), received(0.4, by=WORKERS[1], retries=1)]
    feed(fold, [*begin, ev("retried", 0.5, exception="Busy()"), ev("retried", 0.5, exception="Busy()")], AT + 1)
    assert told == [("task-retried", AT + 0.5, "RETRY", "Busy()", WORKERS[0])]
    assert (task_of(fold, "u").state, task_of(fold, "u").error) == ("RECEIVED", None)


def test_both_versions_of_reject_look_alike():
    begin = [received(0), ev("started", 0.1)]
    refused = ev("failed", 0.2, exception="reject requeue=False: no", traceback="")
    wrapped = ev("failed", 0.2, exception="ExceptionWithTraceback()", traceback=REFUSED)
    rejected = ev("rejected", 0.3, requeue=False)
    for told in ([refused, rejected], [wrapped, rejected], [rejected]):
        fold = fresh()
        feed(fold, begin + told)
        task = task_of(fold, "u")
        assert (task.state, task.exception) == ("REJECTED", "Reject")
        fold.settle(AT + 3)
        assert cells(fold) == {("shop.charge", WORKERS[0], "celery"): {"received": 1, "started": 1, "rejected": 1}}


def test_a_hard_time_limit_is_one_failure():
    fold = fresh()
    lost = 'Traceback (most recent call last):\n  File "/v/site-packages/billiard/pool.py", line 7, in x\n    raise'
    again = f"{lost}\nbilliard.exceptions.TimeLimitExceeded: TimeLimitExceeded(1,)\n"
    feed(
        fold,
        [
            received(0),
            ev("started", 0.1),
            ev("failed", 1.1, exception=LIMIT, traceback=again),
            ev("failed", 1.2, exception="ExceptionWithTraceback()", traceback=again),
        ],
        AT + 2,
    )
    fold.settle(AT + 5)
    assert cells(fold)["shop.charge", WORKERS[0], "celery"] == {"received": 1, "started": 1, "TimeLimitExceeded": 1}
    assert task_of(fold, "u").exception == "billiard.exceptions.TimeLimitExceeded"
    assert task_of(fold, "u").error == "TimeLimitExceeded(1,)"


def test_a_receipt_that_overtakes_its_task_sent_waits_for_the_queue():
    fold = fresh()
    feed(fold, [sent(0, "first")])
    feed(fold, [received(0.1, "u"), ev("started", 0.2, "u")])
    assert counted(fold.figures) == {"sent": 1}
    feed(fold, [sent(0.05, "u", queue="other")], AT + 0.5)
    assert cells(fold) == {("shop.charge", WORKERS[0], "other"): {"received": 1, "started": 1}}
    assert fold.figures.cells["shop.charge", WORKERS[0], "other"].wait.counts(()) == [1]


def test_the_first_task_of_a_name_waits_too_and_only_once():
    fold = fresh()
    feed(fold, [received(0.1, "new", name="shop.ship")])
    feed(fold, [sent(0.05, "new", queue="other", name="shop.ship")], AT + 0.5)
    assert cells(fold) == {("shop.ship", WORKERS[0], "other"): {"received": 1}}
    feed(fold, [received(0.6, "untold", name="shop.untold")], AT + 0.6)
    fold.settle(AT + 2.7)
    feed(fold, [received(2.8, "again", name="shop.untold")], AT + 2.8)
    assert cells(fold)["shop.untold", WORKERS[0], "celery"] == {"received": 2}


def test_a_receipt_whose_task_sent_is_lost_is_counted_after_two_seconds():
    fold = fresh()
    feed(fold, [sent(0, "first")])
    feed(fold, [received(0.1, "u")])
    fold.settle(AT + 1.9)
    assert not cells(fold)
    fold.settle(AT + 2.1)
    assert cells(fold) == {("shop.charge", WORKERS[0], "celery"): {"received": 1}}


def test_a_worker_may_tell_the_queue_of_a_task_whose_task_sent_is_lost():
    fold = fresh()
    feed(fold, [sent(0, "first")])
    feed(fold, [received(0.1, "u", queue="mail", exchange="post", routing_key="mail.now")])
    fold.settle(AT + 2.1)
    assert cells(fold) == {("shop.charge", WORKERS[0], "mail"): {"received": 1}}
    task = task_of(fold, "u")
    assert (task.queue, task.exchange, task.routing_key, task.sent) == ("mail", "post", "mail.now", None)


def test_a_worker_that_does_not_tell_the_queue_takes_none_away():
    fold = fresh()
    feed(fold, [sent(0, "u", queue="mail", exchange="post"), received(0.1, "u"), received(0.5, "u", WORKERS[1])])
    assert (task_of(fold, "u").queue, task_of(fold, "u").exchange) == ("mail", "post")


def test_the_only_queue_of_a_worker_is_the_queue_of_its_tasks():
    fold = fresh(default_queue="main")
    fold.books.consumes({WORKERS[0]: ("reports",), WORKERS[1]: ("a", "b")})
    feed(fold, [received(0, "one"), received(0, "two", WORKERS[1])])
    fold.settle(AT + 3)
    assert {key[1:] for key in cells(fold)} == {(WORKERS[0], "reports"), (WORKERS[1], "main")}
    assert (task_of(fold, "one").queue, task_of(fold, "two").queue) == ("reports", "")


def test_a_task_is_asked_for_whose_beginning_was_not_seen():
    fold = fresh()
    stored = Task(uuid="u", name="shop.charge", state="RECEIVED", worker=WORKERS[0], received=AT - 9, executions=1)
    fold.take([Intake(at=AT + 1, events=[ev("started", 0.1), ev("succeeded", 0.2, runtime=None)])], AT + 1)
    assert (fold.unknown(), fold.unknown(), cells(fold), len(fold)) == (["u"], [], {}, 0)
    fold.known({"u": stored}, ["u"], AT + 1)
    fold.settle(AT + 4)
    assert cells(fold) == {("shop.charge", WORKERS[0], "celery"): {"started": 1, "succeeded": 1}}
    assert (task_of(fold, "u").state, task_of(fold, "u").received) == ("SUCCESS", AT - 9)


def test_a_task_that_nobody_knows_is_counted_as_none():
    fold = fresh()
    feed(fold, [ev("started", 0.1)])
    fold.settle(AT + 0.5)
    assert not cells(fold)
    fold.settle(AT + 2)
    assert cells(fold) == {("None", WORKERS[0], "celery"): {"started": 1}}


def test_an_answer_that_does_not_come_is_given_up():
    fold = fresh()
    fold.take([Intake(at=AT, events=[ev("started", -0.1)])], AT)
    fold.settle(AT + 31)
    fold.settle(AT + 33)
    assert cells(fold) == {("None", WORKERS[0], "celery"): {"started": 1}}


def test_an_unregistered_task_fails_under_its_name():
    fold = fresh()
    feed(fold, [ev("failed", 0, exception="NotRegistered('shop.gone')")])
    fold.settle(AT + 3)
    assert cells(fold) == {("shop.gone", WORKERS[0], "celery"): {"NotRegistered": 1}}


def test_the_wait_of_a_task_with_an_eta_begins_when_it_is_due():
    fold = fresh()
    eta = datetime.fromtimestamp(AT + 5, UTC).isoformat()
    feed(fold, [sent(0, eta=eta), received(0.1, eta=eta), ev("started", 5.25)], AT + 6)
    assert task_of(fold, "u").wait == 0.25


def test_a_success_without_a_run_time_counts():
    fold = fresh()
    feed(fold, [received(0), ev("started", 0.1), ev("succeeded", 0.2, runtime=None, result="1")])
    fold.settle(AT + 3)
    assert cells(fold)["shop.charge", WORKERS[0], "celery"]["succeeded"] == 1


def test_a_short_task_is_written_once_and_a_long_one_when_it_is_seen_and_when_it_ends():
    fold = fresh()
    feed(fold, [received(0, "short"), ev("succeeded", 0.1, "short"), received(0, "long")])
    assert [task.uuid for task in fold.due(AT + 1)] == ["short"]
    assert [(task.uuid, task.state) for task in fold.due(AT + 2.5)] == [("long", "RECEIVED")]
    assert fold.due(AT + 9) == []
    feed(fold, [ev("succeeded", 9.5, "long")], AT + 10)
    assert [(task.uuid, task.state) for task in fold.due(AT + 10)] == [("long", "SUCCESS")]


def test_what_is_given_to_be_written_does_not_change_any_more():
    fold = fresh()
    feed(fold, [received(0)])
    (task,) = fold.due(AT + 3)
    feed(fold, [ev("started", 3)], AT + 3)
    assert task.state == "RECEIVED"


def test_ended_tasks_are_forgotten_after_a_while():
    fold = fresh()
    feed(fold, [received(0), ev("succeeded", 0.1)])
    fold.due(AT)
    fold.settle(AT + 30)
    assert len(fold) == 1
    fold.settle(AT + 61)
    assert len(fold) == 0


def test_beyond_the_bound_the_oldest_tasks_are_written_and_forgotten():
    fold = fresh(most_open=100)
    feed(fold, [received(n / 1000, f"u{n}") for n in range(150)])
    assert (len(fold), fold.forgotten) == (99, 51)
    assert len(fold.due(AT)) == 51
    feed(fold, [received(1, "u0", retries=0)], AT + 1, {"u0": Task(uuid="u0", name="shop.charge", retries=3)})
    assert task_of(fold, "u0").retries == 3


def test_a_flood_of_names_is_bounded():
    fold = Fold(Figures(most_cells=10), Workers())
    feed(fold, [received(n / 1000, f"u{n}", name=f"name {n}") for n in range(50)])
    fold.settle(AT + 3)
    assert len(fold.figures.cells) == 11
    assert fold.figures.cells["other", WORKERS[0], "other"].counts[0] == 40
    assert fold.figures.overflow == 40


def beat(kind, at, by=WORKERS[0]):
    return Event(f"worker-{kind}", by, at, freq=2.0, active=1, processed=5)


def test_tasks_of_a_worker_that_said_goodbye_may_end_for_ten_minutes():
    fold = fresh()
    begin = [received(0), ev("started", 0.1), received(0, "long"), ev("started", 0.1, "long")]
    feed(fold, [beat("online", AT), *begin, beat("offline", AT + 1)])
    fold.settle(AT + 599)
    assert task_of(fold, "u").state == "STARTED"
    feed(fold, [ev("succeeded", 599.5, runtime=599.4)], AT + 599.6)
    fold.settle(AT + 602)
    assert (task_of(fold, "u").state, task_of(fold, "long").state) == ("SUCCESS", "LOST")


def test_a_task_that_its_worker_does_not_run_any_more_is_not_lost():
    fold = Fold(Figures(), Workers(timeout=10.0))
    idle = Event("worker-heartbeat", WORKERS[0], AT + 5, freq=2.0, active=0, processed=5)
    feed(fold, [beat("online", AT), received(0), ev("started", 0.1), received(0, "new")])
    feed(fold, [ev("started", 4, "new"), idle], AT + 5)
    for at in (16, 17, 90):
        fold.settle(AT + at)
    assert (task_of(fold, "u").state, task_of(fold, "new").state) == ("STARTED", "LOST")


def test_a_worker_that_began_anew_tells_nothing_of_what_the_one_before_it_ran():
    fold = fresh()
    feed(fold, [beat("online", AT), received(0), ev("started", 0.1)])
    for kind, at in (("online", 20), ("heartbeat", 20), ("heartbeat", 60)):
        feed(fold, [Event(f"worker-{kind}", WORKERS[0], AT + at, freq=2.0, active=0)], AT + at)
    fold.settle(AT + 82)
    assert task_of(fold, "u").state == "LOST"


def test_tasks_of_a_worker_that_fell_silent_are_lost_until_heard_of_again():
    fold = Fold(Figures(), Workers(timeout=10.0))
    feed(fold, [beat("online", AT), received(0), ev("started", 0.1), received(0, "other")])
    for at in (3, 11, 40):
        fold.due(AT + at)
        fold.settle(AT + at)
    assert task_of(fold, "u").state == "STARTED"
    fold.settle(AT + 72)
    assert (task_of(fold, "u").state, task_of(fold, "other").state) == ("LOST", "RECEIVED")
    assert [task.state for task in fold.due(AT + 72)] == ["LOST"]
    feed(fold, [received(70, by=WORKERS[1])], AT + 72)
    assert (task_of(fold, "u").state, task_of(fold, "u").executions) == ("RECEIVED", 2)


def test_tasks_of_a_worker_that_began_anew_are_lost_and_its_new_ones_are_not():
    fold = fresh()
    feed(fold, [beat("online", AT), received(0), ev("started", 0.1)])
    feed(fold, [beat("online", AT + 5), received(6, "new"), ev("started", 6.1, "new")], AT + 7)
    for at in (30, 60, 66):
        feed(fold, [beat("heartbeat", AT + at)], AT + at)
    assert (task_of(fold, "u").state, task_of(fold, "new").state) == ("LOST", "STARTED")


def test_a_task_is_lost_a_minute_after_its_worker_began_anew_however_often_that_does_so_again():
    fold = fresh()
    feed(fold, [beat("online", AT), received(0), ev("started", 0.1)])
    for at in (10, 47):
        feed(fold, [beat("online", AT + at)], AT + at)
    feed(fold, [received(50, "new"), ev("started", 50.1, "new")], AT + 51)
    feed(fold, [beat("online", AT + 69)], AT + 69)
    assert task_of(fold, "u").state == "STARTED"
    fold.settle(AT + 71)
    assert (task_of(fold, "u").state, task_of(fold, "new").state) == ("LOST", "STARTED")
    fold.settle(AT + 130)
    assert task_of(fold, "new").state == "LOST"


def again(fold, at):
    """A fold that goes on where the other one ended."""
    tasks = [entry.task for entry in fold._tasks.values()]
    found = fresh()
    found.workers.restore(fold.workers.standing())
    found.restore(tasks, AT + at)
    return found


def test_that_a_worker_began_anew_is_remembered_by_the_next_watcher():
    fold = fresh()
    feed(fold, [beat("online", AT), received(0), ev("started", 0.1)])
    feed(fold, [beat("online", AT + 5)], AT + 5)
    fold = again(fold, 20)
    for at in (21, 60, 66):
        feed(fold, [Event("worker-heartbeat", WORKERS[0], AT + at, active=0)], AT + at)
    assert task_of(fold, "u").state == "LOST"


@pytest.mark.parametrize("cut", range(7))
def test_executions_are_counted_on_by_the_next_watcher(cut):
    events = [
        received(0), ev("started", 1), ev("retried", 2, exception="KeyError(1)"),
        received(3, retries=1), ev("started", 4), ev("succeeded", 5, runtime=1.0),
    ]  # fmt: skip
    fold = fresh()
    feed(fold, events[:cut], AT + 5)
    fold = again(fold, 6)
    feed(fold, events[cut:], AT + 6)
    assert (task_of(fold, "u").state, task_of(fold, "u").executions) == ("SUCCESS", 2)


def test_that_a_worker_runs_nothing_any_more_is_remembered_by_the_next_watcher():
    fold = fresh()
    feed(fold, [beat("online", AT), received(0), ev("started", 0.1)])
    feed(fold, [Event("worker-heartbeat", WORKERS[0], AT + 9, active=0)], AT + 9)
    fold = again(fold, 20)
    feed(fold, [beat("online", AT + 21)], AT + 21)
    fold.settle(AT + 90)
    assert task_of(fold, "u").state == "STARTED"


@pytest.mark.parametrize(("pid", "state"), [(1, "STARTED"), (2, "LOST")])
def test_of_two_workers_of_one_name_the_first_one_goes_on(pid, state):
    def says(kind, at, pid):
        feed(fold, [Event(f"worker-{kind}", WORKERS[0], AT + at, active=1, pid=pid)], AT + at)

    fold = fresh()
    says("online", 0, 1)
    feed(fold, [received(0), ev("started", 0.1)])
    says("online", 5, 2)
    for at in range(6, 70, 4):
        says("heartbeat", at, pid)
        says("heartbeat", at + 2, 2)
    assert task_of(fold, "u").state == state


def test_a_lost_task_that_ends_after_all_was_not_lost():
    fold = fresh()
    feed(fold, [beat("online", AT), received(0), ev("started", 0.1), beat("offline", AT + 1)])
    fold.settle(AT + 61)
    feed(fold, [ev("succeeded", 70)], AT + 70)
    assert task_of(fold, "u").state == "SUCCESS"


def test_a_task_has_the_logical_clock_of_its_newest_event():
    fold, told = fresh(), []
    sent = Event("task-sent", "gen1@client", AT, "a", clock=7, name="shop.charge", queue="mail", args="(1,)")
    for event in (
        sent,
        Event("task-received", WORKERS[0], AT + 1, "a", clock=9, **WHAT),
        Event("task-started", WORKERS[0], AT + 2, "a", clock=-4),
        Event("task-started", WORKERS[0], AT + 2.5, "b", clock=3),
        Event("task-succeeded", WORKERS[0], AT + 3, "a", clock=2**70, runtime=1.0),
    ):
        feed(fold, [event])
        told.append(task_of(fold, "a").clock)
    assert told == [7, 9, 9, 9, 9]
    feed(fold, [Event("task-failed", WORKERS[0], AT + 4, "b", clock=12, exception="Boom()")])
    assert task_of(fold, "b").clock == 12


def test_a_clock_an_hour_fast_reorders_nothing():
    fold = fresh()
    hour = 3600
    feed(fold, [beat("online", AT + hour), received(hour), ev("started", hour + 0.1)], AT + 0.2)
    feed(fold, [received(1, "u", WORKERS[1])], AT + 1)
    task = task_of(fold, "u")
    assert (task.state, task.worker, task.executions) == ("RECEIVED", WORKERS[1], 2)
    assert abs(task.received - AT) < 2
    (one, _) = fold.workers.standing()
    assert abs(one.skew - hour) < 1


def test_one_event_of_the_future_hides_none_of_its_sender():
    fold = fresh()
    feed(fold, [received(0), received(9999, "odd"), ev("started", 0.1), received(math.nan, "nan")], AT + 0.2)
    task = task_of(fold, "u")
    assert (task.state, task.started, task_of(fold, "odd").received) == ("STARTED", AT + 0.1, AT + 0.2)
    assert task_of(fold, "nan").received == AT + 0.2


@settings(max_examples=40, deadline=None)
@given(deliveries(), st.integers(0, 30))
def test_a_watcher_that_was_killed_goes_on_from_what_was_shown(reads, cut):
    fold = fresh()
    for number, events in enumerate(reads[:cut]):
        feed(fold, events, AT + number / 100)
    shown = fold.figures.encode()
    figures = Figures.decode(shown)
    assert (figures.encode(), counted(figures)) == (shown, counted(fold.figures))
    tasks = [entry.task for entry in fold._tasks.values()]
    after = Fold(figures, Workers())
    after.restore(tasks, AT)
    for number, events in enumerate(reads[cut:]):
        before = counted(figures)
        feed(after, events, AT + number / 100)
        assert not before - counted(figures)


def test_histograms_with_other_buckets_begin_anew():
    figures = Figures()
    figures.observe_runtime(figures.cell("a", "w", "q", AT), 0.2)
    figures.cell("a", "w", "q", AT).counts[0] += 1
    again = Figures.decode(figures.encode(), runtime_buckets=(1.0,))
    cell = again.cells["a", "w", "q"]
    assert (cell.counts[0], cell.runtime.counts((1.0,)), cell.runtime.sum) == (1, [0, 0], 0.0)


def test_cells_of_a_purged_worker_stand_in_the_sums():
    fold = Fold(Figures(), Workers(timeout=10, purge=20))
    feed(fold, [received(0), ev("started", 0.1)])
    fold.settle(AT + 40)
    assert not fold.figures.cells
    feed(fold, [ev("succeeded", 41, runtime=1.0)], AT + 41)
    assert counted(fold.figures) == {"received": 1, "started": 1, "succeeded": 1}
    assert cells(fold) == {("shop.charge", WORKERS[0], "celery"): {"succeeded": 1}}


def test_hosts_of_clients_that_come_and_go_leave_room():
    figures = Figures(most_cells=10)
    for n in range(100):
        figures.count_sent("shop.charge", f"pod-{n}", "mail", AT + n * 600)
    assert sum(sent.count for sent in figures.sent.values()) == 100
    assert (figures.overflow, len(figures.sent) <= 10) == (0, True)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_nothing_in_an_event_raises(data):
    texts, numbers = st.text(max_size=5), st.floats() | st.integers()
    kinds = st.sampled_from([*fresh()._handlers, "task-odd", "worker-heartbeat", "worker-offline", "odd", ""])
    fold, ids = fresh(), st.sampled_from(["", "a", "b"])
    for n in range(data.draw(st.integers(1, 8))):
        event = Event(
            data.draw(kinds), data.draw(ids), data.draw(numbers), data.draw(ids),
            name=data.draw(st.none() | texts), retries=data.draw(st.none() | st.integers()),
            clock=data.draw(st.none() | st.integers()), eta=data.draw(st.none() | texts), queue=data.draw(texts),
            runtime=data.draw(st.none() | numbers), exception=data.draw(st.none() | texts),
            traceback=data.draw(st.none() | texts), requeue=data.draw(st.booleans()),
        )  # fmt: skip
        feed(fold, [event], AT + n)
        fold.due(AT + n)
    fold.settle(AT + 1000)
    fold.figures.encode()
