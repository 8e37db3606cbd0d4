from contextlib import closing
from queue import Queue
from threading import Event
from time import time

from msgspec.structs import replace

from nightowl.adapters.clock import SystemClock
from nightowl.core.telling import Telling
from nightowl.core.values import Change, Notice, Route
from nightowl.flows.notify import Notifier, Plan
from nightowl.flows.tell import tell
from nightowl.roles.notifier import ThreadLanes
from nightowl.testing.store import memory_store


def test_a_slow_lane_holds_up_no_other() -> None:
    lanes, let_go, done = ThreadLanes(), Event(), Event()
    lanes.run("slow", lambda: let_go.wait() and None)
    lanes.run("quick", done.set)
    assert done.wait(30)
    assert "slow" in lanes.busy()
    let_go.set()
    lanes.join(30)
    assert not lanes.busy()


def test_waiting_for_a_lane_that_hangs_ends() -> None:
    lanes, let_go = ThreadLanes(), Event()
    lanes.run("slow", lambda: let_go.wait() and None)
    lanes.join(0.01)
    assert lanes.busy()
    let_go.set()
    lanes.join(30)


def test_a_receiver_that_hangs_keeps_no_other_channel_waiting(incident) -> None:
    let_go, taken = Event(), Queue()

    class Hanging:
        def send(self, notice: Notice) -> None:
            let_go.wait()

    class Quick:
        def send(self, notice: Notice) -> None:
            taken.put(notice.key)

    telling = Telling(routes=[Route(name="r", to=("hanging", "quick"))])
    plan = Plan(channels={"hanging": Hanging(), "quick": Quick()}, telling=telling)
    lanes = ThreadLanes()
    with closing(memory_store()) as store:
        notifier = Notifier(store, SystemClock(), lambda: plan, holder="one", lanes=lanes)
        for number in "12":
            opened = replace(incident, id=number)
            with store.transaction() as unit:
                tell(unit, [Change(event="opened", incident=opened, at=1.0, text="")], plan.telling, time())
            while notifier.step():
                pass
            assert taken.get(timeout=30) == f"{number}/firing/quick"
            while "quick" in lanes.busy():
                lanes.join(0.01)
        let_go.set()
        lanes.join(30)
        assert not lanes.busy()
