"""Rounds, outcomes and verdicts."""

from __future__ import annotations

import pytest

from nightowl.core.values import (
    Attempt,
    Certificate,
    CheckState,
    DayCount,
    Outcome,
    Phases,
    Place,
    Round,
    State,
    Verdict,
)
from nightowl.ports import CheckFilter, Store, StoredCheck, Ticket

DUE = 1_790_000_000.123
DAY = 86_400


def attempt(state: State = State.UP, *, duration: float = 0.25, reason: str = "") -> Attempt:
    return Attempt(
        state=state,
        started=DUE + 0.0000017,
        duration=duration,
        phases=Phases(dns=0.001, connect=0.002, first_byte=0.1),
        status=200,
        address="192.0.2.1",
        reason=reason,
        detail="ünïcode ✓ 🦉",
    )


def outcome(check: str = "shop", due: float = DUE, location: str = "london", **changes: object) -> Outcome:
    values: dict[str, object] = {"state": State.UP, "attempts": (attempt(State.DOWN), attempt()), "kept": 1}
    return Outcome(check=check, due=due, location=location, actor="actor-1", **(values | changes))


def verdict(check: str = "shop", due: float = DUE, state: State = State.UP) -> Verdict:
    places = (Place(location="london", state=state, duration=0.25, phases=Phases(dns=0.001)),)
    return Verdict(check=check, due=due, closed=due + 0.9, state=state, places=places, dissent=("oslo",), duration=0.25)


def state_of(last: Verdict) -> CheckState:
    return CheckState(check=last.check, verdict=last.state, since=last.due, last=last, strip="u")


def test_a_round_has_its_outcomes_with_all_attempts_by_location(store: Store) -> None:
    outcomes = [outcome(location="paris"), outcome(location="london", attempts=(), kept=None, state=State.UNKNOWN)]
    with store.transaction() as unit:
        unit.rounds.add_outcomes(outcomes)
    with store.read() as unit:
        assert unit.rounds.outcomes("shop", DUE) == outcomes[::-1]


def test_the_same_outcome_twice_has_no_effect(store: Store) -> None:
    other = outcome(state=State.DOWN, attempts=(attempt(State.DOWN),), kept=0)
    with store.transaction() as unit:
        unit.rounds.add_outcomes([outcome(), other])
    with store.transaction() as unit:
        unit.rounds.add_outcomes([other])
    with store.read() as unit:
        assert unit.rounds.outcomes("shop", DUE) == [outcome()]


def test_late_outcomes_are_kept_and_known_as_late(store: Store) -> None:
    with store.transaction() as unit:
        unit.rounds.add_outcomes([outcome(location="london")])
        unit.rounds.add_outcomes([outcome(location="paris")], late=True)
    with store.read() as unit:
        assert unit.rounds.late("shop", DUE) == {"paris"}
        assert len(unit.rounds.outcomes("shop", DUE)) == 2


def test_a_range_has_the_newest_outcomes_with_the_kept_attempt(store: Store) -> None:
    certificate = Certificate(subject="CN=shop", issuer="CN=ca", not_before=1.0, not_after=DUE + 9.5)
    kept = Attempt(state=State.UP, started=DUE, duration=0.1, certificate=certificate, excerpt="<html>")
    with store.transaction() as unit:
        unit.rounds.add_outcomes(
            [outcome(due=DUE + minute * 60, location=name) for minute in range(5) for name in ("paris", "london")]
        )
        unit.rounds.add_outcomes([outcome(due=DUE + 300, attempts=(attempt(State.DOWN), kept))])
    with store.read() as unit:
        found = unit.rounds.outcome_range("shop", DUE + 60, DUE + 300, 4)
    assert [(item.due, item.location) for item in found] == [
        (DUE + 180, "paris"),
        (DUE + 240, "london"),
        (DUE + 240, "paris"),
        (DUE + 300, "london"),
    ]
    assert found[0].attempts == (attempt(),)
    assert found[0].figure == attempt()
    figure = found[-1].figure
    assert figure is not None
    assert figure.certificate is not None
    assert figure.certificate.not_after == DUE + 9.5


def test_votes_are_what_came_in_time_for_these_rounds(store: Store) -> None:
    with store.transaction() as unit:
        unit.rounds.add_outcomes([outcome(location="paris"), outcome(location="london"), outcome("cart", DUE + 1)])
        unit.rounds.add_outcomes([outcome(due=DUE + 1), outcome("other", DUE + 1)])
        unit.rounds.add_outcomes([outcome(location="oslo")], late=True)
    asked = [Round(DUE + 1, "cart"), Round(DUE, "shop"), Round(DUE + 2, "shop"), Round(DUE, "never heard of")]
    with store.read() as unit:
        found = unit.rounds.votes(asked)
        assert unit.rounds.votes([]) == []
    assert [(item.check, item.due, item.location) for item in found] == [
        ("shop", DUE, "london"),
        ("shop", DUE, "paris"),
        ("cart", DUE + 1, "london"),
    ]
    assert {item.attempts for item in found} == {(attempt(),)}
    assert {item.state for item in found} == {State.UP}


