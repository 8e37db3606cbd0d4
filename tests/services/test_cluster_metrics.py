"""Pages of metrics, read by Prometheus' own parser."""

from __future__ import annotations

import subprocess

import pytest

from nightowl.core.cluster.exposition import Exposition
from nightowl.core.cluster.flower_metrics import flower_metrics
from tests.core.sample_cluster import some_figures, state
from tests.servers.programs import program

NAMED_BY_OTHERS = 'celery_active_process_count non-histogram and non-summary metrics should not have "_count" suffix'


@pytest.mark.prometheus
def test_promtool_reads_the_page_and_complains_of_one_name_only():
    page = Exposition().render([(some_figures(), state())]) + flower_metrics(some_figures(), state())
    command = [program("promtool"), "check", "metrics"]
    done = subprocess.run(command, input=page, capture_output=True, text=True, check=False)
    assert (done.stdout + done.stderr).strip() == NAMED_BY_OTHERS


@pytest.mark.prometheus
def test_promtool_refuses_what_is_no_page():
    done = subprocess.run([program("promtool"), "check", "metrics"], input='a{b="c} 1\n', check=False, text=True)
    assert done.returncode == 1
