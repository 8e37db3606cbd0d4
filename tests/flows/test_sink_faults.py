from __future__ import annotations

from nightowl.core.values import Sample
from nightowl.flows.sink_faults import METRIC, sink_faults


def ups(*values: float, sink: str = "aws") -> list[Sample]:
    return [Sample(METRIC, (("sink", sink),), 1000.0 + 10 * at, value) for at, value in enumerate(values)]


def test_a_receiver_that_took_nothing_all_the_time_is_a_fault() -> None:
    [(subject, fault)] = sink_faults(ups(*[0.0] * 30), 1300.0).items()
    assert subject == "sink/aws"
    assert "sink aws" in fault.summary


def test_one_that_took_something_in_between_or_has_just_begun_is_none() -> None:
    assert sink_faults(ups(*[0.0] * 20, 1.0, *[0.0] * 9), 1300.0) == {}
    assert sink_faults(ups(*[0.0] * 9), 1300.0) == {}
    assert sink_faults([], 1300.0) == {}
