"""Evaluators as processes, and within ``up``."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

from tests.cli.test_roles import get, role, said, wait_until_healthy
from tests.servers.server import free_ports

RULE = """
[source.batch]
kind = "files"
path = "samples"
[rule.full]
source = "batch"
metric = "disk_used_ratio"
above = 0.9
stale = "1d"
"""


def test_up_evaluates_a_rule_on_a_source(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples/one.csv").write_text(f'disk_used_ratio{{host="db1"}},{time.time() - 60:.0f},0.97\n')
    (port,) = free_ports(1)
    path = tmp_path / "nightowl.toml"
    path.write_text(f'[server]\nlisten = "127.0.0.1:{port}"\n{RULE}')
    with role(tmp_path, "up", "-c", str(path)) as up:
        wait_until_healthy(tmp_path, "evaluator")
        end = time.monotonic() + 60
        while not (found := json.loads(get(f"http://127.0.0.1:{port}/api/v1/incidents")[1])["incidents"]):
            assert time.monotonic() < end
            time.sleep(0.2)
        assert [each["summary"] for each in found] == ['full{host="db1"} is firing: 0.97 > 0.9']
        up.send_signal(signal.SIGINT)
        assert up.wait(30) == 0
        assert up.stderr is not None
        assert "Traceback" not in up.stderr.read()


def test_an_evaluator_alone_tells_its_health_and_figures_and_ends_at_sigterm(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    path = tmp_path / "nightowl.toml"
    path.write_text(f'[bus]\nbroker = "filesystem://{tmp_path}/bus"\n{RULE}')
    with role(tmp_path, "evaluator", "-c", str(path), "--listen", f"127.0.0.1:{port}") as evaluator:
        assert get(f"http://127.0.0.1:{port}/health") == (200, "OK")
        text = get(f"http://127.0.0.1:{port}/metrics")[1]
        assert 'nightowl_role_up{role="evaluator"} 1.0' in text
        assert "nightowl_evaluator_portions_total 0.0" in text
        evaluator.send_signal(signal.SIGTERM)
        assert evaluator.wait(30) == 0
    assert not (tmp_path / "nightowl.db").exists(), "it needs no store"


def test_an_evaluator_cannot_be_alone_with_a_broker_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "nightowl.toml"
    path.write_text(RULE)
    refused = said(tmp_path, "evaluator", "-c", str(path))
    assert refused.returncode == 2
    assert 'bus.broker: found "memory://"' in refused.stderr
