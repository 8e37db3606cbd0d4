from __future__ import annotations

import subprocess
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.exposition import HELP
from nightowl.core.series import Series, labels, parse
from nightowl.core.sinks.scraped import text, wants_open_metrics
from nightowl.core.values import Sample
from tests.servers.programs import program


def sample(metric: str, value: float = 1.0, **pairs: str) -> Sample:
    return Sample(metric, labels(pairs.items()), 1.0, value)


HISTOGRAM = [
    sample("celery_task_runtime_sum", 9.5, name="a"),
    sample("celery_task_runtime_bucket", 3.0, name="a", le="+Inf"),
    sample("celery_task_runtime_bucket", 2.0, name="a", le="10.0"),
    sample("celery_task_runtime_bucket", 1.0, name="a", le="5.0"),
    sample("celery_task_runtime_count", 3.0, name="a"),
]
MIXED = [
    *HISTOGRAM,
    sample("check_up", check="shop", location="paris"),
    sample("celery_task_failed_total", 2.0, name='a"b\\c\nd', exception="ValueError"),
    sample("celery_active_worker_count", 2.0, queue_name="q"),
]


def test_a_family_stands_together_under_its_head_with_buckets_rising() -> None:
    assert text([*HISTOGRAM[:2], sample("check_up"), *HISTOGRAM[2:]]).splitlines() == [
        "# TYPE celery_task_runtime histogram",
        'celery_task_runtime_bucket{le="5.0",name="a"} 1.0',
        'celery_task_runtime_bucket{le="10.0",name="a"} 2.0',
        'celery_task_runtime_bucket{le="+Inf",name="a"} 3.0',
        'celery_task_runtime_count{name="a"} 3.0',
        'celery_task_runtime_sum{name="a"} 9.5',
        f"# HELP check_up {HELP['check_up']}",
        "# TYPE check_up gauge",
        "check_up 1.0",
    ]


def test_open_metrics_names_the_family_of_a_counter_without_its_end_and_says_where_it_ends() -> None:
    assert text([sample("jobs_total", 2.0)], "owl_", open_metrics=True) == (
        "# TYPE owl_jobs counter\nowl_jobs_total 2.0\n# EOF\n"
    )
    assert text([sample("jobs_total", 2.0)], "owl_") == "# TYPE owl_jobs_total counter\nowl_jobs_total 2.0\n"


def test_parts_of_a_histogram_without_its_buckets_are_of_no_known_type() -> None:
    found = text([HISTOGRAM[0]], open_metrics=True)
    assert found.startswith("# TYPE celery_task_runtime_sum unknown\n")


def test_values_that_are_no_numbers_are_left_out_and_infinities_written_as_prometheus_has_them() -> None:
    found = text([sample("a", nan), sample("b", inf), sample("c", -inf)])
    assert "a" not in found.replace("gauge", "")
    assert "b +Inf\n" in found
    assert "c -Inf\n" in found


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", True),
        ("text/plain;version=0.0.4", False),
        ("application/openmetrics-text; q=0", False),
        ("", False),
        (",;,", False),
    ],
)
def test_open_metrics_is_for_who_accepts_it(accept, wanted) -> None:
    assert wants_open_metrics(accept) is wanted


@pytest.mark.prometheus
def test_promtool_finds_nothing_wrong() -> None:
    command = [program("promtool"), "check", "metrics"]
    done = subprocess.run(command, input=text(MIXED).encode(), capture_output=True, check=False)
    complaints = done.stderr.decode().splitlines()  # of the style of names, which are those of others, it may complain
    assert all(line.endswith(("no help text", 'should not have "_count" suffix')) for line in complaints), complaints


@given(st.dictionaries(st.sampled_from(["check", "name"]), st.text()), st.floats(allow_nan=False, allow_infinity=False))
def test_lines_give_back_what_they_were_made_of(pairs, value) -> None:
    line = text([sample("x", value, **pairs)]).removeprefix("# TYPE x gauge\n").removesuffix("\n")
    series, _, number = line.rpartition(" ")
    assert parse(series) == Series("x", labels(pairs.items()))
    assert float(number) == value
