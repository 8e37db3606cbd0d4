import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.config import units


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("1m", 60),
        ("1h30m", 5400),
        ("7d", 604800),
        ("2w", 1209600),
        ("2y", 63072000),
        ("500ms", 0.5),
        ("1.5s", 1.5),
        ("0s", 0),
        ("1d2h3m4s5ms", 93784.005),
    ],
)
def test_a_duration_is_read_as_seconds(text, seconds):
    assert units.parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "30", "s", "-1s", "1 s", "1m1h", "1s1s", "1S", "soon", "1e3s", "101y", "٣s", "1s\n"]
)
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the callers say what is allowed
        units.parse_duration(text)


@given(st.integers(0, int(units.LONGEST) * 1000))
def test_a_duration_survives_being_written_and_read(milliseconds):
    seconds = milliseconds / 1000
    assert units.parse_duration(units.format_duration(seconds)) == seconds


@given(st.text())
def test_any_text_is_a_duration_or_refused(text):
    with contextlib.suppress(ValueError):
        assert units.parse_duration(text) >= 0


@pytest.mark.parametrize(
    ("seconds", "text"), [(90, "1m30s"), (604800, "7d"), (34560000, "400d"), (31536000, "1y"), (0, "0s")]
)
def test_a_duration_is_written_as_people_would(seconds, text):
    assert units.format_duration(seconds) == text


@pytest.mark.parametrize(("text", "size"), [("2GiB", 2**31), ("500MB", 500_000_000), ("1.5 kB", 1500), ("0B", 0)])
def test_a_size_is_read_as_bytes(text, size):
    assert units.parse_size(text) == size


@given(st.integers(0, 2**39))
def test_a_size_survives_being_written_and_read(size):
    assert units.parse_size(units.format_size(size)) == size


@pytest.mark.parametrize(
    ("written", "meant"), [(204, (204, 204)), ("200-299", (200, 299)), ("2xx", (200, 299)), ("404", (404, 404))]
)
def test_a_status_is_read_as_a_range(written, meant):
    assert units.parse_status(written) == meant


@pytest.mark.parametrize("written", ["299-200", "2x", "99", 0, 1000, True, "0xx", "200-", "200\n"])
def test_what_is_no_status_is_refused(written):
    with pytest.raises(ValueError):  # noqa: PT011 - the callers say what is allowed
        units.parse_status(written)


@given(st.integers(100, 999), st.integers(100, 999))
def test_a_status_range_survives_being_written_and_read(one, other):
    found = min(one, other), max(one, other)
    assert units.parse_status(units.format_status(found)) == found
