"""Who is there, who fell silent, who is offline, whose clock is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from nightowl.core.roster import DESERTED, GIVEN_UP, MOST_ACTORS, SILENT, WARM_UP, Roster
from nightowl.core.values import ActorSeen, Report

LONDON = ("london",)


class Heard:
    """A roster whose actors beat every second while they are named."""

    def __init__(self) -> None:
        self.now = 0.0
        self.roster = Roster(0.0)

    def listen(self, seconds: float, *names: str, location: str = "london", **keys: Any) -> None:
        for _ in range(round(seconds)):
            self.now += 1.0
            for name in names:
                sent = self.now + keys.pop("skew", 0.0)
                self.say(name, location, sent=sent, **keys)

    def say(self, name: str, location: str = "london", sent: float | None = None, **keys: Any) -> None:
        report = Report(actor=name, location=location, sent=self.now if sent is None else sent, **keys)
        self.roster.hear(report, self.now)

    @property
    def silent(self) -> list[str]:
        return [actor.name for actor in self.roster.silent(self.now)]


@pytest.fixture
def heard() -> Heard:
    return Heard()


def test_an_actor_that_falls_silent_is_named_until_it_is_heard_again(heard: Heard) -> None:
    heard.listen(30, "a.1", "b.1")
    heard.listen(SILENT, "b.1")
    assert heard.silent == []
    heard.listen(1, "b.1")
    assert heard.silent == ["a.1"]
    heard.listen(1, "a.1", "b.1")
    assert heard.silent == []


def test_one_that_said_goodbye_is_not_missed(heard: Heard) -> None:
    heard.listen(30, "a.1", "b.1")
    heard.say("a.1", leaving=True)
    heard.listen(60, "b.1")
    assert heard.silent == []
    assert [each.name for each in heard.roster.seen(heard.now)] == ["b.1"]


def test_a_copy_of_a_goodbye_does_not_make_a_location_look_served(heard: Heard) -> None:
    heard.listen(30, "a.1")
    for _ in range(round(DESERTED) + 1):
        heard.say("a.1", leaving=True)
        heard.listen(1)
    assert heard.roster.deserted(LONDON, heard.now) == {"london": 30.0}


def test_one_that_was_started_again_is_not_missed(heard: Heard) -> None:
    """Its machine runs another process for the same location, which began after it had ended."""
    heard.listen(30, "host.1", "host.2")
    heard.listen(2, "host.2")
    heard.listen(60, "host.2", "host.3")
    assert heard.silent == []
    heard.roster.forget(heard.now)
    assert [each.name for each in heard.roster.seen(heard.now)] == ["host.2", "host.3"]


def test_one_that_another_machine_outlives_is_missed(heard: Heard) -> None:
    heard.listen(30, "a.1")
    heard.listen(15, "b.2")
    assert heard.silent == ["a.1"]


def test_one_that_is_heard_elsewhere_is_missed_where_it_is_silent(heard: Heard) -> None:
    """Another location's key is enough to claim its name there."""
    heard.listen(30, "a.1")
    heard.say("a.1", "tokyo")
    heard.listen(30, "a.1")
    assert [(actor.name, actor.location) for actor in heard.roster.silent(heard.now)] == [("a.1", "tokyo")]
    assert [each.silent for each in heard.roster.seen(heard.now)] == [None, 30.0]


def test_one_is_replaced_only_at_its_own_location(heard: Heard) -> None:
    heard.listen(30, "host.1")
    heard.listen(30, "host.2", location="tokyo")
    assert heard.silent == ["host.1"]


def test_a_location_has_room_for_so_many_actors_and_no_other_location_suffers(heard: Heard) -> None:
    heard.now = 20.0
    for number in range(MOST_ACTORS):
        heard.say(f"ghost-{number}.1", "tokyo")
    beat = Report(actor="one-more.1", location="tokyo", sent=20.0)
    assert heard.roster.hear(beat, 20.0) is None
    assert heard.roster.crowded() == {"tokyo": 20.0}
    heard.say("a.1")
    assert len(heard.roster.seen(20.0)) == MOST_ACTORS + 1
    heard.roster.forget(20.0 + GIVEN_UP)
    assert heard.roster.crowded() == {}
    assert heard.roster.hear(beat, 20.0 + GIVEN_UP)


