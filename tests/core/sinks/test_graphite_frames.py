from __future__ import annotations

import pickle
import struct
from math import inf, nan

from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.sinks.graphite import LARGEST, frames, lines, points, tagged
from nightowl.core.sinks.paths import dotted
from nightowl.core.values import Sample

SAMPLES = st.lists(
    st.builds(
        Sample,
        st.sampled_from(["check_up", "jobs_total"]),
        st.sampled_from([(), (("check", "a"),), (("check", "b c"),)]),
        st.floats(1.7e9, 1.9e9),
        st.floats(allow_nan=False, allow_infinity=False),
    )
)


@given(SAMPLES)
def test_lines_give_back_what_they_were_made_of(samples) -> None:
    name = dotted("nightowl")
    read = [line.rstrip("\n").split(" ") for line in lines(points(samples, name))]
    assert [(path, float(value), int(at)) for path, value, at in read] == [
        (name(each.metric, each.labels), each.value, int(each.time)) for each in samples
    ]


@given(SAMPLES)
def test_frames_give_back_what_they_were_made_of(samples) -> None:
    found = list(points(samples, dotted("nightowl")))
    assert [point for frame in frames(found) for point in unpickled(frame)] == found


def test_no_frame_is_larger_than_carbon_takes() -> None:
    found = [(f"{'x' * 9_000}.{number}", (1_700_000_000, 1.0)) for number in range(400)]
    made = list(frames(found))
    assert len(made) > 1
    assert all(len(frame) - 4 <= LARGEST for frame in made)
    assert [point for frame in made for point in unpickled(frame)] == found


def test_tags_stand_behind_the_name() -> None:
    assert tagged("nightowl")("check_up", (("check", "my shop"), ("location", ""))) == "nightowl.check_up;check=my_shop"


def test_what_is_no_number_is_left_out() -> None:
    samples = [Sample("x", (), 1.0, value) for value in (nan, inf, -inf, 2.0)]
    assert list(points(samples, dotted(""))) == [("x", (1, 2.0))]


def unpickled(frame: bytes) -> list:
    (length,) = struct.unpack("!L", frame[:4])
    assert length == len(frame) - 4
    return pickle.loads(frame[4:])
