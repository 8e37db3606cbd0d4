"""``celery instrument``: what the environment lets the instrument do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENTRY = "[celery.commands]\ninstrument = nightowl_instrument.auto:instrument\n"


@pytest.mark.parametrize(
    ("environment", "status", "out", "errors"),
    [
        ({}, 0, "Nothing: neither NIGHTOWL_STATSD nor NIGHTOWL_PUSH is set.\n", ""),
        ({"NIGHTOWL_STATSD": "udp://127.0.0.1:1"}, 0, "StatsD is told at udp://127.0.0.1:1.\n", ""),
        (
            {"NIGHTOWL_CLUSTER": "shop"},
            1,
            "",
            "Events are not pushed: NIGHTOWL_TOKEN or NIGHTOWL_CLUSTER is set, and NIGHTOWL_PUSH is not.",
        ),
        (
            {"NIGHTOWL_STATSD": "udp://127.0.0.1:1", "NIGHTOWL_PUSH": "owl.example"},
            1,
            "StatsD is told at udp://127.0.0.1:1.\n",
            "Events are not pushed: NIGHTOWL_PUSH, NIGHTOWL_TOKEN, NIGHTOWL_CLUSTER: push: 'owl.example'; allowed is",
        ),
    ],
)
def test_it_says_each_thing_once_and_whether_all_can_be_meant(
    environment: dict[str, str], status: int, out: str, errors: str, tmp_path: Path
) -> None:
    metadata = tmp_path / "instrument_command-0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: instrument-command\nVersion: 0\n")
    (metadata / "entry_points.txt").write_text(ENTRY)
    paths = os.pathsep.join(map(str, (tmp_path, ROOT / "instrument")))
    told = subprocess.run(
        [sys.executable, "-m", "celery", "instrument"],
        env=os.environ | {"PYTHONPATH": paths} | environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (told.returncode, told.stdout) == (status, out), told.stderr
    assert told.stderr.startswith(errors)
    assert told.stderr.count("\n") == bool(errors)


BOTH = ["push='https://HOST' with token and cluster", "NIGHTOWL_PUSH with NIGHTOWL_TOKEN and NIGHTOWL_CLUSTER"]
PUSH = {"NIGHTOWL_PUSH": "http://127.0.0.1:1", "NIGHTOWL_TOKEN": "y", "NIGHTOWL_CLUSTER": "x"}
STATSD = {"NIGHTOWL_STATSD": "udp://127.0.0.1:1"}


@pytest.mark.parametrize(
    ("environment", "call", "named"),
    [
        ({}, "install(app)", ["statsd='udp://HOST:PORT'", "NIGHTOWL_STATSD", *BOTH]),
        ({}, "install(app, cluster='x', token='y')", ["without push", *BOTH]),
        ({}, "install(app, 'udp://127.0.0.1:1', cluster='x')", ["without push", *BOTH]),
        (STATSD, "install(app, cluster='x')", ["without push", *BOTH]),
        ({}, "install(app, 'udp://127.0.0.1')", []),
        ({}, "install(app, push='http://127.0.0.1:1', token='y', cluster='x')", []),
        ({}, "None", []),
        (STATSD, "install(app)", []),
        (PUSH, "install(app)", []),
        (PUSH, "install(app, cluster='x', token='y')", []),
    ],
)
def test_a_call_by_which_nobody_is_told_is_one_warning_with_what_would(
    environment: dict[str, str], call: str, named: list[str], tmp_path: Path
) -> None:
    code = f"import nightowl_instrument.auto\nfrom nightowl_instrument import install\napp = Celery('shop')\n{call}\n"
    told = subprocess.run(
        [sys.executable, "-c", f"from celery import Celery\n{code}"],
        env=os.environ | {"PYTHONPATH": str(ROOT / "instrument")} | environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert told.returncode == 0, told.stderr
    assert told.stderr.count("\n") == bool(named)
    assert all(each in told.stderr for each in named)
