import os
from pathlib import Path

import pytest

from nightowl.config import load
from nightowl.config.settings import Alertmanager, Bus, Email, PagerDuty, Retention, Server, Slack, Webhook
from nightowl.core.errors import ConfigurationError
from nightowl.core.values import Location, Network, Policy, Route, Severity

CHANNELS = """
[channel.ops]
kind = "slack"
url = "https://hooks.example/x"
[channel.mail]
kind = "email"
host = "mail.example"
from = "owl@example.org"
to = ["ops@example.org"]
[channel.desk]
kind = "webhook"
url = "https://desk.example/"
secret = "hmac"
headers = { X-Team = "ops" }
timeout = "3s"
"""


def test_without_a_file_everything_has_its_default():
    nothing = load(None)
    assert (nothing.server, nothing.retention, nothing.bus) == (Server(), Retention(), Bus())
    assert (nothing.store_url, nothing.self_ping, nothing.source, nothing.files) == ("", "", "", ())
    assert nothing.locations == {"local": Location(name="local")}
    assert (nothing.checks, nothing.channels, nothing.routes, nothing.users) == ({}, {}, (), ())


def test_the_server_listens_where_it_is_told(configured):
    server = configured('[server]\nlisten = "[::1]:80"\nmetrics_listen = "127.0.0.1:9000"\nurl_prefix = "/owl/"').server
    assert (server.listen_host, server.listen_port, server.metrics_listen) == ("::1", 80, ("127.0.0.1", 9000))
    assert server.url_prefix == "/owl"


def test_the_public_url_has_no_slash_at_its_end(configured):
    assert configured('[server]\npublic_url = "https://owl.example/"').server.public_url == "https://owl.example"


def test_retention_is_seconds_and_bytes(configured):
    kept = configured('[retention]\nattempts = "1d"\nmax_size = "2GiB"').retention
    assert (kept.attempts, kept.outcomes, kept.max_size) == (86400.0, 90 * 86400.0, 2**31)


def test_rollups_are_kept_as_long_as_samples_at_least(configured):
    kept = configured('[retention]\nseries = "30d"\nrollups = "7d"\nmax_series = 1000').retention
    assert (kept.series, kept.rollups, kept.max_series) == (30 * 86400.0, 30 * 86400.0, 1000)


def test_a_store_gets_the_driver_that_is_shipped(configured):
    assert configured('[store]\nurl = "postgresql://a:b@c/d"').store_url == "postgresql+psycopg://a:b@c/d"
    assert configured('[store]\nurl = "mariadb://a@c/d"').store_url == "mariadb+pymysql://a@c/d"


def test_a_relative_sqlite_file_is_beside_the_configuration(configured, tmp_path):
    assert configured('[store]\nurl = "sqlite:///owl.db"').store_url == f"sqlite:///{tmp_path}/owl.db"
    assert configured('[store]\nurl = "sqlite:////var/owl.db"').store_url == "sqlite:////var/owl.db"


@pytest.mark.parametrize(
    "url",
    [
        "memory://",
        "filesystem:///var/owl",
        "redis://h:6379/0",
        "rediss://:p@h",
        "amqp://u:p@h/v",
        "amqps://h",
        "mariadb+pymysql://u:p@h/d",
    ],
)
def test_the_tested_brokers_are_taken(configured, url):
    assert configured(f'[bus]\nbroker = "{url}"').bus.broker == url


def test_files_of_the_bus_are_beside_the_configuration(configured, tmp_path):
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----")
    assert configured('[bus]\nbroker = "amqps://h"\nca = "ca.pem"').bus.ca == str(tmp_path / "ca.pem")


def test_a_location_has_a_policy_and_a_broker(configured):
    text = """
    [location.office]
    reach = "private"
    allow = [{ network = "10.0.0.0/8", ports = [80] }, { network = "fd00::1" }]
    broker = "redis://h"
    """
    policy = Policy(reach="private", allow=(Network("10.0.0.0/8", (80,)), Network("fd00::1/128")))
    assert configured(text).locations == {"office": Location(name="office", policy=policy, broker="redis://h")}


def test_channels_carry_all_that_they_need(configured):
    channels = configured(CHANNELS).channels
    assert {name: channel.kind for name, channel in channels.items()} == {
        "ops": "slack",
        "mail": "email",
        "desk": "webhook",
    }
    assert channels["ops"].options == Slack(url="https://hooks.example/x")
    assert channels["mail"].options == Email(
        host="mail.example", port=587, security="starttls", sender="owl@example.org", to=("ops@example.org",)
    )
    assert channels["desk"].options == Webhook(
        url="https://desk.example/", secret="hmac", headers={"X-Team": "ops"}, timeout=3.0
    )


