"""``nightowl location add`` and ``nightowl keys new``: what they leave behind, and what they leave alone."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from nightowl.cli import main
from nightowl.config import load
from nightowl.config.actors import Given, Means, for_actor
from nightowl.config.keys import read_key

BROKER = '[bus]\nbroker = "redis://owl:h0nk@broker.example/3"\n'

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, list(arguments))


def everything(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_key_is_printed_and_nothing_else(run: Run) -> None:
    read_key(run("keys", "new").output.removesuffix("\n"))


def test_a_location_is_added_with_a_key_of_its_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "nightowl.toml").write_text(BROKER.rstrip())
    for name in ("sydney", "tokyo"):
        assert run("location", "add", name).exit_code == 0
    locations = load("nightowl.toml").locations
    assert list(locations) == ["sydney", "tokyo"]
    assert locations["sydney"].keys != locations["tokyo"].keys
    assert stat.S_IMODE((tmp_path / "keys/sydney.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert "owl1-" not in (tmp_path / "nightowl.toml").read_text()


def test_the_line_that_is_printed_starts_an_actor(run: Run, tmp_path: Path) -> None:
    (tmp_path / "nightowl.toml").write_text(BROKER.replace("redis:", "rediss:") + 'ca = "ca.pem"\n')
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    key = read_key_of(added := json.loads(run("location", "add", "sydney", "--json").output))
    assert load("nightowl.toml").locations["sydney"].keys == (key,)
    assert added["environment"]["NIGHTOWL_BROKER"] == "rediss://nightowl-actor-sydney:PASSWORD@broker.example/3"
    assert added["command"] == ["nightowl", "actor", "--location", "sydney", "--ca", str(tmp_path / "ca.pem")]
    assert "h0nk" not in json.dumps(added)
    said = run("location", "add", "tokyo").output
    assert (
        "\nNIGHTOWL_BROKER=rediss://nightowl-actor-tokyo:PASSWORD@broker.example/3 NIGHTOWL_LOCATION_KEY=owl1-" in said
    )
    assert f" nightowl actor --location tokyo --ca {tmp_path}/ca.pem\n" in said
    assert "PASSWORD stands for that of nightowl-actor-tokyo at the broker" in said
    assert "h0nk" not in said


def test_the_line_does_not_take_the_certificate_of_directors_elsewhere(run: Run, tmp_path: Path) -> None:
    files = 'ca = "ca.pem"\ncertificate = "director.pem"\nkey = "director-key.pem"\n'
    (tmp_path / "nightowl.toml").write_text(BROKER.replace("redis:", "rediss:") + files)
    for name in ("ca.pem", "director.pem", "director-key.pem"):
        (tmp_path / name).write_text("-----BEGIN CERTIFICATE-----\n")
    said = run("location", "add", "tokyo").output
    assert " --certificate tokyo.pem --private-key tokyo-key.pem\n" in said
    assert "director" not in said.replace("directors", "")


def read_key_of(added: dict[str, Any]) -> object:
    return read_key(added["environment"]["NIGHTOWL_LOCATION_KEY"])


def test_in_a_folder_a_location_gets_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/bus.toml").write_text(BROKER)
    assert run("location", "add", "sydney", "-c", "conf").exit_code == 0
    assert sorted(everything(tmp_path / "conf")) == ["bus.toml", "keys/sydney.key", "location-sydney.toml"]
    assert load("conf").locations["sydney"].keys


def test_the_first_location_takes_local_away_and_that_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "nightowl.toml").write_text("")
    said = run("location", "add", "sydney").output
    assert "The location local was there as long as none was declared" in said
    assert "nightowl up" in said, "the broker is in memory"
    assert "local was there" not in run("location", "add", "tokyo").output
    (tmp_path / "other.toml").write_text("")
    assert "was there" not in run("location", "add", "local", "-c", "other.toml").output


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("sydney", BROKER + "[location.sydney]\n", 'NAME: found "sydney"'),
        ("a.b", BROKER, 'NAME: found "a.b"'),
        ("sydney", "location = {}\n", "nightowl.toml"),
        ("sydney", "[bus]\nbroker = 7\n", "bus.broker"),
        ("sydney", BROKER + '[check.shop]\nurl = "http://x/"\nlocations = ["local"]\n', "check.shop.locations[0]"),
    ],
)
def test_what_cannot_be_added_leaves_everything_as_it_was(
    run: Run, tmp_path: Path, name: str, text: str, words: str
) -> None:
    (tmp_path / "nightowl.toml").write_text(text)
    refused = run("location", "add", name)
    assert refused.exit_code == 2
    assert words in refused.output
    assert everything(tmp_path) == {"nightowl.toml": text}
    assert not (tmp_path / "keys").exists()


def test_a_key_file_that_is_there_is_never_replaced(run: Run, tmp_path: Path) -> None:
    (tmp_path / "nightowl.toml").write_text(BROKER)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys/sydney.key").write_text("precious")
    refused = run("location", "add", "sydney")
    assert refused.exit_code == 2
    assert "keys/sydney.key: found file exists" in refused.output
    assert everything(tmp_path) == {"nightowl.toml": BROKER, "keys/sydney.key": "precious"}


def test_an_actor_without_a_file_has_a_broker_and_one_location_with_its_key() -> None:
    key = CliRunner().invoke(main, ["keys", "new"]).output.strip()
    means = Means(
        broker=Given("NIGHTOWL_BROKER", "redis://broker.example"),
        key=Given("NIGHTOWL_LOCATION_KEY", key),
        key_is_file=False,
        ca=Given("--ca"),
        certificate=Given("--certificate"),
        private_key=Given("--private-key"),
    )
    configuration = for_actor("sydney", means)
    assert configuration.bus.broker == "redis://broker.example"
    assert configuration.locations["sydney"].keys == (read_key(key),)


ACTOR = ("actor", "--location", "sydney")


@pytest.mark.parametrize(
    ("arguments", "environ", "words"),
    [
        (ACTOR, {}, "NIGHTOWL_BROKER: found nothing, allowed: the broker's URL there, or a configuration"),
        (ACTOR, {"NIGHTOWL_BROKER": "redis://h"}, "NIGHTOWL_LOCATION_KEY: found nothing, allowed: the key of sydney"),
        ((*ACTOR, "--broker", "redis://:h0nk@h"), {}, "--broker: found a password"),
        (ACTOR, {"NIGHTOWL_BROKER": "kafka://:h0nk@h", "NIGHTOWL_LOCATION_KEY": "h0nk"}, "kafka://:***@h"),
        (ACTOR, {"NIGHTOWL_BROKER": "memory://", "NIGHTOWL_LOCATION_KEY": "owl1-" + "A" * 43}, "several processes"),
        (ACTOR, {"NIGHTOWL_BROKER": "redis://h", "NIGHTOWL_LOCATION_KEY": "h0nk"}, "a location key"),
        ((*ACTOR, "--broker", "redis://h", "--key-file", "no.key"), {}, '--key-file: found "no.key"'),
        ((*ACTOR, "--broker", "redis://h", "--key-file", "word"), {}, "with something else in it"),
        (("actor", "--location", "a b", "--broker", "redis://h", "--key-file", "right"), {}, '--location: found "a b"'),
        (
            (*ACTOR, "--broker", "redis://h", "--key-file", "right", "--ca", "word"),
            {},
            "rediss://..., for files for TLS are given",
        ),
        ((*ACTOR, "--location", "tokyo"), {"NIGHTOWL_BROKER": "redis://h"}, "--location: found sydney, tokyo"),
        ((*ACTOR, "-c", "x.toml", "--ca", "ca.pem"), {}, "--ca: found it together with a configuration"),
        (
            (*ACTOR, "--broker", "rediss://h", "--key-file", "right", "--private-key", "word"),
            {},
            "--certificate: found nothing, allowed: the certificate of --private-key",
        ),
    ],
)
def test_an_actor_that_lacks_something_says_what_to_give(
    arguments: tuple[str, ...], environ: dict[str, str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("nightowl.cli.actor.log_to_stderr", lambda _: None)  # it would stay with the tests to come
    (tmp_path / "word").write_text("h0nk")
    (tmp_path / "right").write_text("owl1-" + "A" * 43)
    refused = CliRunner().invoke(main, arguments, env=environ)
    assert refused.exit_code == 2
    assert words in refused.output
    assert "h0nk" not in refused.output
