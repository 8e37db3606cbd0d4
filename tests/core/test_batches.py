"""Messages that every broker carries."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.batches import split
from nightowl.core.values import Job, Target

jobs = st.lists(
    st.builds(
        lambda name, body: Job(
            check=name, due=0.0, deadline=1.0, target=Target(kind="http", url="http://x/", body=body)
        ),
        st.text(max_size=5),
        st.text(max_size=300),
    ),
    max_size=30,
)


@given(jobs, st.integers(1, 10), st.integers(50, 600))
def test_nothing_is_lost_and_both_bounds_hold(made: list[Job], most: int, max_bytes: int) -> None:
    runs = list(split(made, most=most, max_bytes=max_bytes))
    assert [job for run in runs for job in run] == made
    for run in runs:
        assert 0 < len(run) <= most
        assert len(run) == 1 or sum(len(msgspec.msgpack.encode(job)) for job in run) <= max_bytes
