import json

import pytest
import tomli_w

from nightowl.config import check_from_spec, load
from nightowl.config.masking import mask_url, masked
from nightowl.config.showing import effective
from nightowl.core.errors import ConfigurationError

SECRET = "hunter2-hunter2-hunter2-hunter2-hunter2"


def test_a_variable_of_the_environment_stands_for_its_value(configured):
    check = configured('[check.x]\nurl = "http://x/"\nauth = { bearer = "${env:TOKEN}" }', TOKEN=SECRET).checks["x"]
    assert check.target.bearer == SECRET


def test_several_references_may_stand_in_one_string(configured, tmp_path):
    (tmp_path / "pw").write_text("s3\n")
    url = configured('[store]\nurl = "postgresql://${env:USER}:${file:pw}@db/owl"', USER="owl").store_url
    assert url == "postgresql+psycopg://owl:s3@db/owl"


def test_a_file_is_read_beside_the_configuration_and_watched(configured, tmp_path):
    (tmp_path / "token").write_text(f"{SECRET}\r\n")
    loaded = configured('[check.x]\nurl = "http://x/"\nauth = { bearer = "${file:token}" }')
    assert loaded.checks["x"].target.bearer == SECRET
    assert loaded.files == (tmp_path / "nightowl.toml", tmp_path / "token")


def test_references_work_in_lists_and_sub_tables(configured):
    text = '[location.x]\nallow = [{ network = "${env:NET}" }]'
    assert configured(text, NET="10.0.0.0/8").locations["x"].policy.allow[0].network == "10.0.0.0/8"


def test_what_only_looks_a_little_like_a_reference_is_text(configured):
    body = configured('[check.x]\nurl = "http://x/"\nbody = "${user} ${a:b} $env:X"').checks["x"].target.body
    assert body == "${user} ${a:b} $env:X"


@pytest.mark.parametrize("reference", ["${env:}", "${env}", "${ENV:X}", "${file:}", "${env:X"])
def test_a_reference_that_is_miswritten_is_refused(mistakes, reference):
    text = f'[check.x]\nurl = "http://x/"\nuser_agent = "{reference}"'
    assert mistakes(text, X="1") == {
        "check.x.user_agent": (f'"{reference}"', "a reference as ${env:NAME} or ${file:PATH}")
    }


def test_a_missing_variable_is_a_mistake_like_any_other(mistakes):
    found = mistakes('[store]\nurl = "${env:DB}"\n[server]\nlisten = "x"')
    assert found["store.url"] == ('"${env:DB}"', "a variable that is set; the environment has no DB")
    assert "server.listen" in found


