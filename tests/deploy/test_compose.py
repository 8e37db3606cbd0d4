"""The set of containers hangs together: commands, secrets, configurations, health, and the broker's users."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from nightowl.cli import main
from tests.deploy.commands import read
from tests.deploy.queries import ROOT
from tests.servers.programs import program

FOLDER = ROOT / "deploy/compose"
SET: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = SET["services"]
OWN = {name: service for name, service in SERVICES.items() if service["image"] == "nightowl"}
RUN = "/run/secrets"

each_of_ours = pytest.mark.parametrize("name", OWN)
each_service = pytest.mark.parametrize("name", SERVICES)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the folder in which ``setup`` has run."""
    folder = tmp_path_factory.mktemp("compose") / "compose"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("secrets"))
    subprocess.run([folder / "setup"], check=True, capture_output=True, timeout=60)
    return folder


def secrets_of(name: str) -> dict[str, str]:
    """The secrets of a service: by the name under which it sees each, the one it is."""
    listed = SERVICES[name].get("secrets", [])
    return {each: each for each in listed if isinstance(each, str)} | {
        each["target"]: each["source"] for each in listed if isinstance(each, dict)
    }


def inside(made: Path, name: str, folder: Path) -> Path:
    """What a service sees as /etc/nightowl, with its secrets in ``folder`` in place of /run/secrets."""
    for target, source in secrets_of(name).items():
        shutil.copy(made / SET["secrets"][source]["file"], folder / target)
    place = folder / "nightowl"
    place.mkdir()
    for volume in OWN[name]["volumes"]:
        outer, inner, _ = volume.split(":")
        text = (made / outer).read_text().replace(RUN, str(folder))
        (place / Path(inner).name).write_text(text)
    return place


@each_of_ours
def test_our_command_line_takes_each_command(name: str) -> None:
    role = read(OWN[name]["command"])
    assert name.partition("-")[0] == ("migrate" if role == "db migrate" else role)
    with pytest.raises(click.UsageError):
        read([*OWN[name]["command"], "--no-such-option"])


@each_of_ours
def test_each_role_asks_for_its_own_health(name: str) -> None:
    asked = OWN[name]["healthcheck"]
    if name == "migrate":
        assert asked == {"disable": True}
        return
    assert asked["test"][:2] == ["CMD", "nightowl"]
    assert read(asked["test"][2:]) == "health"
    assert asked["test"][-1] == OWN[name]["command"][0]


@each_of_ours
def test_each_configuration_is_valid_with_the_secrets_of_its_service(made: Path, tmp_path: Path, name: str) -> None:
    place = inside(made, name, tmp_path)
    found = CliRunner().invoke(main, ["config", "check", "-c", str(place)])
    assert found.exit_code == 0, found.output


@each_of_ours
def test_a_service_is_given_no_secret_that_it_does_not_use(made: Path, tmp_path: Path, name: str) -> None:
    place = inside(made, name, tmp_path)
    used = "".join(path.read_text() for path in place.iterdir()) + json.dumps(OWN[name].get("environment", {}))
    assert [target for target in secrets_of(name) if f"/{target}" not in used] == []


@each_service
def test_each_service_names_only_what_there_is(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]
    assert set(service.get("depends_on", {})) <= SERVICES.keys()
    assert set(service.get("networks", [])) <= SET["networks"].keys()
    assert set(secrets_of(name).values()) <= SET["secrets"].keys()
    outer = [volume.partition(":")[0] for volume in service.get("volumes", [])]
    assert {each for each in outer if not each.startswith(".")} <= SET["volumes"].keys()
    assert [each for each in outer if each.startswith(".") and not (FOLDER / each).exists()] == []


@each_service
def test_no_password_stands_in_the_clear_and_no_port_is_open_to_others(name: str) -> None:
    said = {key: value for key, value in SERVICES[name].get("environment", {}).items() if "PASSWORD" in key}
    assert all(key.endswith("_FILE") and value.startswith(RUN) for key, value in said.items())
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_setup_makes_each_secret_and_keeps_it_when_it_runs_again(made: Path) -> None:
    files = {path.name: path for path in (made / "secrets").iterdir()}
    assert {secret["file"].partition("/")[2] for secret in SET["secrets"].values()} <= files.keys()
    kept = {name: path.read_bytes() for name, path in files.items() if name != "definitions.json"}
    subprocess.run([made / "setup"], check=True, capture_output=True, timeout=60)
    assert {name: files[name].read_bytes() for name in kept} == kept
    assert (made / "secrets").stat().st_mode & 0o077 == 0
    passwords = [kept[name] for name in kept if name.endswith(("-password", "-key"))]
    assert len(set(passwords)) == len(passwords)


def test_another_location_is_one_more_name_at_the_top_of_setup(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "compose"
    shutil.copytree(made, folder)
    before = {path.name for path in (folder / "secrets").iterdir()}
    text = (folder / "setup").read_text()
    (folder / "setup").write_text(text.replace('locations="london sydney"', 'locations="london sydney oslo"'))
    subprocess.run([folder / "setup"], check=True, capture_output=True, timeout=60)
    new = {path.name for path in (folder / "secrets").iterdir()} - before
    assert {name.replace("oslo", "london") for name in new} == {name for name in before if "london" in name}
    permissions = json.loads((folder / "secrets/definitions.json").read_text())["permissions"]
    [london, oslo] = [each for each in permissions if re.search("london|oslo", each["user"])]
    assert json.dumps(oslo) == json.dumps(london).replace("london", "oslo")


def test_certificates_are_of_the_authority(made: Path) -> None:
    for name in ("broker", "director", "evaluator", "london", "sydney"):
        command = [program("openssl"), "verify", "-CAfile", "ca.pem", f"{name}.pem"]
        subprocess.run(command, cwd=made / "secrets", check=True, capture_output=True)


def test_the_brokers_users_have_the_rights_that_our_command_gives_them(made: Path, tmp_path: Path) -> None:
    given = json.loads((made / "secrets/definitions.json").read_text())["permissions"]
    found = CliRunner().invoke(main, ["keys", "broker-permissions", "-c", str(inside(made, "director-1", tmp_path))])
    lines = re.findall(r"set_permissions -p nightowl (\S+) '(.*)' '(.*)' '(.*)'", found.output)
    assert sorted(tuple(each[key] for key in ("user", "configure", "write", "read")) for each in given) == sorted(lines)


@pytest.mark.rabbitmq
def test_rabbitmq_takes_the_users_with_their_passwords(rabbitmq_administrator: dict[str, str], made: Path) -> None:
    def rabbitmqctl(*arguments: str) -> None:
        command = [program("rabbitmqctl"), "--quiet", *arguments]
        subprocess.run(command, env=rabbitmq_administrator, check=True, capture_output=True, timeout=60)

    secrets = made / "secrets"
    rabbitmqctl("import_definitions", str(secrets / "definitions.json"))
    password = (secrets / "broker-actor-london-password").read_text().strip()
    rabbitmqctl("authenticate_user", "nightowl-actor-london", password)


def test_prometheus_scrapes_what_listens() -> None:
    jobs = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    scraped = {target for job in jobs for each in job["static_configs"] for target in each["targets"]}
    listening = {
        f"{name}:{service['command'][-1].rpartition(':')[2]}"
        for name, service in OWN.items()
        if "--listen" in service["command"]
    }
    assert scraped == listening | {"web:9555"}
    assert 'metrics_listen = "0.0.0.0:9555"' in (FOLDER / "config/center.toml").read_text()
