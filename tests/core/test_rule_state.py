"""The machine of a rule and a series, cell by cell as the table of its file."""

import pytest

from nightowl.core.condition import Truth
from nightowl.core.limits import Limit
from nightowl.core.rule import Rule
from nightowl.core.rule_state import Phase, RuleState, advance

TRUE, FALSE, UNKNOWN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
OK, PENDING, FIRING, RECOVERING, NODATA = Phase
NOW = 1000.0


def rule(**keys):
    return Rule(name="r", metric="m", limits=(Limit("above", 1.0),), **keys)


def after(state, truth, now=NOW, **keys):
    return advance(rule(**keys), state, truth, now)


SLOW = {"for_": 60.0, "keep_firing": 120.0}
PENDING_SINCE_940 = RuleState(PENDING, since=940.0)
PENDING_SINCE_941 = RuleState(PENDING, since=941.0)
UNTIL_NOW = RuleState(RECOVERING, until=NOW)
UNTIL_LATER = RuleState(RECOVERING, until=NOW + 1)
WAS_FIRING = RuleState(NODATA, unknown_since=1.0, was_firing=True)
WAS_QUIET = RuleState(NODATA, unknown_since=1.0)


@pytest.mark.parametrize(
    ("before", "truth", "keys", "expected"),
    [
        (RuleState(), TRUE, SLOW, RuleState(PENDING, since=NOW)),
        (RuleState(), TRUE, {}, RuleState(FIRING)),
        (RuleState(), FALSE, SLOW, RuleState()),
        (PENDING_SINCE_940, TRUE, SLOW, RuleState(FIRING)),
        (PENDING_SINCE_941, TRUE, SLOW, PENDING_SINCE_941),
        (PENDING_SINCE_940, FALSE, SLOW, RuleState()),
        (RuleState(FIRING), TRUE, SLOW, RuleState(FIRING)),
        (RuleState(FIRING), FALSE, {}, RuleState()),
        (RuleState(FIRING), FALSE, SLOW, RuleState(RECOVERING, until=NOW + 120)),
        (UNTIL_LATER, TRUE, SLOW, RuleState(FIRING)),
        (UNTIL_LATER, FALSE, SLOW, UNTIL_LATER),
        (UNTIL_NOW, FALSE, SLOW, RuleState()),
        (WAS_FIRING, TRUE, SLOW, RuleState(FIRING)),
        (WAS_QUIET, TRUE, SLOW, RuleState(PENDING, since=NOW)),
        (WAS_QUIET, TRUE, {}, RuleState(FIRING)),
        (WAS_FIRING, FALSE, SLOW, RuleState()),
        (WAS_QUIET, FALSE, SLOW, RuleState()),
    ],
)
def test_known_truths_move_the_machine_as_its_table_says(before, truth, keys, expected):
    assert after(before, truth, **keys) == expected


EVERY_PHASE = [RuleState(), PENDING_SINCE_940, RuleState(FIRING), UNTIL_NOW, WAS_FIRING]


@pytest.mark.parametrize("before", EVERY_PHASE)
def test_unknown_keeps_everything_by_default_even_past_its_time(before):
    then = after(before, UNKNOWN, **SLOW)
    assert (then.phase, then.since, then.until) == (before.phase, before.since, before.until)


@pytest.mark.parametrize("before", EVERY_PHASE[:-1])
def test_unknown_becomes_nodata_once_it_has_lasted(before):
    policy = {"nodata": "nodata", "nodata_after": 30.0}
    first = after(before, UNKNOWN, 1000.0, **policy)
    assert (first.phase, first.unknown_since) == (before.phase, 1000.0)
    assert after(first, UNKNOWN, 1029.9, **policy).phase is before.phase
    last = after(first, UNKNOWN, 1030.0, **policy)
    assert last == RuleState(NODATA, unknown_since=1000.0, was_firing=before.phase in (FIRING, RECOVERING))


def test_unknown_time_counts_from_the_first_unknown_instant_in_a_row():
    policy = {"nodata": "nodata", "nodata_after": 30.0}
    state = after(RuleState(), UNKNOWN, 1000.0, **policy)
    state = after(state, FALSE, 1010.0, **policy)
    state = after(state, UNKNOWN, 1020.0, **policy)
    assert after(state, UNKNOWN, 1040.0, **policy).phase is OK
    assert after(state, UNKNOWN, 1050.0, **policy).phase is NODATA


@pytest.mark.parametrize("before", EVERY_PHASE)
@pytest.mark.parametrize(("policy", "read_as"), [("ok", FALSE), ("alert", TRUE)])
def test_policies_read_unknown_as_false_or_true(before, policy, read_as):
    assert after(before, UNKNOWN, nodata=policy, **SLOW) == after(before, read_as, **SLOW)


def test_a_missed_instant_is_not_unknown_and_for_is_measured_in_time():
    pending = after(RuleState(), TRUE, 0.0, **SLOW)
    assert after(pending, TRUE, 3600.0, **SLOW).phase is FIRING


@pytest.mark.parametrize(
    ("state", "firing", "is_open"),
    [
        (RuleState(), False, False),
        (PENDING_SINCE_940, False, False),
        (RuleState(FIRING), True, True),
        (UNTIL_LATER, False, True),
        (WAS_FIRING, True, True),
        (WAS_QUIET, False, False),
    ],
)
def test_an_episode_lasts_from_firing_to_ok(state, firing, is_open):
    assert (state.firing, state.open) == (firing, is_open)
