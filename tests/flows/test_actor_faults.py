"""What is told of actors that fell silent or whose clocks are wrong, whatever one location's key holder claims."""

from __future__ import annotations

from nightowl.core.flight import Flights
from nightowl.core.roster import MOST_ACTORS
from nightowl.core.values import Check, Outcome, Report, State, Target
from nightowl.flows.faults import KEYED, TOLD, Fault, Faults

CHECK = Check(name="shop", target=Target(kind="http", url="http://shop.example/"), locations=("london", "sydney"))


def beat(flights: Flights, location: str, actor: str, now: float, ahead: float = 0.0) -> None:
    flights.heard(Report(actor=actor, location=location, sent=now + ahead), now)


def told(flights: Flights, now: float) -> dict[str, Fault]:
    return Faults().current(flights, {}, {"shop": CHECK}, now)


def test_a_process_that_dies_at_all_its_locations_is_told_once() -> None:
    flights = Flights(0.0)
    for now in range(60):
        if now <= 30:
            beat(flights, "london", "host.1", now)
            beat(flights, "sydney", "host.1", now)
        beat(flights, "london", "other.1", now)
        beat(flights, "sydney", "other.1", now)
    (subject,) = told(flights, 60)
    assert subject == "actor/london/host.1"
    assert "at london, sydney fell silent" in told(flights, 60)[subject].summary


def test_a_death_is_told_though_another_location_claims_the_name() -> None:
    flights = Flights(0.0)
    for now in range(60):
        if now <= 30:
            beat(flights, "london", "host.1", now)
        beat(flights, "london", "other.1", now)
        beat(flights, "sydney", "host.1", now)
    assert list(told(flights, 60)) == ["actor/london/host.1"]


def test_a_wrong_clock_is_that_of_the_location_that_reports_it() -> None:
    flights = Flights(0.0)
    for now in range(60):
        beat(flights, "london", "host.1", now)
        beat(flights, "sydney", "host.1", now, ahead=1000.0)
    assert list(told(flights, 60)) == ["clock/sydney/host.1"]


def test_invented_actors_of_a_location_are_few_incidents_and_no_other_location_is_hidden() -> None:
    flights = Flights(0.0)
    for number in range(20_000):
        beat(flights, "sydney", f"ghost-{number}.1", 20)
    for now in range(20, 40):
        if now <= 25:
            beat(flights, "london", "host.1", now)
        beat(flights, "london", "other.1", now)
    found = told(flights, 40)
    assert len(found) == TOLD + 3
    assert found["location/sydney"].summary.startswith(f"location sydney has {MOST_ACTORS} actors")
    assert found["actors/sydney"].summary.startswith(f"{MOST_ACTORS - TOLD} more at sydney")
    assert "actor/london/host.1" in found


def test_the_results_of_an_actor_without_room_are_sorted_like_any_others() -> None:
    flights = Flights(0.0)
    for number in range(MOST_ACTORS):
        beat(flights, "sydney", f"ghost-{number}.1", 20)
    unasked = Outcome(check="shop", due=1.0, location="sydney", state=State.UNKNOWN, attempts=(), kept=None)
    found = flights.heard(Report(actor="late.1", location="sydney", sent=20.0, outcomes=(unasked,)), 20.0)
    assert dict(found.refused) == {"crowd": 1, "unasked": 1}


def test_reports_that_are_sealed_with_another_key_are_told_with_what_follows_and_end() -> None:
    flights, faults = Flights(0.0), Faults()
    for now in range(60):
        beat(flights, "london", "host.1", now)
        faults.foreign("sydney", now, now)
    faults.foreign("london", None, 60.0)
    found = faults.current(flights, {}, {"shop": CHECK}, 60.0)
    assert "sealed with another key than [location.sydney] key" in found["location/sydney"].summary
    assert "no actor of location sydney is heard" in found["location/sydney"].summary
    assert "location/london" not in found
    faults.foreign("sydney", 59.0, 59.0 + KEYED + 1)
    beat(flights, "sydney", "host.2", 120.0)
    assert "location/sydney" not in faults.current(flights, {}, {"shop": CHECK}, 120.0)