@pytest.mark.parametrize("name", ["missing", "folder", "binary", "large"])
def test_a_file_that_cannot_be_used_is_a_mistake(mistakes, tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_bytes(b"x" * (2**20 + 1))
    assert set(mistakes(f'[server]\nsecret_key = "${{file:{name}}}"')) == {"server.secret_key"}


def test_a_variable_of_other_bytes_is_a_mistake(mistakes):
    assert "UTF-8" in mistakes('[server]\nsecret_key = "${env:KEY}"', KEY="\udcff")["server.secret_key"][1]


def test_a_template_that_misses_a_secret_is_told_once(mistakes):
    text = '[template.t]\nbody = "${env:NO}"\n[check.a]\nuse = "t"\nurl = "http://a/"\n[check.b]\nuse = "t"\nurl = "http://b/"'
    assert set(mistakes(text)) == {"template.t.body"}


def test_specs_hold_the_reference_and_checks_the_secret(configured):
    text = '[template.t]\nauth = { bearer = "${env:TOKEN}" }\n[check.x]\nuse = "t"\nurl = "http://x/"'
    loaded = configured(text, TOKEN=SECRET)
    assert loaded.specs == {"x": {"auth": {"bearer": "${env:TOKEN}"}, "url": "http://x/"}}
    assert loaded.checks["x"].target.bearer == SECRET


EVERYTHING_WRONG = """
[server]
listen = "${env:S}"
public_url = "${env:S}"
url_prefix = "${env:S}"
trusted_proxies = ["${env:S}"]
[store]
url = "${env:S}"
[retention]
attempts = "${env:S}"
max_size = "${env:S}"
[bus]
broker = "${env:S}"
ca = "${env:S}"
[self]
ping = "${env:S}"
[location.x]
reach = "${env:S}"
broker = "${env:S}"
allow = [{ network = "${env:S}" }]
[check.x]
url = "${env:S}"
kind = "${env:S}"
use = "${env:S}"
[check.y]
url = "http://y/"
timeout = "${env:S}"
ca = "${env:S}"
client_key = "${env:S}"
locations = ["${env:S}"]
method = "${env:S}"
auth = { basic = "${env:S}" }
expect = { status = "${env:S}", regex = "(${env:S}" }
runbook = "${env:S}"
[check.z]
url = "${env:S}"
[channel.x]
kind = "${env:S}"
[channel.y]
kind = "email"
host = "h"
from = "${env:S}"
to = ["${env:S}"]
[route.x]
to = ["${env:S}"]
match = { severity = "${env:S}" }
[channel.z]
kind = "slack"
url = "http://x/"
template = "{{ ${env:S} }} {{ incident.${env:S} }}"
[channel.a]
kind = "apprise"
urls = ["${env:S}"]
[channel.m]
kind = "alertmanager"
url = ["${env:S}"]
[user.x]
role = "${env:S}"
password_hash = "${env:S}"
"""


def test_no_mistake_tells_what_came_from_a_secret(mistakes):
    found = mistakes(EVERYTHING_WRONG, S=SECRET)
    assert len(found) > 25
    assert SECRET not in str(found)


@pytest.mark.parametrize(
    "text",
    [
        f'[server]\nsecret_key = ["{SECRET}"]',
        f'[check.x]\nurl = "http://x/"\nauth = {{ basic = "{SECRET}" }}',
        f'[check.x]\nurl = "http://x/"\nauth = {{ baisc = "{SECRET}" }}',
        f'[check.x]\nurl = "http://u:{SECRET}@x/"',
        f'[check.x]\nurl = "http://x/"\nheaders = {{ Authorization = ["{SECRET}"] }}',
        f'[channel.x]\nkind = "slack"\nurl = "{SECRET}"',
        f'[channel.x]\nkind = "webhook"\nurl = "http://x/"\nsecret = ["{SECRET}"]',
        f'[channel.x]\nkind = "pagerduty"\nrouting_key = ["{SECRET}"]',
        f'[channel.x]\nkind = "pagerduty"\nrouting_key = "{SECRET}\\n"\nurl = "x"',
        f'[channel.x]\nkind = "apprise"\nurls = ["{SECRET}"]',
        f'[channel.x]\nkind = "apprise"\nurls = "tgram://{SECRET}"',
        f'[channel.x]\nkind = "alertmanager"\nurl = ["ftp://{SECRET}"]',
        f'[channel.x]\nkind = "email"\npassword = "{SECRET}"\nbogus = 1',
        f'[user.x]\nrole = "admin"\npassword_hash = "{SECRET}"',
        f'[store]\nurl = "oracle://u:{SECRET}@h/d"',
        f'[bus]\nbroker = "kafka://:{SECRET}@h"',
        f'[bus]\nbroker = "redis://h?password={SECRET} "',
    ],
)
def test_no_mistake_tells_a_secret_that_was_written_out(configured, text):
    with pytest.raises(ConfigurationError) as refused:
        configured(text)
    assert SECRET not in str(refused.value)


SHOWN = f"""
[server]
secret_key = "{SECRET}"
[store]
url = "postgresql://owl:{SECRET}@db/owl"
[bus]
broker = "amqp://owl:${{env:S}}@h"
[self]
ping = "https://watch.example/{SECRET}"
[check.x]
url = "http://x/?token={SECRET}"
headers = {{ Authorization = "{SECRET}", X-Api-Key = "{SECRET}", Accept = "text/html" }}
auth = {{ bearer = "${{env:S}}" }}
tags = {{ token = "blue" }}
[channel.x]
kind = "slack"
url = "https://hooks.example/{SECRET}"
[channel.y]
kind = "pagerduty"
routing_key = "{SECRET}"
[channel.z]
kind = "apprise"
urls = ["tgram://{SECRET}/1"]
[channel.m]
kind = "alertmanager"
url = ["http://x/{SECRET}"]
headers = {{ Authorization = "{SECRET}" }}
[user.x]
role = "admin"
password_hash = "$argon2id${SECRET}"
"""


def test_what_is_shown_holds_no_secret(tmp_path):
    (tmp_path / "nightowl.toml").write_text(SHOWN)
    shown = effective(tmp_path / "nightowl.toml", environ={"S": SECRET})
    assert SECRET not in json.dumps(shown)
    assert shown["check"]["x"]["auth"] == {"bearer": "${env:S}"}
    assert shown["check"]["x"]["headers"] == {"Authorization": "***", "X-Api-Key": "***", "Accept": "text/html"}
    assert shown["check"]["x"]["tags"] == {"token": "blue"}
    assert shown["store"]["url"] == "postgresql://owl:***@db/owl"


def test_what_is_shown_without_masks_loads_as_the_same(tmp_path):
    text = """
    [template.t]
    every = "90s"
    [check.x]
    use = "t"
    url = "http://x/"
    [location.l]
    reach = "private"
    allow = [{ network = "10.0.0.0/8", ports = [80] }]
    """
    (tmp_path / "nightowl.toml").write_text(text)
    (tmp_path / "shown.toml").write_text(tomli_w.dumps(effective(tmp_path / "nightowl.toml")))
    first, second = load(tmp_path / "nightowl.toml"), load(tmp_path / "shown.toml")
    assert (first.checks, first.locations, first.server) == (second.checks, second.locations, second.server)


def test_what_follows_from_other_keys_is_shown(tmp_path):
    text = '[check.x]\nurl = "http://x/"\n[channel.m]\nkind = "email"\nhost = "h"\nfrom = "a@b"\nto = ["a@b"]'
    (tmp_path / "nightowl.toml").write_text(text)
    shown = effective(tmp_path / "nightowl.toml")
    assert (shown["channel"]["m"]["port"], shown["check"]["x"]["kind"]) == (587, "http")
    assert shown["route"] == {"default": {"to": ["m"]}}
    assert shown["location"] == {"local": {"reach": "internet"}}


def test_passwords_in_urls_are_masked():
    assert mask_url("redis://:pw@h/0") == "redis://:***@h/0"
    assert mask_url("amqp://u:p@ss@h") == "amqp://u:***@h"
    assert mask_url("http://h/?a=1&api_key=x&b=2#f") == "http://h/?a=1&api_key=***&b=2#f"
    assert mask_url("amqp://u:${env:PW}@h") == "amqp://u:${env:PW}@h"
    assert mask_url("http://h:80/a@b") == "http://h:80/a@b"


def test_names_that_sound_secret_hide_nothing():
    assert masked({"check": {"token": {"every": "1m"}}}, ()) == {"check": {"token": {"every": "1m"}}}


def test_checks_made_elsewhere_cannot_read_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", SECRET)
    spec = {
        "url": "http://x/",
        "body": "${env:TOKEN}",
        "ca": "/etc/hostname",
        "auth": {"bearer": "${file:/etc/hostname}"},
    }
    with pytest.raises(ConfigurationError) as refused:
        check_from_spec("x", spec, locations=["local"])
    assert {one.key for one in refused.value.mistakes} == {"check.x.body", "check.x.ca", "check.x.auth.bearer"}


def test_references_of_a_stored_check_work_where_they_are_allowed():
    spec = {"url": "http://x/", "body": "${env:TOKEN}"}
    check = check_from_spec("x", spec, locations=["local"], environ={"TOKEN": "t"}, allow_references=True)
    assert check.target.body == "t"


def test_a_check_names_the_values_of_its_references_and_no_others(tmp_path):
    (tmp_path / "nightowl.toml").write_text(
        '[template.api]\nheaders = { X-Key = "${env:KEY}" }\n'
        '[check.shop]\nuse = "api"\nurl = "http://shop.example/?t=${env:TOKEN}"\n'
        '[check.blog]\nurl = "http://blog.example/"\n'
    )
    environ = {"KEY": "one-key", "TOKEN": "two-token"}
    loaded = load(tmp_path / "nightowl.toml", environ=environ)
    assert loaded.checks["shop"].target.secrets == ("one-key", "two-token")
    assert loaded.checks["blog"].target.secrets == ()
    made = check_from_spec("shop", loaded.specs["shop"], locations=["local"], environ=environ, allow_references=True)
    assert made.target.secrets == ("one-key", "two-token")
