"""Whatever actors report, in whatever order: a verdict is that of the first result of each location that was asked."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from nightowl.core.flight import Flights, OpenRound
from nightowl.core.plausible import fits_together, is_plausible
from nightowl.core.values import Attempt, Certificate, Check, Outcome, Phases, Report, Round, State, Target
from nightowl.core.verdict import decide

ASKED = ("london", "paris", "tokyo")
PLACES = (*ASKED, "mars")
DUES = (100.0, 160.0, 220.0)
CHECKS = ("shop", "blog", "made-up")
TARGET = Target(kind="http", url="http://shop.example/", timeout=2.0)


def outcome(check: str, due: float, location: str, state: State, attempts: int = 1) -> Outcome:
    made = tuple(Attempt(state=state, started=due, duration=0.1) for _ in range(attempts))
    return Outcome(check=check, due=due, location=location, state=state, attempts=made, kept=0)


OUTCOMES = st.builds(
    outcome,
    st.sampled_from(CHECKS),
    st.sampled_from(DUES),
    st.sampled_from(PLACES),
    st.sampled_from((State.UP, State.DOWN, State.DEGRADED, State.UNKNOWN)),
    st.integers(1, 4),
)
REPORTS = st.lists(st.tuples(st.sampled_from(PLACES), st.lists(OUTCOMES, max_size=6)), max_size=12)


def flights() -> Flights:
    """Two checks, each with a round that is closed and two that are open."""
    table = Flights(0.0)
    for name in CHECKS[:2]:
        check = Check(name=name, target=TARGET, locations=ASKED, attempts=3)
        for due in DUES:
            table.open(OpenRound(check, Round(due, name), ASKED, due + 30.0, "ticket"))
    table.forget([each for each in table.rounds.values() if each.round.due == DUES[0]], 130.0)
    return table


def expected(reports: list[tuple[str, list[Outcome]]]) -> dict[tuple[Round, str], Outcome]:
    """The first result of each location that was asked, from itself, of an open round, with as many attempts."""
    first: dict[tuple[Round, str], Outcome] = {}
    for location, outcomes in reports:
        for each in outcomes:
            asked = each.check in CHECKS[:2] and each.due in DUES[1:] and location in ASKED
            if asked and each.location == location and len(each.attempts) <= 3:
                first.setdefault((each.round, location), each)
    return first


@given(REPORTS)
def test_only_the_first_result_of_each_location_that_was_asked_counts(
    reports: list[tuple[str, list[Outcome]]],
) -> None:
    table = flights()
    told, late, refused = 0, 0, 0
    for number, (location, outcomes) in enumerate(reports):
        report = Report(actor=f"a.{number}", location=location, sent=230.0, outcomes=tuple(outcomes))
        found = table.heard(report, 230.0)
        told += len(found.votes)
        late += len(found.late)
        refused += found.refused.total()
    votes = expected(reports)
    assert told + late + refused == sum(len(outcomes) for _, outcomes in reports), "each is counted once"
    assert told == len(votes)
    assert late <= len(CHECKS[:2]) * len(ASKED), "a late one of each location at most"
    for opened in table.rounds.values():
        alone = {place: votes[opened.round, place] for place in ASKED if (opened.round, place) in votes}
        assert decide(opened.round, ASKED, opened.votes, None, 250.0) == decide(opened.round, ASKED, alone, None, 250.0)


@given(st.sets(st.sampled_from(ASKED)), st.sets(st.sampled_from(ASKED)))
def test_an_offline_location_neither_votes_nor_dissents(down: set[str], offline: set[str]) -> None:
    votes = {}
    for place in ASKED:
        each = outcome("shop", 100.0, place, State.DOWN if place in down | offline else State.UP)
        votes[place] = replace(each, state=State.UNKNOWN, offline=True) if place in offline else each
    without = {place: each for place, each in votes.items() if place not in offline}
    verdict = decide(Round(100.0, "shop"), ASKED, votes, None, 130.0)
    assert verdict.state is decide(Round(100.0, "shop"), ASKED, without, None, 130.0).state
    assert not offline & set(verdict.dissent)
    assert {place.location for place in verdict.places if place.offline} == offline
    if offline == set(ASKED):
        assert (verdict.state, verdict.reason) == (State.UNKNOWN, "own.offline")


GOOD = outcome("shop", 160.0, "london", State.UP)
(FINE,) = GOOD.attempts
PEER = Certificate(subject="a", issuer="b", not_before=0.0, not_after=1e9)


@pytest.mark.parametrize(
    "absurd",
    [
        replace(GOOD, kept=7),
        replace(GOOD, kept=-1),
        replace(GOOD, kept=None),
        replace(GOOD, attempts=(), kept=None),
        replace(GOOD, attempts=(), kept=0, state=State.UNKNOWN),
        replace(GOOD, state=State.DOWN),
        replace(GOOD, offline=True),
        replace(GOOD, offline=True, state=State.UNKNOWN),
        replace(GOOD, actor="x" * 1000),
        replace(GOOD, attempts=(FINE,) * 1000),
    ],
)
def test_an_outcome_that_no_attempts_lead_to_is_refused(absurd: Outcome) -> None:
    refusals(absurd)


@pytest.mark.parametrize(
    "attempt",
    [
        *(replace(FINE, duration=seconds) for seconds in (nan, inf, -1.0, 1e300)),
        *(replace(FINE, started=moment) for moment in (nan, inf, -inf, -1.0, 1e18)),
        *(replace(FINE, phases=Phases(connect=seconds)) for seconds in (nan, inf, -0.5)),
        replace(FINE, status=2**40),
        replace(FINE, status=-1),
        replace(FINE, detail="x" * 100_000),
        replace(FINE, excerpt="x" * 100_000),
        replace(FINE, reason="x" * 1000),
        replace(FINE, certificate=replace(PEER, not_after=nan)),
        replace(FINE, certificate=replace(PEER, not_before=-1e18)),
    ],
)
def test_numbers_and_texts_that_no_attempt_gives_are_refused(attempt: Attempt) -> None:
    refusals(replace(GOOD, attempts=(attempt,)))


def refusals(absurd: Outcome) -> None:
    assert fits_together(GOOD)
    assert not fits_together(absurd)
    table = flights()
    found = table.heard(Report(actor="a.1", location="london", sent=170.0, outcomes=(absurd, GOOD)), 170.0)
    assert dict(found.refused) == {"malformed": 1}
    assert found.votes == [GOOD]


@pytest.mark.parametrize(
    "report",
    [
        Report(actor="", location="london", sent=170.0),
        Report(actor="a\nb", location="london", sent=170.0),
        Report(actor="x" * 1000, location="london", sent=170.0),
        *(Report(actor="a.1", location="london", sent=moment) for moment in (nan, inf, -5.0, 1e18)),
    ],
)
def test_a_report_of_nobody_or_of_no_moment_is_refused_whole(report: Report) -> None:
    table = flights()
    found = table.heard(replace(report, outcomes=(GOOD,), taken=("1",)), 170.0)
    assert not is_plausible(report)
    assert found.votes == []
    assert found.refused["malformed"] == 2
    assert table.roster.seen(170.0) == []


def test_an_outcome_without_attempts_is_an_answer_and_no_vote() -> None:
    nothing = replace(GOOD, attempts=(), kept=None, state=State.UNKNOWN)
    table = flights()
    assert table.heard(Report(actor="a.1", location="london", sent=170.0, outcomes=(nothing,)), 170.0).votes == [
        nothing
    ]
    verdict = decide(nothing.round, ASKED, table.rounds[nothing.round].votes, None, 190.0)
    assert (verdict.state, [place.voted for place in verdict.places]) == (State.UNKNOWN, [False] * 3)


def test_an_actor_takes_no_batch_of_another_location() -> None:
    table = flights()
    table.adopt("london", [Round(160.0, "shop")], 160.0)
    table.heard(Report(actor="evil.1", location="paris", sent=161.0, taken=("adopted/london/160.000",)), 161.0)
    table.heard(Report(actor="a.1", location="london", sent=164.0), 164.0)
    assert list(table.lost(164.0)) == ["london"], "it still counts as untaken"