def test_a_silent_actor_is_given_up_in_the_end(heard: Heard) -> None:
    heard.listen(30, "a.1")
    heard.listen(GIVEN_UP - 1, "b.1")
    heard.roster.forget(heard.now)
    assert heard.silent == ["a.1"]
    heard.listen(1, "b.1")
    heard.roster.forget(heard.now)
    assert heard.silent == []


def test_nobody_is_missed_while_nobody_can_be_heard(heard: Heard) -> None:
    heard.listen(30, "a.1")
    for _ in range(300):
        heard.now += 1.0
        heard.roster.deaf("london", heard.now)
    assert heard.silent == []
    assert heard.roster.deserted(LONDON, heard.now) == {}
    assert not heard.roster.hears(heard.now)
    heard.listen(WARM_UP + SILENT + 1)
    assert heard.roster.hears(heard.now)
    assert heard.silent == ["a.1"]


def test_a_location_that_nobody_serves_is_deserted(heard: Heard) -> None:
    heard.listen(WARM_UP + DESERTED)
    assert heard.roster.deserted(LONDON, heard.now) == {}
    heard.listen(1)
    assert heard.roster.deserted(LONDON, heard.now) == {"london": WARM_UP}
    heard.listen(1, "a.1")
    assert heard.roster.deserted(LONDON, heard.now) == {}


def test_a_location_is_deserted_sooner_where_somebody_was_heard(heard: Heard) -> None:
    heard.listen(60, "a.1")
    heard.say("a.1", leaving=True)
    heard.listen(DESERTED + 1)
    assert heard.roster.deserted(LONDON, heard.now) == {"london": 60.0}


def test_a_location_is_offline_while_a_living_actor_says_so(heard: Heard) -> None:
    heard.listen(30, "a.1", "b.1")
    heard.say("a.1", offline=True)
    heard.say("b.1")
    since = heard.now
    heard.now += 1.0
    heard.say("a.1", offline=True)
    assert heard.roster.offline(heard.now) == {"london": since}
    heard.say("a.1")
    assert heard.roster.offline(heard.now) == {}
    heard.say("a.1", offline=True)
    heard.listen(SILENT + 1, "b.1")
    assert heard.roster.offline(heard.now) == {}


def test_a_successor_misses_whom_its_predecessor_heard(heard: Heard) -> None:
    heard.listen(30, "a.1", "b.1")
    successor = Roster(heard.now)
    successor.restore(heard.roster.seen(heard.now), heard.now)
    assert [each.name for each in successor.seen(heard.now)] == ["a.1", "b.1"]
    assert successor.silent(heard.now + WARM_UP + SILENT) == []
    silent = successor.silent(heard.now + WARM_UP + SILENT + 1)
    assert [actor.name for actor in silent] == ["a.1", "b.1"]


def test_whom_a_predecessor_heard_long_ago_is_forgotten() -> None:
    roster = Roster(10_000.0)
    roster.restore([ActorSeen(name="a.1", location="london", since=0.0, heard=10_000.0 - GIVEN_UP)], 10_000.0)
    assert roster.seen(10_000.0) == []


def test_wrong_clocks_are_told_of_living_actors(heard: Heard) -> None:
    for _ in range(10):
        heard.now += 1.0
        heard.say("a.1", sent=heard.now + 40.0)
        heard.say("b.1", sent=heard.now - 0.1)
    assert [(actor.name, skew) for actor, skew in heard.roster.skewed(2.0, heard.now)] == [("a.1", 40.0)]
    assert heard.roster.skewed(2.0, heard.now + SILENT + 1) == []
