"""Names of series."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.series import Series, labels, parse, selects

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)


@given(NAMES, st.dictionaries(NAMES, st.text(max_size=12), max_size=4))
def test_a_series_reads_as_it_was_written(metric, carried):
    series = Series(metric, labels(carried.items()))
    assert parse(str(series)) == series


def test_it_is_written_as_prometheus_does():
    assert str(Series("m", (("a", 'x"y'), ("b", "1")))) == 'm{a="x\\"y",b="1"}'
    assert str(Series("m")) == "m"


@pytest.mark.parametrize("text", ["", "{}", "m{", "m{a}", 'm{a="1"b="2"}', 'm{a="1}', 'm{a="1"} 5'])
def test_other_texts_name_no_series(text):
    with pytest.raises(ValueError, match="names no series"):
        parse(text)


def test_where_takes_shell_patterns_and_a_missing_label_matches_nothing():
    series = Series("m", (("queue", "mail-fast"),))
    assert selects("m", {}, series)
    assert selects("m", {"queue": "mail*"}, series)
    assert not selects("m", {"queue": "Mail*"}, series)
    assert not selects("m", {"zone": "*"}, series)
    assert not selects("other", {}, series)
