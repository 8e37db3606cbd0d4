"""A short version of ``tests.end_to_end.kills``: every role, the broker and the database killed under load."""

from __future__ import annotations

from math import inf
from pathlib import Path

import pytest

from tests.conftest import FOLDER
from tests.end_to_end.fleet import SERVERS
from tests.end_to_end.judge import judge
from tests.end_to_end.killing import Load, kill_and_judge, summary
from tests.end_to_end.targets import Target

STRIKES = [("leader",), ("actor", "broker"), ("database", "notifier"), ("web", "leader")]
LOAD = Load(
    (
        *(Target(f"steady-{n}", 5.0) for n in range(4)),
        *(Target(f"flapping-{n}", 5.0, cycle=30.0, broken=15.0, offset=8.0 * n) for n in range(4)),
    ),
    moodiness=0.0,
    sure=inf,
    down_after=1,
)


@pytest.mark.redis
@pytest.mark.postgresql
def test_nothing_is_lost_or_doubled_whatever_is_killed(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    run = pytestconfig.stash[FOLDER]
    servers = {
        "broker": SERVERS["redis"](run, "kills-redis"),
        "database": SERVERS["postgresql"](run, "kills-postgresql"),
    }
    try:
        for server in servers.values():
            server.start()
        killing, evidence = kill_and_judge(tmp_path, servers, LOAD, STRIKES, 1, least=0.5, most=2.0, patience=120)
        findings = judge(evidence)
        assert not findings, f"{summary(killing, evidence, findings)}\n{killing.fleet.logs()}"
        assert sum(map(len, evidence.of_checks.values())) > 0, "there was something to lose"
    finally:
        for server in servers.values():
            server.remove()
