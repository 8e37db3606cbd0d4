"""Flower's options: where they come from, which wins, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from nightowl.config import Configuration, load
from nightowl.config.flower import OPTIONS, configuration, read
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.errors import ConfigurationError

CLUSTER = ClusterSettings(name="shop", broker="redis://user:secret@127.0.0.1:6379/0")


def configured(*arguments: str, environ: Mapping[str, str] | None = None) -> Configuration:
    return configuration(
        read(arguments, environ or {}), CLUSTER, Path("/state"), lambda password: f"hash of {password}"
    )


def mistakes(*arguments: str, environ: Mapping[str, str] | None = None) -> str:
    with pytest.raises(ConfigurationError) as refused:
        configured(*arguments, environ=environ)
    return str(refused.value)


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port=5556"],
        ["--port", "5556"],
        ["--url-prefix=/owl/", "--port=5556"],
        ["--inspect_timeout=3", "--port=5556"],
    ],
)
def test_options_are_written_as_flower_and_as_people_write_them(arguments: list[str]) -> None:
    assert configured(*arguments).server.listen_port == 5556


def test_underscores_and_hyphens_are_the_same() -> None:
    assert configured("--read-only").clusters == configured("--read_only").clusters


def test_without_options_it_is_as_flower_is() -> None:
    found = configured()
    assert (found.server.listen_host, found.server.listen_port) == ("0.0.0.0", 5555)
    assert found.server.url_prefix == ""
    assert found.flower.patience == 1.0
    assert not found.flower.is_open
    cluster = found.clusters["shop"]
    assert cluster.enable_events
    assert cluster.control
    assert cluster.purge_offline_workers == 0.0
    assert found.store_url.startswith("sqlite:////state/shop-")


def test_the_command_line_wins_over_the_file_and_this_over_the_environment(empty_folder: Path) -> None:
    environ = {"FLOWER_PORT": "1", "FLOWER_ADDRESS": "10.0.0.1", "FLOWER_URL_PREFIX": "env"}
    (empty_folder / "flowerconfig.py").write_text("port = 1 + 1\naddress = '10.0.0.2'\n")
    server = configured("--port=3", environ=environ).server
    assert (server.listen_port, server.listen_host, server.url_prefix) == (3, "10.0.0.2", "/env")


def test_a_file_that_is_named_is_run(empty_folder: Path) -> None:
    (empty_folder / "own.py").write_text("import os\nbasic_auth = ['ada:' + 'lovelace']\nformat_task = lambda t: t\n")
    found = configured("--conf=own.py")
    assert found.flower.basic_auth == ("ada:lovelace",)
    assert [(user.name, user.role, user.password_hash) for user in found.users] == [
        ("ada", "admin", "hash of lovelace")
    ]
    assert configured(environ={"FLOWER_CONF": "own.py"}).flower == found.flower


def test_a_file_that_cannot_be_run_is_told_without_its_text(empty_folder: Path) -> None:
    (empty_folder / "flowerconfig.py").write_text("raise ValueError('my secret')")
    assert mistakes() == "flowerconfig.py: conf: found ValueError, allowed: Python that can be run"
    (empty_folder / "flowerconfig.py").write_text("port = \n")
    assert "SyntaxError in line 1" in mistakes()
    assert "a file that there is" in mistakes("--conf=none.py")


def test_everything_is_mapped(empty_folder: Path) -> None:
    for name in ("cert.pem", "key.pem", "ca.pem"):
        (empty_folder / name).touch()
    found = configured(
        "--address=127.0.0.1",
        "--unix_socket=owl.sock",
        "--url_prefix=flower/",
        "--xheaders",
        "--certfile=cert.pem",
        "--keyfile=key.pem",
        "--ca_certs=ca.pem",
        "--basic_auth=a:b,c:d:e",
        "--cookie_secret=salt",
        "--read_only=yes",
        "--broker_api=http://guest:guest@rabbit:15672/api/",
        "--inspect_timeout=2500",
        "--enable_events=false",
        "--max_tasks=20000",
        "--persistent",
        "--db=kept/flower",
        "--purge_offline_workers=60",
        "--task_runtime_metric_buckets=1,5,10",
    )
    server, cluster = found.server, found.clusters["shop"]
    assert server.listen_host == "127.0.0.1"
    assert server.unix_socket == str(empty_folder / "owl.sock")
    assert server.url_prefix == "/flower"
    assert "10.0.0.0/8" in server.trusted_proxies
    assert server.certificate == str(empty_folder / "cert.pem")
    assert server.key == str(empty_folder / "key.pem")
    assert server.client_ca == str(empty_folder / "ca.pem")
    assert server.secret_key == "salt"
    assert found.flower.basic_auth == ("a:b", "c:d:e")
    assert found.flower.patience == 2.5
    assert not cluster.control
    assert cluster.rabbitmq_api == "http://guest:guest@rabbit:15672/api/"
    assert not cluster.enable_events
    assert cluster.purge_offline_workers == 60.0
    assert found.retention.max_tasks == 20000
    assert found.store_url == f"sqlite:///{empty_folder}/kept/flower.nightowl.db"
    assert found.metrics.runtime_buckets == (1.0, 5.0, 10.0)


def test_each_broker_has_a_store_of_its_own_that_a_new_password_does_not_change() -> None:
    def place(broker: str) -> str:
        cluster = ClusterSettings(name="shop", broker=broker)
        return configuration(read((), {}), cluster, Path("/state"), str).store_url

    one, other, renewed = place("redis://u:a@one/0"), place("redis://u:a@two/0"), place("redis://u:b@one/0")
    assert one == renewed != other


def test_the_api_is_opened_by_the_variable_and_not_beside_pairs() -> None:
    environ = {"FLOWER_UNAUTHENTICATED_API": "true"}
    assert configured(environ=environ).flower.is_open
    assert not configured("--basic_auth=a:b", environ=environ).flower.is_open
    assert not configured(environ={"FLOWER_UNAUTHENTICATED_API": "0"}).flower.is_open
    assert "FLOWER_UNAUTHENTICATED_API" in mistakes(environ={"FLOWER_UNAUTHENTICATED_API": "maybe"})


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("--port=http", '--port: found "http", allowed: a whole number, 0 or above'),
        ("--port=-1", '--port: found "-1"'),
        ("--port", "--port: found nothing, allowed: a value"),
        ("--persistent=maybe", '--persistent: found "maybe", allowed: true or false'),
        ("--basic_auth=nobody", "--basic_auth: found ***, allowed: name:password"),
        ("--broker_api=guest:secret@rabbit", "--broker_api: found ***, allowed: an http:// or https:// URL"),
        ("--certfile=cert.pem", '--certfile: found "cert.pem", allowed: both certfile and keyfile, or neither'),
        ("--prot=5555", "--prot: found an option that there is not"),
        ("prot", "prot: found an option that there is not"),
        ("--auth=.*@example.com", "NightOwl does not sign people in by OAuth2"),
        ("--auth_provider=flower.views.auth.GoogleAuth2LoginHandler", "--basic_auth=name:password"),
        ("--oauth2_secret=hidden", "--oauth2_secret: found ***"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(argument: str, said: str) -> None:
    told = mistakes(argument)
    assert said in told
    assert "\n" not in told
    assert "hidden" not in told
    assert "secret@" not in told


def test_all_mistakes_are_told_at_once() -> None:
    environ = {"FLOWER_MAX_TASKS": "y", "FLOWER_OAUTH2_KEY": "z", "FLOWER_BASIC_AUTH": "ada", "FLOWER_BROKER_API": "x"}
    assert len(mistakes("--port=x", environ=environ).splitlines()) == 5


def test_what_is_not_there_is_told_with_what_takes_its_place() -> None:
    given = read(["--natural_time", "--auto-refresh=False", "-A", "proj", "--broker=redis://"], {}, ["-A", "--broker"])
    assert given.notes() == [
        "--natural_time has no effect here: times are told as people say them, exact under the pointer",
        "--auto-refresh has no effect here: pages are live; who wants can pause them there",
        "-A belongs before the word nightowl, and has no effect here",
        "--broker belongs before the word nightowl, and has no effect here",
    ]


def test_other_variables_of_flowers_name_are_nobodys_business() -> None:
    assert read([], {"FLOWER_GITHUB_OAUTH_DOMAIN": "git.example", "PORT": "1"}).values == {}


def test_each_option_says_what_it_does_or_what_takes_its_place() -> None:
    assert all(bool(option.help) or bool(option.instead) for option in OPTIONS.values())


def test_a_configuration_of_nightowls_own_is_opened_by_the_variable_too() -> None:
    assert load(None, environ={"FLOWER_UNAUTHENTICATED_API": "1"}).flower.is_open
    assert not load(None, environ={}).flower.is_open
    with pytest.raises(ConfigurationError, match="FLOWER_UNAUTHENTICATED_API: found maybe, allowed: true or false"):
        load(None, environ={"FLOWER_UNAUTHENTICATED_API": "maybe"})
