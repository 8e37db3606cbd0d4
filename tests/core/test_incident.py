"""The incident machine of a check, cell by cell and as a whole."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.incident import TRANSITIONS, advance, change, incident_id
from nightowl.core.values import Change, Check, CheckState, Incident, Severity, State, Target, Verdict

LETTERS = {"u": State.UP, "g": State.DEGRADED, "d": State.DOWN, "k": State.UNKNOWN}


def check(**keys: Any) -> Check:
    return Check(name="shop", target=Target(kind="http", url="http://shop.example/"), locations=("london",), **keys)


def walk(rounds: str, **keys: Any) -> list[Change]:
    """Fold rounds (a letter each, 60 s apart) and return the changes of incidents."""
    subject, state, open_incident, changes = check(**keys), CheckState(check="shop"), None, []
    for n, letter in enumerate(rounds):
        verdict = Verdict(check="shop", due=60.0 * n, closed=60.0 * n + 1, state=LETTERS[letter], places=())
        state, move = advance(subject, state, verdict)
        if move is not None:
            changes.append(change(subject, move, open_incident))
            open_incident = changes[-1].incident if changes[-1].incident.open else None
    return changes


def story(rounds: str, **keys: Any) -> list[tuple[str, str, int]]:
    return [(each.event, each.incident.severity.value, int(each.at // 60)) for each in walk(rounds, **keys)]


def test_an_incident_opens_after_two_rounds_down_and_closes_after_one_up() -> None:
    assert story("uddddu") == [("opened", "critical", 2), ("resolved", "critical", 5)]


def test_one_bad_round_opens_nothing() -> None:
    assert story("uduudu") == []


def test_up_after_asks_for_rounds_up_in_a_row() -> None:
    assert story("dduduu", up_after=2) == [("opened", "critical", 1), ("resolved", "critical", 5)]


def test_unknown_rounds_change_nothing_and_count_for_neither() -> None:
    assert story("dkkd") == [("opened", "critical", 3)]
    assert story("ddkkkk") == [("opened", "critical", 1)]
    assert story("ddkuku", up_after=2) == [("opened", "critical", 1), ("resolved", "critical", 5)]


def test_degraded_opens_a_warning_and_down_raises_it() -> None:
    assert story("ggddu") == [("opened", "warning", 1), ("raised", "critical", 3), ("resolved", "critical", 4)]


def test_degraded_and_down_in_turn_count_as_degraded() -> None:
    assert story("gdgdgd") == [("opened", "warning", 1)]


def test_degraded_after_down_neither_resolves_nor_lowers() -> None:
    assert story("ddgggg") == [("opened", "critical", 1)]


def test_a_check_that_matters_little_is_degraded_no_more_severely() -> None:
    assert story("gg", severity=Severity.INFO) == [("opened", "info", 1)]


def test_an_episode_keeps_its_id_and_the_next_has_another() -> None:
    ids = [each.incident.id for each in walk("dduddu")]
    assert ids[0] == ids[1]
    assert ids[2] == ids[3] != ids[0]
    assert ids[0] == incident_id("check", "shop", 60.0)


def test_raising_keeps_what_people_did_to_the_incident() -> None:
    subject, state = check(), CheckState(check="shop")
    for n in range(2):
        verdict = Verdict(check="shop", due=60.0 * n, closed=60.0 * n, state=State.DOWN, places=())
        state, move = advance(subject, state, verdict)
    assert move is not None
    opened = change(subject, move, None).incident
    acknowledged = Incident(
        **{name: getattr(opened, name) for name in opened.__struct_fields__} | {"acknowledged": 70.0}
    )
    _, move = advance(subject, state, Verdict(check="shop", due=120.0, closed=120.0, state=State.UP, places=()))
    assert move is not None
    assert change(subject, move, acknowledged).incident.acknowledged == 70.0


def test_since_is_the_first_round_of_the_present_verdict() -> None:
    state = CheckState(check="shop")
    for n, letter in enumerate("uuddd"):
        verdict = Verdict(check="shop", due=60.0 * n, closed=60.0 * n, state=LETTERS[letter], places=())
        state, _ = advance(check(), state, verdict)
    assert state.since == 120.0
    assert state.strip == "uuddd"


@pytest.mark.parametrize("pair", TRANSITIONS)
def test_every_transition_of_the_table_is_taken_by_some_walk(pair: tuple[str, str]) -> None:
    walks = {
        ("", "degraded"): "gg",
        ("", "down"): "dd",
        ("degraded", "down"): "ggdd",
        ("degraded", "good"): "ggu",
        ("down", "good"): "ddu",
    }
    assert story(walks[pair])[-1][0] == TRANSITIONS[pair][1]


@given(st.text(alphabet="ugdk", max_size=40), st.integers(1, 3), st.integers(1, 3))
def test_whatever_happens_an_incident_opens_once_and_resolves_once(rounds: str, down_after: int, up_after: int) -> None:
    events = [each.event for each in walk(rounds, down_after=down_after, up_after=up_after)]
    open_now = False
    for event in events:
        assert open_now is (event != "opened")
        open_now = event != "resolved"
    if events and not open_now:
        assert "u" in rounds