def test_pagerduty_is_spoken_to_where_its_accounts_are_unless_told_otherwise(configured):
    text = '[channel.oncall]\nkind = "pagerduty"\nrouting_key = "k"'
    usual = PagerDuty(routing_key="k", url="https://events.pagerduty.com/v2/enqueue")
    assert configured(text).channels["oncall"].options == usual
    given = configured(f'{text}\nurl = "https://events.eu.pagerduty.com/v2/enqueue"\ntimeout = "3s"')
    assert given.channels["oncall"].options == PagerDuty(
        routing_key="k", url="https://events.eu.pagerduty.com/v2/enqueue", timeout=3.0
    )


def test_alertmanagers_are_one_or_several_and_are_told_again_every_minute(configured):
    text = '[channel.am]\nkind = "alertmanager"\nurl = "http://am.example:9093"'
    assert configured(text).channels["am"].options == Alertmanager(url=("http://am.example:9093",))
    assert configured(text).channels["am"].resend == 60.0
    given = configured(text.replace('"http://am.example:9093"', '["http://a/", "http://b/"]\nresend = "5m"'))
    assert given.channels["am"].options == Alertmanager(url=("http://a/", "http://b/"), resend=300.0)


def test_other_channels_are_not_told_again(configured):
    assert {channel.resend for channel in configured(CHANNELS).channels.values()} == {0.0}


def test_templates_are_kept_by_what_they_are_of(configured):
    text = """
    [channel.a]
    kind = "apprise"
    urls = ["json://x/"]
    template = { title = "{{ step }}" }
    [channel.d]
    kind = "pagerduty"
    routing_key = "k"
    template = "{{ heading }}"
    [channel.s]
    kind = "slack"
    url = "http://x/"
    template = "{{ sentence }}"
    [channel.w]
    kind = "webhook"
    url = "http://x/"
    [channel.w.template]
    body = "{{ text }}"
    content_type = "text/plain"
    """
    assert {name: channel.options.template for name, channel in configured(text).channels.items()} == {
        "a": {"title": "{{ step }}"},
        "d": {"summary": "{{ heading }}"},
        "s": {"text": "{{ sentence }}"},
        "w": {"body": "{{ text }}"},
    }


def test_a_plugins_kind_takes_its_keys_as_they_are(tmp_path):
    path = tmp_path / "nightowl.toml"
    path.write_text('[channel.p]\nkind = "pigeon"\nloft = "north"\nbirds = [1, { ring = true }]')
    with pytest.raises(ConfigurationError, match="a kind of channel"):
        load(path)
    [channel] = load(path, channel_kinds=["slack", "pigeon"]).channels.values()
    assert (channel.kind, channel.keywords) == ("pigeon", {"loft": "north", "birds": [1, {"ring": True}]})


def test_what_no_plain_value_is_is_refused_of_a_plugins_channel_too(tmp_path):
    path = tmp_path / "nightowl.toml"
    path.write_text('[channel.p]\nkind = "pigeon"\nsince = 2026-01-01')
    with pytest.raises(ConfigurationError, match="strings, finite numbers"):
        load(path, channel_kinds=["pigeon"])


def test_a_mail_servers_port_follows_from_its_security(configured):
    plain = configured(CHANNELS.replace('host = "mail.example"', 'host = "mail.example"\nsecurity = "tls"'))
    assert plain.channels["mail"].options.port == 465


def test_without_a_route_everything_goes_to_every_channel(configured):
    assert configured(CHANNELS).routes == (Route(name="default", to=("ops", "mail", "desk")),)


def test_a_route_says_what_goes_where(configured):
    text = CHANNELS + '[route.crit]\nmatch = { severity = "crit*" }\nto = ["ops"]\nrepeat = "0s"'
    assert configured(text).routes == (Route(name="crit", match={"severity": "crit*"}, to=("ops",), repeat=0.0),)


def test_users_come_from_the_file(configured):
    user = configured('[user.alice]\nrole = "admin"\npassword_hash = "$argon2id$v=19$x"').users[0]
    assert (user.name, user.role, user.origin) == ("alice", "admin", "file")


def test_a_user_may_be_called_by_an_e_mail_address(configured):
    text = '[user."alice@example.org"]\nrole = "viewer"\npassword_hash = "$argon2id$v=19$x"'
    assert configured(text).users[0].name == "alice@example.org"


