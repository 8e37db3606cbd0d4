"""A short version of ``tests.end_to_end.kills``: every role, the broker and the database killed under load."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
from msgspec import structs

from tests.conftest import FOLDER
from tests.end_to_end.fleet import SERVERS
from tests.end_to_end.judge import Evidence, judge
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


def doctored(evidence: Evidence) -> dict[str, Evidence]:
    """The evidence with something wrong in it, by what that is."""
    some = next(name for name, found in evidence.of_checks.items() if found)
    lost = [each for each in evidence.incidents if each is not evidence.of_checks[some][0]]
    told = [each for each in evidence.receipts if each["key"] != evidence.receipts[-1]["key"]]
    verdicts = evidence.verdicts
    early = [
        structs.replace(each, resolved=each.opened + 0.1) if each.kind == "rule" else each
        for each in evidence.incidents
    ]
    return {
        "incidents of a rule cut short": replace(evidence, incidents=early),
        "an incident lost": replace(evidence, incidents=lost),
        "notices lost": replace(evidence, receipts=told),
        "verdicts lost": replace(evidence, verdicts=verdicts | {some: verdicts[some][::2]}, troubles=[]),
        "a round twice": replace(evidence, verdicts=verdicts | {some: [*verdicts[some], verdicts[some][-1]]}),
        "targets slandered": replace(evidence, hits=[each | {"well": not each["well"]} for each in evidence.hits]),
    }


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
        overlooked = [what for what, each in doctored(evidence).items() if not judge(each)]
        assert not overlooked, f"{summary(killing, evidence, findings)}\n{killing.fleet.logs()}"
    finally:
        for server in servers.values():
            server.remove()
