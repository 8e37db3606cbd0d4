"""Each detector fires, does not fire on what only looks alike, and resolves."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from nightowl.core.cluster.events import Gap
from nightowl.core.cluster.finding import MOST, Finding, bounded
from nightowl.core.cluster.findings import recalled
from nightowl.core.cluster.findings.scene import MOST_NOTABLE
from nightowl.core.cluster.settings import FailureSettings, FindingSettings
from nightowl.core.cluster.state import Due
from nightowl.core.cluster.task import TaskState
from nightowl.core.values import Severity

CHARGE = "failures/shop.charge/KeyError/shop/tasks.py:3 in f"
HOUR = 3600.0


def tuned(watched, **findings):
    watched.settings = replace(watched.settings, findings=findings)


# -- failures -------------------------------------------------------------------------------------------------------


def test_a_task_that_does_not_usually_fail_is_told_at_its_first_failure(watched):
    uuid = watched.fail(error="KeyError('x')", args="(1,)", traceback="Traceback ...", worker="celery@one")
    finding = watched.look()[CHARGE]
    assert finding.sentence == "task shop.charge failed with KeyError at shop/tasks.py:3 in f: KeyError('x')"
    assert (finding.uuid, finding.path, finding.task) == (uuid, f"/clusters/shop/tasks/{uuid}", "shop.charge")
    assert finding.details == f"task {uuid} on celery@one\nargs: (1,)\nTraceback ..."
    assert (finding.count, finding.severity, finding.since) == (1, Severity.WARNING, watched.now)


def test_failures_at_another_place_are_another_finding(watched):
    watched.fail()
    watched.fail(place="shop/tasks.py:9 in g")
    watched.fail(exception="shop.errors.Denied")
    assert len(watched.look()) == 3


def test_each_failed_run_counts_once_however_often_it_is_told(watched):
    for _ in range(3):
        watched.fail(uuid="same")
    watched.fail(uuid="same", executions=1)
    watched.restart()
    watched.fail(uuid="same")
    assert watched.look()[CHARGE].count == 2
    assert watched.look()[CHARGE].tally.startswith("2 failures, the last at 2023-11-14")


def test_retries_and_rejects_and_revokes_are_no_failures(watched):
    for state in (TaskState.RETRY, TaskState.REVOKED, TaskState.REJECTED, TaskState.SUCCESS):
        watched.task(state, exception="KeyError")
    assert not watched.wait(60)


def test_a_task_that_usually_fails_says_nothing_by_failing_once_more(watched):
    for number in range(40):
        if number % 10 == 0:
            watched.fail()
        watched.ran(1, name="shop.charge")
    assert watched.look()  # not known to be usual then
    watched.wait(2 * HOUR, step=60.0)
    watched.fail()
    assert not watched.look()


def test_a_storm_of_failures_is_not_its_own_excuse(watched):
    watched.ran(100, name="shop.charge")
    watched.wait(HOUR, step=60.0)
    for _ in range(50):
        watched.fail()
        watched.fail(place="elsewhere")
    assert {CHARGE, "failures/shop.charge/KeyError/elsewhere"} <= watched.look().keys()


def test_failures_resolve_after_a_while_without_one(watched):
    watched.settings = replace(watched.settings, failures=FailureSettings(resolve=600.0))
    watched.fail()
    assert watched.wait(500)
    watched.fail()
    assert watched.wait(500)
    assert not watched.wait(120)


def test_only_failures_of_these_tasks_and_as_many_as_asked_for(watched):
    watched.settings = replace(watched.settings, failures=FailureSettings(tasks=("shop.*",), after=3))
    for _ in range(5):
        watched.fail(name="other.task")
    watched.fail()
    watched.fail()
    assert not watched.look()
    watched.fail()
    assert watched.look()[CHARGE].count == 3


# -- workers --------------------------------------------------------------------------------------------------------


def test_a_worker_that_falls_silent_is_told_until_it_is_back(watched):
    watched.up("celery@two")
    watched.wait(100)
    watched.down("celery@two")
    finding = watched.look()["worker_silent/celery@two"]
    assert (finding.severity, finding.path) == (Severity.WARNING, "/clusters/shop/workers/celery%40two")
    watched.down("celery@one")
    assert watched.look()["worker_silent/celery@one"].severity is Severity.CRITICAL
    assert watched.look()["worker_silent/celery@two"].severity is Severity.CRITICAL
    watched.up("celery@one")
    watched.up("celery@two")
    assert not watched.look()


def test_a_goodbye_is_no_finding(watched):
    watched.down("celery@one", goodbye=True)
    assert not watched.wait(600)


def test_nobody_is_silent_while_the_broker_is_away_nor_right_after(watched):
    watched.fail()
    before = watched.look()
    watched.state = replace(watched.state, fault="connection refused")
    watched.down("celery@one")
    assert watched.wait(HOUR) == before  # nor does anything end
    watched.state = replace(watched.state, fault="")
    assert "worker_silent/celery@one" not in watched.wait(30)
    assert "worker_silent/celery@one" in watched.wait(60)


def test_a_watcher_that_stood_still_waits_for_heartbeats(watched):
    watched.wait(100)
    watched.now += 400
    watched.down("celery@one")
    assert not watched.look()
    watched.up("celery@one")
    assert not watched.wait(120)


def test_that_no_worker_is_left_is_not_said_right_after_a_gap_and_stays_said_over_one(watched):
    watched.up("celery@two")
    watched.wait(100)
    watched.down("celery@two")
    watched.look()
    watched.now += 40
    watched.down("celery@one")  # which was not heard, as nobody listened
    assert watched.look()["worker_silent/celery@two"].severity is Severity.WARNING
    assert watched.wait(70)["worker_silent/celery@two"].severity is Severity.CRITICAL
    watched.now += 40
    assert watched.look()["worker_silent/celery@two"].severity is Severity.CRITICAL


# -- lost -----------------------------------------------------------------------------------------------------------


def test_tasks_lost_with_their_worker_are_counted(watched):
    first = watched.task(TaskState.LOST)
    watched.task(TaskState.LOST)
    watched.task(TaskState.LOST, uuid=first)
    finding = watched.look()["lost/shop.mail/celery@one"]
    assert (finding.count, finding.worker) == (2, "celery@one")


def test_a_task_that_another_worker_runs_was_not_lost(watched):
    uuid = watched.task(TaskState.LOST)
    assert watched.look()
    watched.restart()
    watched.task(TaskState.SUCCESS, uuid=uuid, worker="celery@two")
    assert not watched.look()


# -- stuck ----------------------------------------------------------------------------------------------------------


def test_a_task_far_beyond_its_usual_run_time_is_stuck(watched):
    watched.ran(100, 10.0)
    uuid = watched.task(TaskState.STARTED)
    assert not watched.wait(100)
    finding = watched.wait(60)["stuck/shop.mail"]
    assert finding.uuid == uuid
    assert "99 % of its runs take under" in finding.sentence
    watched.task(TaskState.SUCCESS, uuid=uuid, runtime=160.0)
    assert not watched.look()


def test_short_tasks_get_a_minute_and_unknown_ones_an_hour(watched):
    watched.ran(100, 0.01)
    watched.task(TaskState.STARTED)
    watched.task(TaskState.STARTED, "shop.new")
    assert not watched.wait(60)
    assert set(watched.wait(10)) == {"stuck/shop.mail"}
    assert "stuck/shop.new" in watched.wait(HOUR)


@pytest.mark.parametrize("state", [TaskState.PENDING, TaskState.RECEIVED, TaskState.RETRY])
def test_a_task_that_waits_is_not_stuck(watched, state):
    watched.ran(100)
    watched.task(state, eta=watched.now + 9 * HOUR)
    assert not watched.wait(2 * HOUR, step=30.0)


def test_a_task_whose_worker_runs_nothing_has_ended_unheard(watched):
    watched.ran(100)
    watched.task(TaskState.STARTED)
    watched.up("celery@one", active=0)
    assert not watched.wait(600)


def test_a_task_whose_worker_began_anew_is_lost_rather_than_stuck(watched):
    watched.ran(100)
    watched.task(TaskState.STARTED)
    watched.wait(30)
    watched.up("celery@one", since=watched.now)
    assert not watched.wait(600)


def test_a_task_that_may_have_ended_in_a_gap_is_not_stuck_unless_its_worker_says_so(watched):
    watched.ran(100)
    watched.task(TaskState.STARTED)
    watched.task(TaskState.STARTED)
    watched.wait(10)
    watched.state = replace(watched.state, gaps=(Gap(watched.now - 5, watched.now, "restart", None),))
    assert "stuck/shop.mail" not in watched.wait(300)
    watched.up("celery@one", active=2)
    assert "stuck/shop.mail" in watched.wait(10)


# -- unreceived -----------------------------------------------------------------------------------------------------


def test_a_task_that_was_sent_and_vanished_is_told_by_name_and_queue(watched):
    watched.queue(ready=0)
    uuid = watched.task(TaskState.PENDING, sent=watched.now)
    assert not watched.wait(290)
    finding = watched.wait(20)["unreceived/shop.mail/celery"]
    assert (finding.uuid, finding.queue) == (uuid, "celery")
    watched.task(TaskState.RECEIVED, uuid=uuid)
    assert not watched.look()


@pytest.mark.parametrize(
    ("queue", "task"),
    [
        ({"ready": 5}, {}),
        ({"ready": 5, "age": 650.0}, {}),
        ({"ready": None}, {}),
        ({"ready": 0, "consumers": 2}, {}),
        ({"ready": 0, "consumers": 0}, {}),
        ({"ready": 0}, {"eta": 1_700_100_000.0}),
        ({"ready": 0}, {"expires": 1_700_000_100.0}),
        ({"ready": 0}, {"queue": "elsewhere"}),
    ],
)
def test_a_task_that_may_still_wait_was_not_lost(watched, queue, task):
    watched.queue(**queue)
    watched.task(TaskState.PENDING, **task)
    assert not watched.wait(700)


def test_nor_one_whose_worker_sends_no_events_or_that_came_before_a_gap(watched):
    watched.queue(ready=0)
    watched.task(TaskState.PENDING)
    watched.up("celery@two", queues=("celery",), events_on=False)
    assert not watched.wait(700)
    del watched.workers["celery@two"]
    watched.state = replace(watched.state, gaps=(Gap(watched.now - 5, watched.now, "restart", None),))
    assert "unreceived/shop.mail/celery" not in watched.wait(700)


def test_what_waits_behind_newer_messages_alone_is_gone(watched):
    watched.queue(ready=5, age=20.0)
    watched.task(TaskState.PENDING)
    assert "unreceived/shop.mail/celery" in watched.wait(310)


def test_what_was_sent_before_nightowl_purged_the_queue_is_not_missed(watched):
    watched.queue(ready=0)
    watched.task(TaskState.PENDING)
    watched.now += 10.0
    watched.purged = {"celery": watched.now, "other": watched.now + HOUR}
    assert not watched.wait(700)
    uuid = watched.task(TaskState.PENDING)
    assert watched.wait(310)["unreceived/shop.mail/celery"].uuid == uuid


def test_what_others_purged_is_missed_for_as_long_as_failures_take_to_resolve(watched):
    watched.settings = replace(watched.settings, failures=FailureSettings(resolve=600.0))
    watched.queue(ready=0)
    watched.task(TaskState.PENDING)
    assert watched.wait(890)["unreceived/shop.mail/celery"].count == 1
    watched.task(TaskState.PENDING)
    assert not watched.wait(20)
    assert watched.wait(300)["unreceived/shop.mail/celery"].count == 1
    assert not watched.wait(610)


def test_what_others_purged_hides_nothing_that_is_missed_later(watched):
    watched.settings = replace(watched.settings, failures=FailureSettings(resolve=600.0))
    watched.queue(ready=0)
    for _ in range(MOST_NOTABLE):
        watched.task(TaskState.PENDING)
    watched.wait(920, step=25.0)
    watched.task(TaskState.PENDING, name="shop.charge")
    assert "unreceived/shop.charge/celery" in watched.wait(310, step=25.0)


# -- queues ---------------------------------------------------------------------------------------------------------


def test_a_queue_without_a_consumer_is_told_after_a_minute(watched):
    watched.queue("mail", ready=3, consumers=0)
    assert not watched.wait(50)
    watched.queue("mail", ready=3, consumers=1)
    assert not watched.wait(50)
    watched.queue("mail", ready=3, consumers=0)
    finding = watched.wait(80)["unconsumed/mail"]
    assert (finding.severity, finding.path) == (Severity.CRITICAL, "/clusters/shop/queues/mail")
    watched.queue("mail", ready=0, consumers=0)
    assert not watched.look()


def test_a_worker_that_was_not_asked_may_be_the_consumer(watched):
    watched.queue("mail", ready=3)
    watched.up("celery@two", inspected=None)
    assert not watched.wait(120)
    watched.up("celery@two", queues=("mail",))
    assert not watched.wait(120)
    watched.up("celery@two", queues=("other",))
    assert "unconsumed/mail" in watched.wait(120)


def test_a_backlog_that_grows_says_that_it_is_never_drained(watched):
    for ready in range(50, 1000, 10):
        watched.queue("mail", ready=ready, consumers=1, rate_in=4.0, rate_out=3.0)
        watched.wait(10)
    finding = watched.found["backlog/mail"]
    assert "growing by 1/s: 4/s in, 3/s out; at that rate it is never drained" in finding.sentence
    for ready in range(1000, 400, -1):
        watched.queue("mail", ready=ready, consumers=1)
        watched.wait(10)
    assert "at that rate it is drained in 1 hour" in watched.found["backlog/mail"].sentence
    for ready in range(400, 0, -5):
        watched.queue("mail", ready=ready, consumers=1)
        watched.wait(10)
    assert not watched.found


@pytest.mark.parametrize(
    "levels",
    [
        [*range(99), *[99] * 200],
        [*range(0, 3000, 100), *range(3000, 0, -100)] * 4,
        [500 + 400 * (number // 5 % 2) for number in range(200)],
        [5000] * 200,
        [*[0] * 70, *range(0, 2000, 100), *range(2000, 0, -100)],
    ],
    ids=["below the floor", "a tide", "up and down", "level", "a burst"],
)
def test_a_queue_that_does_not_keep_growing_is_let_be(watched, levels):
    for ready in levels:
        watched.queue("mail", ready=ready, consumers=1)
        watched.wait(10)
        assert not watched.found


# -- rates ----------------------------------------------------------------------------------------------------------


def day_of(watched, failing):
    """Let hours pass in which a share of runs fails."""
    for _ in range(20):
        watched.ran(200 - failing, name="shop.charge")
        for _ in range(failing):
            watched.fail()
        watched.wait(HOUR, step=600.0)


def test_a_task_that_fails_more_often_than_usual_is_told_until_it_is_usual_again(watched):
    day_of(watched, failing=20)
    for _ in range(30):
        watched.fail()
        watched.ran(1, name="shop.charge")
    finding = watched.look()["failure_rate/shop.charge"]
    assert "50.0 % of 60 runs in the last 10 minutes, 10.0 % in the day before" in finding.sentence
    assert "failure_rate/shop.charge" in watched.wait(300)
    assert not watched.wait(400)


def test_as_many_failures_as_ever_are_usual(watched):
    day_of(watched, failing=20)
    watched.ran(180, name="shop.charge")
    for _ in range(22):
        watched.fail()
    assert "failure_rate/shop.charge" not in watched.look()


# -- beat -----------------------------------------------------------------------------------------------------------


def entry(**fields):
    return (Due(name="nightly", task="shop.report", schedule="daily at 03:00", **fields),)


def test_a_late_entry_is_told_until_it_runs(watched):
    watched.state = replace(watched.state, beat=entry(late=100.0))
    assert not watched.look()
    watched.state = replace(watched.state, beat=entry(late=130.0))
    assert "is late by 2 minutes 10 seconds" in watched.look()["beat/nightly"].sentence
    watched.state = replace(watched.state, beat=entry(late=None))
    assert not watched.look()


def test_what_was_missed_is_told_when_it_is_late_enough_however_often(watched):
    watched.state = replace(watched.state, beat=entry(late=100.0, missed=9, last=100.0))
    assert not watched.look()
    tuned(watched, beat=FindingSettings(after=90.0))
    assert watched.look()["beat/nightly"].tally == "missed 9 times"
    watched.restart()
    assert watched.look()


def test_an_entry_that_is_switched_off_is_never_late(watched):
    watched.state = replace(watched.state, beat=entry(late=9999.0, enabled=False))
    assert not watched.look()


# -- stages ---------------------------------------------------------------------------------------------------------


def busy(watched, minutes, leak=0, rate=20):
    """Let tasks be received and end, and some vanish."""
    under_way = []
    for _ in range(minutes):
        under_way += [watched.task(TaskState.RECEIVED) for _ in range(rate)]
        while len(under_way) > 5:
            watched.task(TaskState.SUCCESS, uuid=under_way.pop(0), runtime=1.0)
        for _ in range(leak):
            watched.task(TaskState.RECEIVED)
        watched.wait(60)


def test_tasks_that_vanish_between_stages_are_told(watched):
    busy(watched, 40, leak=2)
    assert "received minus finished does not return to zero" in watched.found["stages/shop.mail"].sentence
    for uuid in list(watched.tasks):
        watched.task(TaskState.SUCCESS, uuid=uuid)
    assert not watched.look()


def test_a_busy_task_that_never_rests_is_let_be(watched):
    busy(watched, 70)
    assert not watched.found


def test_more_traffic_has_more_under_way(watched):
    for minute in range(60):
        for _ in range(minute):
            watched.task(TaskState.SUCCESS, runtime=60.0)
        while len(watched.tasks) < minute:
            watched.task(TaskState.RECEIVED)
        watched.wait(60)
        assert "stages/shop.mail" not in watched.found


def test_tasks_that_wait_for_their_eta_are_not_due(watched):
    for _ in range(40):
        watched.task(TaskState.RECEIVED, eta=watched.now + 9 * HOUR)
        watched.task(TaskState.SUCCESS)
        watched.wait(60)
    assert not watched.found


def test_what_is_left_on_an_idle_worker_is_told(watched):
    watched.task(TaskState.RECEIVED)
    assert not watched.wait(HOUR, step=30.0)  # its worker runs something, behind which it may wait
    watched.up("celery@one", active=0)
    assert "stages/shop.mail" in watched.wait(60)


# -- gaps -----------------------------------------------------------------------------------------------------------


def test_a_gap_is_told_for_a_while(watched):
    watched.state = replace(watched.state, gaps=(Gap(watched.now - 90, watched.now, "the connection was lost", 12),))
    finding = watched.look()["gaps"]
    assert finding.sentence.startswith("12 events were lost in 1 minute 30 seconds until 2023-11-14")
    assert (finding.severity, finding.path) == (Severity.INFO, "/clusters/shop")
    assert not watched.wait(610)


def test_a_gap_in_which_nothing_was_lost_is_none(watched):
    watched.state = replace(watched.state, gaps=(Gap(watched.now - 90, watched.now, "the connection was lost", 0),))
    assert not watched.look()


# -- all of them ----------------------------------------------------------------------------------------------------


def test_a_detector_is_tuned_or_switched_off(watched):
    watched.fail()
    assert watched.look()[CHARGE].severity is Severity.WARNING
    tuned(watched, failures=FindingSettings(severity=Severity.CRITICAL))
    assert watched.look()[CHARGE].severity is Severity.CRITICAL
    tuned(watched, failures=FindingSettings(skip=("shop.ch*",)))
    assert not watched.look()
    tuned(watched, failures=FindingSettings(on=False))
    assert not watched.look()


def test_of_many_findings_the_worst_and_oldest_are_kept():
    made = [
        Finding(
            detector="failures",
            rest=str(number),
            since=float(number),
            severity=Severity.CRITICAL if number == 900 else Severity.WARNING,
            sentence="",
            details="x" * 1000,
        )
        for number in range(1000)
    ]
    kept = bounded(made)
    assert [finding.rest for finding in kept[:2]] == ["900", "0"]
    assert len(kept) == MOST
    assert sum(len(finding.details) for finding in kept) == 100_000


def test_names_without_end_take_bounded_memory(watched):
    for number in range(5000):
        watched.fail(name=f"task-{number}")
        watched.task(TaskState.LOST, f"task-{number}")
    assert len(watched.look()) == MOST
    assert len(watched.memory.usual) <= 2000
    assert len(watched.memory.failures) <= 1000
    assert len(watched.memory.lost) <= 500


@pytest.mark.parametrize("stored", [None, b"", b"\xc1", b"\x81\xa7version\x63", b"\x80trash"])
def test_a_memory_that_cannot_be_read_is_an_empty_one(stored):
    assert recalled(stored).failures == {}
