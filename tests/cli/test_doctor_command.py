"""``nightowl doctor``, and ``nightowl health`` of a worker, with a real worker over a real Redis and no other role."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from nightowl.cli.doctor import doctor
from nightowl.cli.health import health
from nightowl.cli.up import up
from tests.adapters.celery_cluster.watched import until, workers
from tests.conftest import fresh_url

WORKER = "a@shop"

pytestmark = [
    pytest.mark.redis,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # Celery leaves sockets open
]


@pytest.fixture(scope="module")
def configuration(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A configuration with the cluster of a worker, that says nothing of its backend and its schedule."""
    folder = tmp_path_factory.mktemp("shop")
    file = folder / "nightowl.toml"
    for url in fresh_url(request.config, "redis"):
        with workers(folder, url, ("-P", "solo", "-n", WORKER)):
            file.write_text(
                f'[cluster.shop]\nbroker = "{url}"\n[cluster.gone]\nbroker = "redis://:hunter22@127.0.0.1:1/0"\n'
            )
            until(lambda: asked("--worker", WORKER, "-c", str(file)).exit_code == 0)
            yield str(file)


def asked(*arguments: str) -> Result:
    return CliRunner().invoke(health, ["--cluster", "shop", "--timeout", "1", *arguments])


def examined(configuration: str, *options: str) -> Result:
    """The first examination in which the worker answers every question: a busy one may be late."""

    def whole() -> Result | None:
        result = CliRunner().invoke(doctor, ["shop", "-c", configuration, "--timeout", "1.5", *options])
        return result if f"1 answered: {WORKER}" in result.output and "sent_event" in result.output else None

    found = until(whole)
    assert found is not None
    return found


def test_everything_that_is_missing_is_named_with_what_mends_it(configuration: str) -> None:
    result = examined(configuration, "--json")
    assert result.exit_code == 1, result.output
    found = json.loads(result.output)
    assert (found["cluster"], found["health"]) == ("shop", "missing")
    parts = {part["name"]: part for part in found["parts"]}
    assert {name for name, part in parts.items() if part["health"] == "works"} >= {"broker", "remote control", "events"}
    assert WORKER in parts["remote control"]["says"]
    missing = [part for part in found["parts"] if part["health"] == "missing"]
    assert {part["name"] for part in missing} == {"settings", "results", "beat"}
    assert "set task_send_sent_event = True" in [part["mend"] for part in missing]


def test_it_reads_well_on_a_terminal(configuration: str) -> None:
    result = examined(configuration)
    assert f"works    remote control: 1 answered: {WORKER}\n" in result.output
    assert "         to mend it: set task_send_sent_event = True\n" in result.output


def test_a_broker_that_is_away_fails_without_its_password(configuration: str) -> None:
    result = CliRunner().invoke(doctor, ["gone", "-c", configuration])
    assert result.exit_code == 2
    assert result.output.startswith("fails    broker: the broker at 127.0.0.1:1 does not answer")
    assert "hunter22" not in result.output


def test_a_cluster_that_nobody_declared_is_told(configuration: str) -> None:
    result = CliRunner().invoke(doctor, ["shopp", "-c", configuration])
    assert result.exit_code == 2
    assert "a declared cluster (shop, gone)" in result.stderr


def test_a_worker_that_does_not_answer_is_not_healthy(configuration: str) -> None:
    result = asked("--worker", "b@shop", "-c", configuration)
    assert (result.exit_code, result.output) == (1, "b@shop: no answer within 1 s\n")
    gone = CliRunner().invoke(health, ["--cluster", "gone", "--worker", WORKER, "-c", configuration])
    assert gone.exit_code == 2
    assert "hunter22" not in gone.output


@pytest.mark.parametrize(
    "arguments", [[], ["--cluster", "shop"], ["--role", "everything"], ["--role", "actor", "--worker", "x"]]
)
def test_health_is_asked_of_a_role_or_a_worker(arguments: list[str]) -> None:
    assert CliRunner().invoke(health, arguments).exit_code == 2


def test_brokers_are_not_given_beside_a_configuration(tmp_path: Path) -> None:
    for arguments in (["--watch", "redis://a/0", "-c", str(tmp_path)], ["--watch", "kafka://a"]):
        result = CliRunner().invoke(up, arguments)
        assert (result.exit_code, "--watch" in result.stderr) == (2, True)


def test_a_broker_that_is_given_by_its_url_needs_no_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nightowl.toml").write_text("[check.broken]\nevery = 1\n")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(doctor, ["amqp://owl:hunter22@127.0.0.1:1//"])
    assert result.stdout.startswith("fails    broker: the broker at 127.0.0.1:1 does not answer")
    assert (result.exit_code, result.stderr, "hunter22" in result.stdout) == (2, "", False)
