"""The engine's promises: done comes once and in time, whatever the attempt does, from whatever thread it came."""

import threading
import time

import pytest

from nightowl.adapters.probes import engine as engine_module
from nightowl.adapters.probes import thread_engine
from nightowl.core.values import Attempt, Policy, State, Target

ANYWHERE = Policy(reach="any")
UP = Attempt(state=State.UP, started=0.0, duration=0.0)


class Results:
    """Collects attempts until as many have come as were awaited."""

    def __init__(self, awaited):
        self.attempts = []
        self._awaited = awaited
        self._all = threading.Event()

    def add(self, attempt):
        self.attempts.append(attempt)
        if len(self.attempts) >= self._awaited:
            self._all.set()

    def wait(self):
        assert self._all.wait(30)
        return self.attempts


@pytest.fixture
def made():
    engines = []

    def make(**probes):
        engine = thread_engine(probes)
        engine.start()
        engines.append(engine)
        return engine

    yield make
    for engine in engines:
        engine.stop()


def target(kind="scripted", **fields):
    return Target(kind=kind, url=fields.pop("url", f"{kind}://target:1"), **fields)


def test_attempts_may_be_submitted_from_many_threads(made, faults):
    engine = made()
    url = f"http://127.0.0.1:{faults.serve('fine')}/"
    results = Results(200)

    def submit():
        for _ in range(25):
            engine.submit(target("http", url=url), ANYWHERE, 10.0, results.add)

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()

    assert {attempt.state for attempt in results.wait()} == {State.UP}
    for thread in threads:
        thread.join()
    assert len(results.attempts) == 200


def test_an_attempt_can_be_submitted_from_done(made, faults):
    engine = made()
    http = target("http", url=f"http://127.0.0.1:{faults.serve('fine')}/")
    results = Results(50)

    def again(attempt):
        results.add(attempt)
        if len(results.attempts) < 50:
            engine.submit(http, ANYWHERE, 10.0, again)

    engine.submit(http, ANYWHERE, 10.0, again)
    results.wait()


def test_a_broken_callback_does_not_end_the_engine(made, caplog):
    engine = made(scripted=lambda target, deadline, connect: UP)
    results = Results(1)

    engine.submit(target(), ANYWHERE, 5.0, lambda attempt: 1 / 0)
    engine.submit(target(), ANYWHERE, 5.0, results.add)

    assert results.wait() == [UP]


def test_a_probe_that_raises_says_nothing_of_the_target(made, caplog):
    def broken(target, deadline, connect):
        raise ValueError("a bug")

    engine = made(scripted=broken)
    results = Results(1)
    engine.submit(target(), ANYWHERE, 5.0, results.add)

    [attempt] = results.wait()
    assert (attempt.state, attempt.reason) == (State.UNKNOWN, "own.fault")


def test_a_kind_that_nobody_knows_is_our_own_fault(made):
    results = Results(1)
    made().submit(target("gopher"), ANYWHERE, 5.0, results.add)

    assert results.wait()[0].reason == "own.kind"


def test_a_probe_that_hangs_is_given_up_and_its_late_result_ignored(made):
    released, left = threading.Event(), threading.Event()

    def hanging(target, deadline, connect):
        released.wait(30)
        left.set()
        return UP

    engine = made(scripted=hanging)
    results = Results(1)
    began = time.monotonic()
    engine.submit(target(), ANYWHERE, 0.2, results.add)

    [attempt] = results.wait()
    assert (attempt.state, attempt.reason) == (State.UNKNOWN, "own.overdue")
    assert time.monotonic() - began >= 0.2
    released.set()
    assert left.wait(5)
    settled = threading.Event()
    engine.later(0.05, settled.set)
    assert settled.wait(5)
    assert len(results.attempts) == 1


def test_a_timeout_counts_from_the_submission_even_where_the_engine_is_full(made, faults, monkeypatch):
    monkeypatch.setattr(engine_module, "MAX_IN_FLIGHT", 64)
    engine = made()
    silent = f"http://127.0.0.1:{faults.serve('silent')}/"
    slow, brief = Results(64), Results(1)
    for _ in range(64):
        engine.submit(target("http", url=silent), ANYWHERE, 2.0, slow.add)

    engine.submit(target("http", url=silent), ANYWHERE, 0.2, brief.add)

    assert brief.wait()[0].reason == "own.busy"
    assert {attempt.reason for attempt in slow.wait()} == {"http.timeout_headers"}


def test_what_is_under_way_when_the_engine_stops_is_told_so(faults):
    engine = thread_engine({})
    engine.start()
    results = Results(2)
    silent = target("http", url=f"http://127.0.0.1:{faults.serve('silent')}/")
    engine.submit(silent, ANYWHERE, 30.0, results.add)
    engine.stop()
    engine.submit(silent, ANYWHERE, 30.0, results.add)

    assert [attempt.reason for attempt in results.wait()] == ["own.stopped", "own.stopped"]
    engine.stop()


def test_functions_are_called_later_in_the_order_of_their_time(made):
    engine = made()
    called, last = [], threading.Event()

    engine.later(0.1, lambda: (called.append("second"), last.set()))
    engine.later(0.02, lambda: called.append("first"))
    engine.later(0, lambda: called.append("at once"))

    assert last.wait(5)
    assert called == ["at once", "first", "second"]


def test_slow_targets_do_not_hold_up_the_others(made, faults):
    engine = made()
    silent, fine = (f"http://127.0.0.1:{faults.serve(name)}/" for name in ("silent", "fine"))
    hanging, healthy = Results(100), Results(100)
    for _ in range(100):
        engine.submit(target("http", url=silent), ANYWHERE, 20.0, hanging.add)
        engine.submit(target("http", url=fine), ANYWHERE, 20.0, healthy.add)

    assert {attempt.state for attempt in healthy.wait()} == {State.UP}
    assert hanging.attempts == []
    assert engine.in_flight == 100
