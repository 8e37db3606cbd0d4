"""Keys over a real bus: what the broker sees, what strangers can do, and how one key takes another's place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count

import pytest
import redis

from nightowl.adapters.celery_bus.app import REPORT, BrokerSettings, check_queue, make_app, queue
from nightowl.adapters.celery_bus.packing import FRESH, pack_report
from nightowl.adapters.celery_bus.receiver import Received
from nightowl.adapters.clock import SystemClock
from nightowl.core.values import Report, Target
from tests.services.bus_parts import CLOCK, KEY, OTHER_KEY, Intake, acting, batch, directing, ring, wait_for

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Celery leaves sockets open

MEMORY = BrokerSettings(url="memory://")
NUMBERS: Iterator[int] = count()


@pytest.fixture
def location() -> str:
    """A name that no other test has used: the embedded broker is one for the process."""
    return f"keyed-{next(NUMBERS)}"


@pytest.mark.parametrize(
    ("director", "actor"),
    [([KEY, OTHER_KEY], [OTHER_KEY]), ([KEY], [OTHER_KEY, KEY])],
)
def test_one_key_in_common_is_enough(director: list, actor: list, location: str) -> None:
    with acting(MEMORY, [location], keys=actor) as acted, directing(MEMORY, [location], keys=director) as bus:
        bus.dispatch(batch("1.1", location))
        Intake(bus).wait_for(outcomes=3)
        assert acted.garbage.kinds == {}


def test_a_key_is_replaced_actor_by_actor_without_a_lost_batch(location: str) -> None:
    numbers = count(1)

    def rounds(bus, intake: Intake, more: int = 10) -> None:
        before = len(intake.outcomes)
        for _ in range(more):
            bus.dispatch(batch(f"1.{next(numbers)}", location, jobs=2))
        intake.wait_for(outcomes=before + 2 * more)

    with ExitStack() as old, ExitStack() as new:
        actors = [old.enter_context(acting(MEMORY, [location], keys=[OTHER_KEY], name="old"))]
        with directing(MEMORY, [location], keys=[KEY, OTHER_KEY]) as bus:
            intake = Intake(bus)
            rounds(bus, intake)
            actors.append(new.enter_context(acting(MEMORY, [location], keys=[KEY], name="new")))
            rounds(bus, intake)
            old.close()
            rounds(bus, intake)
        with directing(MEMORY, [location], keys=[KEY]) as bus:
            rounds(bus, Intake(bus))
        assert [actor.garbage.kinds for actor in actors] == [{}, {}]


@pytest.mark.redis
def test_the_broker_holds_nothing_that_can_be_read(redis_url: str) -> None:
    settings = BrokerSettings(url=redis_url)
    target = Target(
        kind="http", url="http://shop.example/h0nk", headers={"X-Goose": "h0nk"}, body="h0nk", bearer="h0nk"
    )
    with directing(settings) as bus, redis.Redis.from_url(redis_url) as client:
        bus.dispatch(batch("1.1", target=target))
        wait_for(lambda: client.llen(check_queue("london")) == 1)
        (message,) = client.lrange(check_queue("london"), 0, -1)
        for word in (b"h0nk", b"aDBua", b"gwbm", b"MG5r", b"shop", b"check-0"):
            assert word not in message
        with acting(settings) as actor:
            Intake(bus).wait_for(outcomes=3)
            assert actor.garbage.kinds == {}


def test_a_report_that_a_stranger_made_up_is_not_believed(location: str) -> None:
    forged = Report(actor="mallory", location=location, sent=CLOCK.now())
    now = CLOCK.now()
    stranger = make_app(MEMORY)
    with directing(MEMORY, [location]) as bus, acting(MEMORY, [location]):
        for keyring in (ring(), ring(OTHER_KEY)):
            data = pack_report(forged, keyring, number=1, issued=now, expires=now + 60)
            stranger.send_task(REPORT, data, queue=queue(REPORT))
        receiver = bus.brokers[0]._receiver
        assert receiver is not None
        wait_for(lambda: receiver.garbage.count >= 2, what=lambda: receiver.garbage.kinds)
        intake = Intake(bus)
        bus.dispatch(batch("1.1", location))
        intake.wait_for(outcomes=3)
        assert "mallory" not in intake.actors
    stranger.close()


class WrongClock(SystemClock):
    """A clock that is so many seconds ahead."""

    def __init__(self, ahead: float) -> None:
        self._ahead = ahead

    def now(self) -> float:
        return super().now() + self._ahead


@pytest.mark.parametrize("ahead", [-7 * 86400.0, 7 * 86400.0])
def test_outcomes_of_an_actor_whose_clock_is_wrong_count(location: str, ahead: float) -> None:
    with acting(MEMORY, [location], clock=WrongClock(ahead)) as actor, directing(MEMORY, [location]) as bus:
        bus.dispatch(batch("1.1", location))
        intake = Intake(bus)

        def heard() -> list[Received]:
            """What this test's actor said: reports to other tests may be left in the embedded broker."""
            intake.take()
            return [received for received in intake.received if received.report.location == location]

        wait_for(lambda: sum(len(received.report.outcomes) for received in heard()) == 3)
        wait_for(lambda: any(not received.report.outcomes for received in heard()))
        assert all(received.fresh for received in heard())
        assert actor.garbage.kinds == {}


def test_a_beat_that_was_kept_is_no_sign_of_life_later(location: str) -> None:
    beat = Report(actor="dead", location=location, sent=CLOCK.now())
    stranger = make_app(MEMORY)
    with directing(MEMORY, [location]) as bus:
        for age, number in ((5.0, 1), (90.0, 2)):
            issued = CLOCK.now() - age
            data = pack_report(beat, ring(KEY), number=number, issued=issued, expires=issued + FRESH)
            stranger.send_task(REPORT, data, queue=queue(REPORT))
        receiver, intake = bus.brokers[0]._receiver, Intake(bus)
        assert receiver is not None
        wait_for(lambda: intake.take() or "dead" in intake.actors)
        wait_for(lambda: "a report that has expired" in receiver.garbage.kinds)
        assert [received.fresh for received in intake.received if received.report.actor == "dead"] == [True]
    stranger.close()
