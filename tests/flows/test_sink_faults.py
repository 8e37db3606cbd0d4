from __future__ import annotations

from nightowl.core.values import Sample
from nightowl.flows.sink_faults import GAP, METRIC, PATIENCE, sink_faults

NOW = 10_000.0


def ups(*values: float, sink: str = "aws", every: float = 10.0) -> list[Sample]:
    """Samples until now, the newest first."""
    return [Sample(METRIC, (("sink", sink),), NOW - every * at, value) for at, value in enumerate(values)]


def test_a_receiver_that_took_nothing_for_all_of_five_minutes_is_a_fault() -> None:
    [(subject, fault)] = sink_faults(ups(*[0.0] * 31, 1.0), NOW).items()
    assert subject == "sink/aws"
    assert "sink aws" in fault.summary


def test_one_that_took_something_in_between_or_has_just_begun_is_none() -> None:
    assert sink_faults(ups(*[0.0] * 30, 1.0), NOW) == {}
    assert sink_faults(ups(*[0.0] * 11), NOW) == {}
    assert sink_faults([], NOW) == {}


def test_many_samples_of_a_short_time_are_not_five_minutes() -> None:
    assert sink_faults(ups(*[0.0] * 300, every=0.99 * PATIENCE / 300), NOW) == {}


def test_a_time_in_which_nobody_sent_does_not_count() -> None:
    gone = [each for each in ups(*[0.0] * 36) if not NOW - 200 < each.time < NOW - 200 + 2 * GAP]
    assert sink_faults(gone, NOW) == {}
    late = [each for each in ups(*[0.0] * 36) if each.time < NOW - GAP]
    assert sink_faults(late, NOW) == {}
