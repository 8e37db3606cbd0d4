"""What is on its way, what is held, and what is lost."""

from __future__ import annotations

from typing import Any

from nightowl.core.flight import SILENCE, Flights, OpenRound
from nightowl.core.values import Attempt, Batch, Check, Job, Outcome, Report, Round, State, Target

TARGET = Target(kind="http", url="http://shop.example/", timeout=2.0)


def opened(*locations: str, due: float = 0.0, deadline: float = 30.0, name: str = "shop") -> OpenRound:
    check = Check(name=name, target=TARGET, locations=locations)
    return OpenRound(check, Round(due, name), locations, deadline, "ticket")


def batch(id_: str, location: str, *rounds: OpenRound) -> Batch:
    jobs = tuple(Job(check=r.check.name, due=r.round.due, deadline=r.deadline, target=TARGET) for r in rounds)
    return Batch(id=id_, location=location, issued=0.0, expires=30.0, jobs=jobs)


def said(actor: str, location: str = "london", **keys: Any) -> Report:
    return Report(actor=actor, location=location, sent=0.0, **keys)


def up(of: OpenRound, location: str = "london") -> Outcome:
    attempt = Attempt(state=State.UP, started=of.round.due, duration=0.1)
    return Outcome(
        check=of.check.name, due=of.round.due, location=location, state=State.UP, attempts=(attempt,), kept=0
    )


def flying() -> tuple[Flights, OpenRound]:
    flights, one = Flights(0.0), opened("london")
    flights.open(one)
    flights.sent(batch("1", "london", one), 0.0)
    return flights, one


def test_a_round_closes_when_all_locations_have_reported() -> None:
    flights, one = Flights(0.0), opened("london", "tokyo")
    flights.open(one)
    flights.heard(said("a", outcomes=(up(one),)), 1.0)
    assert flights.closable(1.0) == []
    flights.heard(said("b", "tokyo", outcomes=(up(one, "tokyo"),)), 1.1)
    assert flights.closable(1.1) == [one]


def test_a_round_closes_at_its_deadline_and_stays_closable_until_that_is_stored() -> None:
    flights, one = flying()
    assert flights.closable(29.9) == []
    assert flights.closable(30.0) == [one]
    assert flights.closable(30.1) == [one]
    flights.forget([one], 30.2)
    assert flights.closable(31.0) == []


def test_an_old_report_brings_outcomes_and_is_no_sign_of_life() -> None:
    flights, one = flying()
    late = said("a", taken=("1",), holding=("1",), outcomes=(up(one),))
    assert flights.heard(late, 1.0, alive=False).votes == [up(one)]
    assert flights.roster.alive("london", 1.0) == []


def test_a_batch_whose_holder_beats_is_not_lost() -> None:
    flights, _ = flying()
    flights.heard(said("a", taken=("1",), holding=("1",)), 0.1)
    for second in range(1, 20):
        flights.heard(said("a", holding=("1",)), float(second))
        assert flights.lost(second + 0.5) == {}


def test_a_batch_whose_holder_falls_silent_is_sent_again_once() -> None:
    flights, one = flying()
    flights.heard(said("a", taken=("1",), holding=("1",)), 0.1)
    assert flights.lost(0.1 + SILENCE) == {}
    assert flights.lost(0.2 + SILENCE) == {"london": [one]}
    assert flights.lost(0.3 + SILENCE) == {}


def test_a_batch_that_its_holder_has_dropped_is_sent_again_at_once() -> None:
    flights, one = flying()
    flights.heard(said("a", taken=("1",), holding=("1",)), 0.1)
    flights.heard(said("a"), 0.5)
    assert flights.lost(0.5) == {"london": [one]}


def test_only_what_nobody_reported_is_sent_again() -> None:
    flights, one, two = Flights(0.0), opened("london"), opened("london", name="blog")
    for each in (one, two):
        flights.open(each)
    flights.sent(batch("1", "london", one, two), 0.0)
    flights.heard(said("a", taken=("1",), holding=("1",), outcomes=(up(one),)), 0.1)
    assert flights.lost(10.0) == {"london": [two]}


def test_a_batch_that_nobody_takes_waits_while_no_actor_is_alive() -> None:
    flights, _ = flying()
    assert flights.lost(20.0) == {}


def test_a_batch_that_nobody_takes_though_an_actor_lives_is_sent_again_once() -> None:
    flights, one = flying()
    flights.heard(said("a"), 4.0)
    assert flights.lost(4.1) == {"london": [one]}
    flights.sent(batch("2", "london", one), 4.1)
    flights.heard(said("a"), 8.0)
    assert flights.lost(8.1) == {}


def test_nothing_is_sent_again_when_no_attempt_would_fit() -> None:
    flights, _ = flying()
    flights.heard(said("a", taken=("1",), holding=("1",)), 0.1)
    assert flights.lost(28.5) == {}


def test_the_first_outcome_of_a_location_wins() -> None:
    flights, one = flying()
    first = up(one)
    assert flights.heard(said("a", outcomes=(first,)), 1.0).votes == [first]
    again = flights.heard(said("b", outcomes=(up(one),)), 1.1)
    assert again.votes == []
    assert again.late == []


def test_an_outcome_after_the_close_is_late_and_a_foreign_one_is_nothing() -> None:
    flights, one = flying()
    flights.closable(30.0)
    flights.forget([one], 30.0)
    assert flights.heard(said("a", outcomes=(up(one),)), 31.0).late == [up(one)]
    flights, one = flying()
    foreign = flights.heard(said("a", "tokyo", outcomes=(up(one, "tokyo"),)), 1.0)
    forged = flights.heard(said("a", "tokyo", outcomes=(up(one, "london"),)), 1.0)
    assert foreign.votes == foreign.late == forged.votes == forged.late == []


def test_a_location_whose_batch_outlived_its_round_untaken_is_told_until_one_is_taken() -> None:
    flights, one = flying()
    flights.closable(30.0)
    flights.forget([one], 30.0)
    assert flights.untaken == {"london": 30.0}
    flights.heard(said("a", taken=("9",)), 31.0)
    assert flights.untaken == {}


def test_what_another_director_sent_is_sent_again_unless_it_is_reported() -> None:
    flights, one, two = Flights(0.0), opened("london"), opened("london", name="blog")
    for each in (one, two):
        flights.open(each)
    flights.adopt("london", [one.round, two.round], 0.0)
    flights.heard(said("a", outcomes=(up(one),)), 1.0)
    flights.heard(said("a"), SILENCE + 0.5)
    assert flights.lost(SILENCE + 0.6) == {"london": [two]}


def test_a_round_that_a_predecessor_left_behind_does_not_tell_that_its_location_is_deserted() -> None:
    flights = Flights(100.0)
    left = opened("london", due=60.0, deadline=90.0)
    flights.open(left)
    flights.adopt("london", [left.round], 100.0)
    flights.forget(flights.closable(100.0), 100.0)
    assert flights.untaken == {}
