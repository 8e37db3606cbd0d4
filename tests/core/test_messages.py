import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from nightowl.core.incident import advance, change
from nightowl.core.messages import LISTED, compose, in_words
from nightowl.core.routing import trial
from nightowl.core.values import Check, CheckState, Incident, Place, Severity, State, Target, Verdict

CHECK = Check(name="shop", target=Target(kind="http", url="http://x.example/"), locations=("a",), down_after=1)


def opened(state: State, check: Check = CHECK) -> Incident:
    """The incident that the machine itself opens for a round that went like this."""
    places = (Place(location="a", state=state),)
    verdict = Verdict(
        check="shop", due=1_700_000_000.0, closed=1.0, state=state, places=places, reason="assert.latency"
    )
    _, move = advance(check, CheckState(check="shop"), verdict)
    assert move is not None
    return change(check, move, None).incident


@pytest.mark.parametrize(
    ("state", "step", "heading"),
    [
        (State.DOWN, "firing", "■ DOWN: shop"),
        (State.DOWN, "raised", "■ DOWN: shop"),
        (State.DOWN, "repeat-3", "■ STILL DOWN: shop"),
        (State.DEGRADED, "firing", "▲ DEGRADED: shop"),
        (State.DEGRADED, "repeat-1", "▲ STILL DEGRADED: shop"),
    ],
)
def test_the_heading_has_the_state_as_shape_and_word(notice, state, step, heading) -> None:
    assert compose(notice(step, opened(state))).heading == heading


def test_a_check_that_is_down_is_called_so_however_little_it_matters(notice) -> None:
    minor = replace(CHECK, severity=Severity.WARNING)
    assert compose(notice("firing", opened(State.DOWN, minor))).heading == "■ DOWN: shop"


def test_a_fault_of_nightowl_itself_is_told_as_such(notice, incident) -> None:
    summary = "no actor takes the checks of location london"
    message = compose(notice("firing", replace(incident, kind="own", subject="location/london", summary=summary)))
    assert message.heading == "◆ FAILING: location/london"
    assert message.sentence == "No actor takes the checks of location london."


def test_a_firing_notice_says_since_when_why_and_where_to_look(notice) -> None:
    assert compose(notice()).text.splitlines() == [
        "shop is down: connection refused, seen from 3 of 3 locations.",
        "",
        "Since: 2023-11-14 22:13:20 UTC (4 minutes)",
        "Severity: critical",
        "Reason: connect.refused",
        "Tags: team=shop",
        "Runbook: https://wiki.example/shop",
        "Details: https://owl.example/incidents/5f2c",
    ]


def test_a_resolved_notice_says_how_it_is_how_long_it_lasted_and_what_it_was(notice, incident) -> None:
    over = replace(incident, resolved=incident.opened + 3900)
    message = compose(notice("resolved", over, "shop is up, seen from 3 of 3 locations"))
    assert message.heading == "● UP: shop"
    assert message.sentence == "shop is up, seen from 3 of 3 locations. The incident lasted 1 hour 5 minutes."
    assert message.facts[:2] == (
        ("Lasted", "from 2023-11-14 22:13:20 UTC to 2023-11-14 23:18:20 UTC"),
        ("Was", "shop is down: connection refused, seen from 3 of 3 locations"),
    )


def test_an_incident_that_ends_otherwise_is_not_called_up(notice, incident) -> None:
    over = replace(incident, resolved=incident.opened + 60)
    message = compose(notice("resolved", over, "shop is not checked any more: it was paused"))
    assert message.heading == "● OVER: shop"
    assert message.sentence.startswith("shop is not checked any more: it was paused. The incident lasted 1 minute.")


def test_a_fault_that_is_over_is_said_once(notice, incident) -> None:
    own = replace(incident, kind="own", subject="bus", summary="the broker takes no batches", resolved=incident.opened)
    message = compose(notice("resolved", own, "over: the broker takes no batches"))
    assert message.heading == "● OVER: bus"
    assert message.sentence == "Over: the broker takes no batches. The incident lasted 0 seconds."
    assert "Was" not in dict(message.facts)


def test_a_resolved_notice_without_a_text_says_that_it_is_over(notice, incident) -> None:
    assert compose(notice("resolved", incident)).sentence == "shop: over. The incident lasted 4 minutes."


def test_a_raised_notice_says_that_it_got_worse(notice) -> None:
    assert compose(notice("raised")).sentence.startswith("It got worse: shop is down")


def test_a_reminder_says_for_how_long_nobody_has_looked(notice, incident) -> None:
    late = replace(notice("repeat-1"), created=incident.opened + 4 * 3600)
    assert compose(late).sentence.endswith("for 4 hours now, and nobody has acknowledged it.")


def test_other_incidents_are_counted_and_listed(notice, incident) -> None:
    db = replace(incident, subject="db", summary="db is down: no route to host")
    over = replace(incident, subject="mail", summary="mail is down: timeout", resolved=incident.opened + 60)
    message = compose(replace(notice(), others=(db, over)))
    assert message.heading == "■ DOWN: shop and 2 more"
    assert message.others == ("■ DOWN: db — db is down: no route to host", "● OVER: mail — mail is down: timeout")
    assert message.text.splitlines()[1:6] == ["", "Also:", *(f"- {line}" for line in message.others), ""]


def test_of_very_many_other_incidents_the_rest_is_counted(notice, incident) -> None:
    others = compose(replace(notice(), others=(incident,) * (LISTED + 7))).others
    assert len(others) == LISTED + 1
    assert others[-1] == "and 7 more"


def test_a_trial_carries_no_facts_of_an_incident() -> None:
    message = compose(trial("ops", "", 1.0))
    assert message.heading == "● TEST: channel/ops"
    assert message.text == "This is a test of the channel ops. Nothing is wrong.\n"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (-5, "0 seconds"),
        (1, "1 second"),
        (59.6, "1 minute"),
        (61, "1 minute 1 second"),
        (3600, "1 hour"),
        (7509, "2 hours 5 minutes"),
        (86400 * 3 + 4 * 3600 + 7, "3 days 4 hours"),
        (86400 * 3 + 50, "3 days"),
    ],
)
def test_durations_are_told_in_their_two_largest_units(seconds, words) -> None:
    assert in_words(seconds) == words


@given(st.floats(0, 1e9))
def test_a_duration_never_has_more_than_two_units(seconds: float) -> None:
    assert len(in_words(seconds).split()) in (2, 4)
