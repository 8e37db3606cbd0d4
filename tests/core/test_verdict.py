"""From votes to a verdict, by the words of the rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.values import Attempt, Outcome, Round, State
from nightowl.core.verdict import decide

LETTERS = {"u": State.UP, "g": State.DEGRADED, "d": State.DOWN, "k": State.UNKNOWN}
ROUND = Round(100.0, "shop")


def outcome(location: str, state: State, reason: str = "", duration: float = 0.1) -> Outcome:
    attempt = Attempt(state=state, started=100.0, duration=duration, reason=reason)
    return Outcome(check="shop", due=100.0, location=location, state=state, attempts=(attempt,), kept=0)


def judged(votes: str, quorum: int | None = None) -> State:
    """``votes`` has a letter a location asked; ``-``: nothing arrived."""
    asked = [f"place-{n}" for n in range(len(votes))]
    found = {
        place: outcome(place, LETTERS[letter]) for place, letter in zip(asked, votes, strict=True) if letter != "-"
    }
    return decide(ROUND, asked, found, quorum, 110.0).state


@pytest.mark.parametrize(
    ("votes", "state"),
    [
        ("uuu", State.UP),
        ("uud", State.UP),
        ("udd", State.DOWN),
        ("ddd", State.DOWN),
        ("ud", State.UP),  # not more than half
        ("d", State.DOWN),
        ("---", State.UNKNOWN),
        ("kkk", State.UNKNOWN),
        ("u--", State.UNKNOWN),  # fewer than half have voted
        ("d--", State.DOWN),  # all that voted say down
        ("uu-", State.UP),
        ("ud-", State.UP),
        ("dd-", State.DOWN),
        ("ggu", State.DEGRADED),
        ("gdu", State.DEGRADED),  # degraded or down
        ("guu", State.UP),
        ("gd", State.DEGRADED),
        ("u-", State.UP),
        ("k-d", State.DOWN),
    ],
)
def test_the_default_quorum_is_more_than_half_of_those_that_voted(votes: str, state: State) -> None:
    assert judged(votes) is state


@pytest.mark.parametrize(
    ("votes", "quorum", "state"),
    [("duu", 1, State.DOWN), ("ddu", 3, State.UP), ("ddd", 3, State.DOWN), ("guu", 1, State.DEGRADED)],
)
def test_a_quorum_is_a_number_of_locations(votes: str, quorum: int, state: State) -> None:
    assert judged(votes, quorum) is state


def test_a_location_that_disagrees_is_named() -> None:
    votes = {"a": outcome("a", State.DOWN, "http.status"), "b": outcome("b", State.UP), "c": outcome("c", State.UP)}
    verdict = decide(ROUND, ["a", "b", "c"], votes, None, 110.0)
    assert verdict.state is State.UP
    assert verdict.dissent == ("a",)
    assert verdict.reason == ""


def test_the_reason_is_that_of_most_locations() -> None:
    votes = {
        "a": outcome("a", State.DOWN, "tls.expired"),
        "b": outcome("b", State.DOWN, "connect.refused"),
        "c": outcome("c", State.DOWN, "tls.expired"),
    }
    assert decide(ROUND, ["a", "b", "c"], votes, None, 110.0).reason == "tls.expired"


def test_a_location_that_was_not_asked_has_no_vote() -> None:
    votes = {"a": outcome("a", State.UP), "intruder": outcome("intruder", State.DOWN)}
    verdict = decide(ROUND, ["a"], votes, 1, 110.0)
    assert verdict.state is State.UP
    assert [place.location for place in verdict.places] == ["a"]


@given(st.text(alphabet="ugdk-", min_size=1, max_size=9))
def test_silence_is_never_read_as_a_vote(votes: str) -> None:
    if not set(votes) & set("ugd"):
        assert judged(votes) is State.UNKNOWN
    if judged(votes) is State.DOWN:
        assert "d" in votes
    if judged(votes) is State.UP:
        assert "u" in votes


@given(st.text(alphabet="ugd", min_size=1, max_size=9))
def test_the_order_of_locations_does_not_matter(votes: str) -> None:
    assert judged(votes) is judged("".join(sorted(votes)))