def test_votes_of_many_rounds_come_once_each(store: Store) -> None:
    many = [outcome(f"check-{number % 300}", DUE + number // 300) for number in range(1500)]
    with store.transaction() as unit:
        unit.rounds.add_outcomes(many)
    with store.read() as unit:
        found = unit.rounds.votes([item.round for item in many])
    assert len(found) == len(many)
    assert {item.round for item in found} == {item.round for item in many}


def test_a_closed_round_has_its_verdict_and_the_check_its_state(store: Store) -> None:
    first, second = verdict(), verdict(due=DUE + 60, state=State.DOWN)
    with store.transaction() as unit:
        unit.rounds.close([second, first], [state_of(second)])
    with store.read() as unit:
        assert unit.rounds.verdicts("shop", 0, DUE + 60, 10) == [first, second]
        assert unit.rounds.verdicts("shop", DUE, DUE + 60, 10) == [second]
        assert unit.rounds.verdicts("shop", 0, DUE + 60, 1) == [second]
        assert unit.rounds.state("shop") == state_of(second)
        assert unit.rounds.states() == [state_of(second)]
        assert unit.rounds.state("other") is None


def test_only_verdicts_that_are_new_count_for_their_day(store: Store) -> None:
    day = int(DUE // DAY)
    rounds = [verdict(), verdict(due=DUE + 60, state=State.DOWN), verdict(due=DUE + DAY)]
    with store.transaction() as unit:
        unit.rounds.close(rounds[:1], [])
    with store.transaction() as unit:
        unit.rounds.close([*rounds, rounds[1]], [])
    with store.read() as unit:
        assert unit.rounds.days("shop", day - 1, day + 1) == [
            DayCount(check="shop", day=day, up=1, down=1),
            DayCount(check="shop", day=day + 1, up=1),
        ]
        assert unit.rounds.days("shop", day + 1, day + 400) == [DayCount(check="shop", day=day + 1, up=1)]


def test_closed_tells_which_rounds_have_a_verdict(store: Store) -> None:
    many = [verdict(due=DUE + minute * 60) for minute in range(900)]
    with store.transaction() as unit:
        unit.rounds.close(many, [])
    with store.read() as unit:
        assert unit.rounds.closed([Round(DUE - 60, "shop"), Round(DUE, "other")]) == set()
        assert unit.rounds.closed([item.round for item in many]) == {item.round for item in many}


def test_closing_rounds_appends_one_item_to_the_feed(store: Store) -> None:
    with store.transaction() as unit:
        unit.rounds.close([verdict("a"), verdict("b")], [])
        unit.rounds.close([verdict("c")], [])
    with store.read() as unit:
        assert [(item.kind, item.subject) for item in unit.feed.after(0, 10)] == [("verdict", "")]


def test_tickets_stay_in_order_until_they_are_finished(store: Store) -> None:
    tickets = [Ticket(id=name, rounds=(Round(DUE, "shop"), Round(DUE + 1, "cart"))) for name in ("z", "a", "m")]
    with store.transaction() as unit:
        assert unit.rounds.scheduled_until() is None
        for ticket in tickets:
            unit.rounds.dispatch(ticket, DUE)
        unit.rounds.dispatch(tickets[0], DUE + 5)
        unit.rounds.finish(["a", "unheard"])
        unit.rounds.finish([])
    with store.read() as unit:
        assert unit.rounds.open_tickets() == [tickets[0], tickets[2]]
        assert unit.rounds.scheduled_until() == DUE + 5


def test_a_check_that_was_removed_has_no_past_when_it_is_defined_again(store: Store) -> None:
    check = StoredCheck(name="shop", origin="stored", paused=False, spec={"url": "http://shop"})
    for _ in range(2):
        with store.transaction() as unit:
            unit.checks.put(check)
            unit.rounds.add_outcomes([outcome()])
            unit.rounds.close([verdict()], [state_of(verdict())])
        with store.transaction() as unit:
            assert unit.checks.remove("shop")
            unit.checks.put(check)
        with store.read() as unit:
            assert unit.rounds.outcomes("shop", DUE) == []
            assert unit.rounds.closed([Round(DUE, "shop")]) == set()
            assert unit.rounds.state("shop") is None
            assert unit.checks.page(CheckFilter(state="new"), 0, 1).total == 1


def write_then_fail(store: Store) -> None:
    with store.transaction() as unit:
        unit.rounds.add_outcomes([outcome("ghost", location="nowhere")])
        raise KeyboardInterrupt


def test_numbers_learned_in_a_transaction_that_failed_are_forgotten(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt):
        write_then_fail(store)
    with store.transaction() as unit:
        unit.rounds.add_outcomes([outcome("other", location="elsewhere")])
    with store.transaction() as unit:
        unit.rounds.add_outcomes([outcome("ghost", location="nowhere")])
    with store.read() as unit:
        assert [item.location for item in unit.rounds.outcomes("ghost", DUE)] == ["nowhere"]
        assert [item.location for item in unit.rounds.outcomes("other", DUE)] == ["elsewhere"]


def test_a_character_that_a_database_cannot_hold_loses_no_outcome(store: Store) -> None:
    broken = Attempt(state=State.DOWN, started=DUE, duration=0.1, detail="ends with \0", excerpt="\0")
    with store.transaction() as unit:
        unit.rounds.add_outcomes([outcome(attempts=(broken,), kept=0)])
    with store.read() as unit:
        assert unit.rounds.outcomes("shop", DUE)[0].attempts == (broken,)
        figure = unit.rounds.outcome_range("shop", 0, DUE, 1)[0].figure
    assert figure is not None
    assert figure.detail in ("ends with \0", "ends with \N{REPLACEMENT CHARACTER}")


def test_the_newest_of_two_states_in_one_call_stays(store: Store) -> None:
    with store.transaction() as unit:
        unit.rounds.close([], [state_of(verdict(state=State.DOWN)), state_of(verdict())])
    with store.read() as unit:
        assert unit.rounds.state("shop") == state_of(verdict())
