"""Numbers, moments, colours and secrets, as pure functions."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.values import Attempt, DayCount, Outcome, Phases, State, Target
from nightowl.web import curl, form, masking, phases, strips, words
from nightowl.web.live import change_of_counts

moments = st.floats(0, 4e9).map(lambda moment: round(moment, 3))


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (12000, "3 h 20 min"), (90000, "1 d")],
)
def test_a_span_has_its_largest_unit(seconds, told):
    assert words.span(seconds) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, "–"), (0.0004, "0.4 ms"), (0.1239, "124 ms"), (0.9996, "1.00 s"), (2.308, "2.31 s"), (12.34, "12.3 s")],  # noqa: RUF001
)
def test_a_measured_time_has_three_digits_and_a_unit(seconds, told):
    assert words.took(seconds) == told


@given(moments)
def test_a_moment_survives_being_written_and_read(moment):
    assert words.instant(words.iso(moment)) == pytest.approx(moment, abs=0.0006)


@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_a_share_is_whole_only_when_it_is(part, more):
    whole = part + more
    assert words.share(part, whole) != "100 %"
    assert (words.share(part, whole) == "0 %") == (part == 0)


def test_names_are_listed_as_people_would():
    assert [words.listed(names) for names in ([], ["a"], ["a", "b"], list("abcde"))] == [
        "",
        "a",
        "a and b",
        "a, b, c and 2 more",
    ]


def test_a_strip_says_in_words_what_it_shows():
    drawn = str(strips.recent("uuugdk"))
    assert 'aria-label="Last 6 rounds: 3 up, 1 degraded, 1 down, 1 unknown"' in drawn
    assert drawn.count('class="up"') == 1


@given(st.text("ugdk", max_size=80))
def test_a_strip_has_a_cell_a_round_and_stays_in_its_frame(letters):
    drawn = str(strips.recent(letters))
    assert drawn.count("M") >= min(60, len(letters))
    assert 'viewBox="0 0 359 24"' in drawn


def test_ninety_days_leave_gaps_where_nothing_was_counted():
    drawn = str(strips.ninety_days([DayCount(check="x", day=100, up=9, down=1)], today=100))
    assert drawn.count("<title>") == 1
    assert "1970-04-11: 1 down, 9 up" in drawn
    assert "90 %" in drawn


def outcome(due, state, seconds):
    attempt = Attempt(
        state=state, started=due, duration=seconds, phases=Phases(connect=seconds / 4, first_byte=seconds / 2)
    )
    return Outcome(check="x", due=due, location="london", state=state, attempts=(attempt,), kept=0)


def test_a_chart_keeps_gaps_and_the_slowest_good_round_of_a_step():
    found = [outcome(10_006.0, State.UP, 0.1), outcome(10_010.0, State.UP, 0.3), outcome(10_090.0, State.DOWN, 5.0)]
    drawn = phases.chart(found, "london", "1h", 5.0, 10_100.0)
    values = [point.duration for point in drawn.points if point.duration is not None]
    assert values == [0.3]
    assert len(drawn.points) == 240
    assert "2 rounds" in drawn.summary
    assert "wait" in drawn.summary


def test_a_waterfall_lays_phases_one_after_another():
    attempt = outcome(100.0, State.UP, 1.0).attempts[0]
    shown = phases.bars(attempt, 99.0, 2.0)
    assert [(bar.phase, bar.left, bar.width) for bar in shown] == [
        ("connect", 500.0, 125.0), ("first_byte", 625.0, 250.0), ("rest", 875.0, 125.0),
    ]  # fmt: skip


def test_a_check_as_curl_tells_no_secret():
    target = Target(
        kind="https", url="https://u:p4ss@x.example/?a=1&token=t0k", method="POST", body="it's",
        headers={"X-Api-Key": "k3y", "Accept": "*/*"},
    )  # fmt: skip
    command = curl.command(target, {"basic": "user:p4ss"})
    assert not {"p4ss", "t0k", "k3y"} & set(command.replace(":", " ").replace("=", " ").split())
    assert shlex.split(command)[-1] == f"https://u:{masking.MASK}@x.example/?a=1&token={masking.MASK}"
    assert "it's" in shlex.split(command)


specs = st.fixed_dictionaries(
    {"url": st.just("https://u:secret@x.example/?token=secret&b=2")},
    optional={
        "headers": st.dictionaries(st.sampled_from(["Authorization", "Accept", "X-Token"]), st.text(min_size=1)),
        "auth": st.sampled_from([{"basic": "a:b"}, {"bearer": "${env:T}"}]),
        "every": st.just("1m"),
    },
)


@given(specs)
def test_a_masked_definition_that_comes_back_is_what_it_was(spec):
    shown = masking.mask(spec)
    assert "secret" not in shown["url"]
    assert masking.unmask(shown, spec) == spec


def test_references_are_no_secrets():
    assert masking.mask({"auth": {"bearer": "${env:T}"}}) == {"auth": {"bearer": "${env:T}"}}


def test_a_form_keeps_what_it_does_not_know_and_drops_what_is_usual():
    spec = {
        "url": "https://x.example",
        "family": "4",
        "expect": {"regex": "a+", "status": [200, "301-302"]},
        "tags": {"team": "a"},
    }
    values = form.to_text(spec)
    assert values["expect.status"] == "200, 301-302"
    assert form.to_spec(values, spec) == spec
    assert form.to_spec(values | {"expect.status": "200-299", "tags": ""}, spec) == {
        "url": "https://x.example", "family": "4", "expect": {"regex": "a+"},
    }  # fmt: skip


def test_changes_are_told_to_those_who_listen():
    assert change_of_counts({"down": 1}, {"down": 3}) == "2 checks went down; 3 checks are down now."
    assert change_of_counts({"down": 1}, {"up": 9}) == "1 check recovered; none is down now."
    assert change_of_counts({"down": 1}, {"down": 1, "up": 4}) == ""


def test_the_form_makes_checks_of_every_kind():
    empty = form.to_text({})
    typed = {"url": "dns://x.example", "record": "MX", "resolver": "10.0.0.2", "expect.answers": "10 a.x\r\n20 b.x"}
    assert form.to_spec(empty | typed, {}) == {
        "url": "dns://x.example",
        "record": "MX",
        "resolver": "10.0.0.2",
        "expect": {"answers": ["10 a.x", "20 b.x"]},
    }
    typed = {"url": "redis://x.example/0", "kind": "celery", "queue": "emails"}
    assert form.to_spec(empty | typed, {}) == typed


def test_a_name_may_be_cut_behind_its_slashes_and_executes_nothing():
    assert words.parted("shop/lost/<b>") == "shop/<wbr>lost/<wbr>&lt;b&gt;"