def test_a_folder_is_merged_by_table_in_order_of_name(tmp_path):
    (tmp_path / "b.toml").write_text('[check.b]\nurl = "http://b/"')
    (tmp_path / "a.toml").write_text('[server]\nlisten = "127.0.0.1:1"\n[check.a]\nurl = "http://a/"')
    (tmp_path / "c.txt").write_text("not TOML")
    whole = load(tmp_path)
    assert list(whole.checks) == ["a", "b"]
    assert whole.files == (tmp_path / "a.toml", tmp_path / "b.toml")


def test_a_table_in_two_files_is_a_mistake_that_names_both(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text('[store]\nurl = ""\n[check.shop]\nurl = "http://a/"')
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path)
    found = [(Path(one.file).name, one.key, one.found) for one in refused.value.mistakes]
    first = f"a second definition (the first is in {tmp_path / 'a.toml'})"
    assert found == [("b.toml", "store", first), ("b.toml", "check.shop", first)]


def test_the_source_is_the_path_as_it_was_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("owl.toml").write_text("")
    assert load("owl.toml").source == "owl.toml"
    assert load(Path("owl.toml")).files == (Path("owl.toml"),)


@pytest.mark.parametrize("name", ["missing.toml", "missing/missing.toml", "empty", "locked.toml", "nul\0.toml"])
def test_what_cannot_be_read_is_one_message(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "locked.toml").mkdir()
    with pytest.raises(ConfigurationError) as refused:
        load(tmp_path / name)
    assert len(refused.value.mistakes) == 1


def test_broken_toml_is_told_by_line_and_column(mistakes):
    found = mistakes("[server]\nlisten = \n")
    allowed = "TOML, where a text stands in quotes and a table in brackets"
    assert found == {"line 2, column 10": ("a mistake of syntax (Invalid value)", allowed)}


def test_a_file_of_other_bytes_is_one_mistake(tmp_path):
    (tmp_path / "nightowl.toml").write_bytes(b'[server]\nlisten = "\xff"')
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load(tmp_path / "nightowl.toml")


def test_a_byte_order_mark_does_no_harm(tmp_path):
    (tmp_path / "nightowl.toml").write_bytes(b'\xef\xbb\xbf[server]\nlisten = "127.0.0.1:1"')
    assert load(tmp_path / "nightowl.toml").server.listen_port == 1


def test_a_check_of_the_file_has_all_that_its_table_says(configured):
    check = configured(
        """
        [location.london]
        [location.office]
        [check.shop]
        url = "https://shop.example/login"
        method = "POST"
        headers = { Accept = "application/json" }
        body = '{"probe": true}'
        auth = { basic = "${env:SHOP_PROBE}" }
        every = "2m"
        timeout = "5s"
        locations = ["london"]
        severity = "warning"
        tags = { team = "shop" }
        http_version = "2"
        [check.shop.expect]
        status = ["200-299", 404]
        json = { "$.ok" = true }
        [check.shop.warn]
        duration = "2s"
        certificate = "14d"
        """,
        SHOP_PROBE="owl:pw",
    ).checks["shop"]
    assert (check.name, check.every, check.locations, check.severity) == ("shop", 120.0, ("london",), Severity.WARNING)
    target = check.target
    assert (target.kind, target.method, target.basic, target.timeout) == ("https", "POST", "owl:pw", 5.0)
    assert (target.http_version, target.headers) == ("2", {"Accept": "application/json"})
    assert (target.expect.status, target.expect.json) == (((200, 299), (404, 404)), {"$.ok": True})
    assert (target.warn.duration, target.warn.certificate) == (2.0, 14 * 86400.0)


def test_a_check_runs_at_all_locations_unless_it_says_where(configured):
    text = '[location.a]\n[location.b]\n[check.x]\nurl = "http://x/"'
    assert configured(text).checks["x"].locations == ("a", "b")
    assert configured('[check.x]\nurl = "http://x/"').checks["x"].locations == ("local",)


def test_defaults_are_those_of_the_values(configured):
    check = configured('[check.x]\nurl = "tcp://x:1"').checks["x"]
    plain = type(check)(name="x", target=type(check.target)(kind="tcp", url="tcp://x:1"), locations=("local",))
    assert check == plain


def test_the_environment_is_the_process_s_own_by_default(tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "OWL_PORT", "77")
    (tmp_path / "nightowl.toml").write_text('[server]\nlisten = "127.0.0.1:${env:OWL_PORT}"')
    assert load(tmp_path / "nightowl.toml").server.listen_port == 77
