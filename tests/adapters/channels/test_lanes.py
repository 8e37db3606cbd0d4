from threading import Event

from nightowl.adapters.channels.lanes import ThreadLanes


def test_a_slow_lane_holds_up_no_other() -> None:
    lanes, let_go, done = ThreadLanes(), Event(), Event()
    lanes.run("slow", lambda: let_go.wait() and None)
    lanes.run("quick", done.set)
    assert done.wait(30)
    assert "slow" in lanes.busy()
    let_go.set()
    assert lanes.join(30)
    assert not lanes.busy()


def test_waiting_for_a_lane_that_hangs_ends() -> None:
    lanes, let_go = ThreadLanes(), Event()
    lanes.run("slow", lambda: let_go.wait() and None)
    assert not lanes.join(0.01)
    let_go.set()
    assert lanes.join(30)
