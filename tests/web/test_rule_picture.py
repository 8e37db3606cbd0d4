"""The picture of a rule: its axis, its paths, its words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.rule_state import Phase
from nightowl.core.rule_trace import Band, Gap, Stay, Trace
from nightowl.web import axis
from nightowl.web import rule_picture as picture
from nightowl.web.words import times
from nightowl.web.written import read_amount, write_amount


def traced(values, upper=None, **more):
    last = 10.0 * (len(values) - 1)
    points = tuple((10.0 * at, value) for at, value in enumerate(values))
    band = tuple(Band(at, None, upper) for at, _ in points)
    return Trace(start=0.0, end=last, every=10.0, points=points, band=band, **more)


@given(
    st.lists(st.floats(-1e9, 1e9).filter(lambda value: value == 0 or abs(value) > 1e-6), min_size=1, max_size=20),
    st.none() | st.floats(-1e6, 1e6),
)
def test_the_axis_holds_all_figures_between_marks_that_are_evenly_spaced(values, recover):
    axis = picture.scale(traced(values), recover)
    shown = [*values, *([recover] if recover is not None else [])]
    room = (axis.high - axis.low) * 1e-6
    assert axis.low - room <= min(shown)
    assert max(shown) <= axis.high + room
    assert 3 <= len(axis.ticks) <= 9
    assert all(0 <= axis.y(value) <= picture.HEIGHT for value in shown)
    assert (axis.y(axis.low), axis.y(axis.high)) == (picture.HEIGHT, 0)


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [([412.0, 100.0], 0, 600), ([0.0], 0, 1), ([7.0], 0, 8), ([-3.0, -2.9], -3.05, -2.85), ([-5.0, -1.0], -6, 0)],
)
def test_an_axis_begins_at_zero_where_that_is_near(values, low, high):
    axis = picture.scale(traced(values), None)
    assert (axis.ticks[0], axis.ticks[-1]) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize(
    ("tick", "told"), [(0.25, "0.25"), (9000.0, "9000"), (25_000.0, "25 k"), (2.5e6, "2.5 M"), (-3e9, "-3 G")]
)
def test_large_marks_are_short(tick, told):
    assert axis.label(tick) == told


def test_a_gap_in_the_figure_stays_a_gap_and_what_stands_alone_is_a_dot():
    drawn = str(picture.draw(traced([1.0, None, 2.0, 3.0], 5.0), None))
    [line] = re.findall(r'class="figure" d="([^"]*)"', drawn)
    assert line.count("M") == 2
    assert re.match(r"M0(\.0)? [\d.]+h\.1M", line)
    assert drawn.count('class="limit"') == drawn.count('class="beyond"') == 1


def test_what_is_the_limit_itself_has_no_side():
    trace = Trace(start=0.0, end=10.0, every=10.0, points=((0.0, 1.0),), band=(Band(0.0, 5.0, 5.0),))
    drawn = str(picture.draw(trace, None))
    assert 'class="limit"' in drawn
    assert 'class="beyond"' not in drawn


def test_pages_are_told_to_a_pointer_unless_there_are_too_many():
    assert str(picture.draw(traced([1.0] * 9, opened=(10.0, 20.0)), None)).count("<title>would have paged at") == 2
    many = tuple(10.0 * at for at in range(100))
    assert "<title>" not in picture.draw(traced([1.0] * 100, opened=many), None)


def test_the_lane_tells_phases_and_what_was_unknown():
    stays = (Stay(phase=Phase.OK, start=0.0, end=30.0), Stay(phase=Phase.FIRING, start=30.0, end=60.0))
    lane = str(picture.lane(traced([1.0] * 7, stays=stays, gaps=(Gap(start=0.0, end=10.0),))))
    assert all(f'class="{kind}"' in lane for kind in ("ok", "firing", "unknown"))
    assert 'aria-label="Phases: FIRING 1 time, OK 1 time"' in lane


@pytest.mark.parametrize(("last", "first"), [(600.0, "00:00:00"), (21_600.0, "00:00"), (259_200.0, "01-01 00:00")])
def test_moments_are_as_exact_as_the_span_asks_for(last, first):
    assert picture.moments(Trace(start=0.0, end=last, every=10.0))[0] == first


@pytest.mark.parametrize(("count", "told"), [(0, "never"), (1, "once"), (2, "2 times"), (1204, "1,204 times")])
def test_times_are_counted_in_words(count, told):
    assert times(count) == told


@pytest.mark.parametrize("text", ["2", "2.5", "-3", "1e+30", "+20%", "nan", "high"])
def test_an_amount_is_a_number_where_it_can_be(text):
    amount = read_amount(text)
    assert isinstance(amount, str) == (text in ("+20%", "nan", "high"))
    assert write_amount(amount) == text
