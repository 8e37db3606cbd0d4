from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from nightowl.core.flapping import POSSIBLE, START, STOP, flapping, moments, share
from nightowl.core.values import Incident, Severity

SLOT = 60.0
NOW = 1_700_000_000.0 // SLOT * SLOT
SHOP = Incident(id="1", kind="check", subject="shop", severity=Severity.CRITICAL, summary="down", opened=NOW)


def every(slots: int, count: int, until: float = NOW) -> list[float]:
    """The newest ``count`` moments, each so many slots after the one before."""
    return [until - SLOT * slots * number for number in range(count)]


def test_all_changes_are_one_and_none_is_nothing() -> None:
    assert share(range(100), 50) == pytest.approx(1.0)
    assert share([], 50) == 0.0
    assert share([30, 51], 50) == 0.0


def test_the_newest_change_weighs_half_as_much_again_as_the_oldest() -> None:
    assert share([50], 50) / share([50 - POSSIBLE + 1], 50) == pytest.approx(1.5)
    assert share([50], 50) == pytest.approx(1.2 / POSSIBLE)


def test_a_subject_that_changes_in_every_other_slot_flaps() -> None:
    assert flapping(every(1, 20), NOW, SLOT) == pytest.approx(1.0)
    assert flapping(every(2, 10), NOW, SLOT) == pytest.approx(
        sum(1.2 - 0.8 / 19 * step for step in range(10)) / POSSIBLE
    )


@pytest.mark.parametrize("moved", [[], every(1, 8), every(4, 30), every(3, 40)], ids=["none", "few", "slow", "slower"])
def test_a_subject_that_changes_less_does_not(moved: list[float]) -> None:
    assert flapping(moved, NOW, SLOT) is None


def test_it_begins_at_a_half_and_ends_below_a_quarter() -> None:
    burst = every(1, 12)
    shares = [(flapping(burst, NOW + SLOT * later, SLOT), later) for later in range(25)]
    still = [later for found, later in shares if found is not None]
    assert still == list(range(len(still)))
    changed = {int(moment // SLOT) for moment in burst}
    last = int(NOW // SLOT) + len(still)
    assert share(changed, last) < STOP <= share(changed, last - 1)
    assert max(found for found, _ in shares if found is not None) >= START


def test_a_first_incident_never_flaps() -> None:
    assert flapping(moments([SHOP, replace(SHOP, opened=NOW - 100.0, resolved=NOW - 50.0)]), NOW, 1.0) is None


def test_what_lies_ahead_is_not_looked_at() -> None:
    assert flapping(every(1, 20, until=NOW + 30 * SLOT), NOW, SLOT) is None


@given(st.lists(st.floats(0.0, 150.0), max_size=60), st.floats(0.0, 59.0))
def test_the_answer_is_the_same_all_through_a_slot(ago: list[float], later: float) -> None:
    moved = [NOW - SLOT * each for each in ago]
    assert flapping(moved, NOW, SLOT) == flapping(moved, NOW + later, SLOT)


@given(st.lists(st.integers(0, 40), max_size=60))
def test_flapping_is_at_least_the_share_at_which_it_ends_and_needs_many_changes(ago: list[int]) -> None:
    found = flapping([NOW - SLOT * each for each in ago], NOW, SLOT)
    if found is not None:
        assert STOP <= found <= 1.0 + 1e-9
        assert len(set(ago)) >= 9
