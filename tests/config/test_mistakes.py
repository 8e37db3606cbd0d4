import pytest

from nightowl.config import load
from nightowl.core.errors import ConfigurationError

WEBHOOK = '[channel.x]\nkind = "webhook"\nurl = "http://x/"\n'
CHECK = '[check.shop]\nurl = "http://shop/"\n'


def test_every_mistake_is_told_at_once(mistakes):
    found = mistakes(
        """
        [server]
        listen = "nowhere"
        [location.london]
        reach = "moon"
        [check.shop]
        url = "http://shop/"
        timeout = 5
        every = "soon"
        attempts = 0
        locations = ["paris"]
        [check.mail]
        url = "tcp://mail"
        method = "GET"
        [route.all]
        to = ["pager"]
        extra = 1
        """
    )
    assert set(found) == {
        "server.listen",
        "location.london.reach",
        "check.shop.timeout",
        "check.shop.every",
        "check.shop.attempts",
        "check.shop.locations[0]",
        "check.mail.url",
        "check.mail.method",
        "route.all.to[0]",
        "route.all.extra",
    }


def test_a_mistake_names_file_key_found_and_allowed(tmp_path):
    path = tmp_path / "nightowl.toml"
    path.write_text(CHECK + 'every = "soon"')
    with pytest.raises(ConfigurationError) as refused:
        load(path)
    assert str(refused.value) == (
        f'{path}: check.shop.every: found "soon", allowed: a duration such as "30s", "1m" or "1h30m"'
    )


def test_an_unknown_key_is_met_with_the_nearest_one(mistakes):
    found, allowed = mistakes(CHECK + 'evry = "1m"')["check.shop.evry"]
    assert found == "an unknown key"
    assert allowed.startswith("every (is that meant?), or one of attempt_gap, ")


def test_an_unknown_key_of_a_sub_table_is_met_with_that_table_s_keys(mistakes):
    found = mistakes(CHECK + 'expect = { bdoy = "x" }')
    assert found["check.shop.expect.bdoy"][1].startswith("body (is that meant?), or one of answers, banner, ")


def test_a_key_of_a_later_version_is_not_taken_for_one_elsewhere(mistakes):
    assert "yet" not in mistakes(CHECK + 'auth = { oidc = "x" }')["check.shop.auth.oidc"][1]


def test_an_unknown_table_is_met_with_the_tables_there_are(mistakes):
    assert mistakes("[chekc.x]")["chekc"][1].startswith("check (is that meant?), or one of auth, bus, ")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[auth]\noidc = {}", "auth.oidc"),
    ],
)
def test_what_a_later_version_will_know_is_refused_and_said_so(mistakes, text, key):
    assert "this version of NightOwl does not have" in mistakes(text)[key][1]


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        ('[server]\nlisten = "127.0.0.1"', "server.listen", 'an address and a port such as "127.0.0.1:5555"'),
        ('[server]\nlisten = "h:99999"', "server.listen", "an address and a port"),
        ('[server]\npublic_url = "owl.example"', "server.public_url", "a URL"),
        ('[server]\npublic_url = "https://u:p@owl.example"', "server.public_url", "a URL without user"),
        ('[server]\nurl_prefix = "owl"', "server.url_prefix", "a path"),
        ('[server]\ntrusted_proxies = ["10.0.0.1/8"]', "server.trusted_proxies[0]", "a network without host bits"),
        ('[server]\nsecret_key = "short"', "server.secret_key", "at least 32 characters"),
        ("server = 5", "server", "a table"),
        ("check = 5", "check", "tables with names"),
        ("[check]\nshop = 5", "check.shop", "a table"),
        ("[check]\nurl = 'http://x'", "check.url", "a table"),
        ('[check."a b"]\nurl = "http://x/"', 'check."a b"', "a name"),
        ('[location."a.b"]', 'location."a.b"', "a name"),
        ('[retention]\nmax_size = "2 gigs"', "retention.max_size", "a size"),
        ("[retention]\nmax_size = 2000", "retention.max_size", "a size"),
        ('[retention]\nattempts = "1s"', "retention.attempts", "a duration"),
        ("[bus]\ntransport_options = { x = 2020-01-01 }", "bus.transport_options", "strings, finite numbers"),
        ("[bus]\ntransport_options = { x = nan }", "bus.transport_options", "strings, finite numbers"),
        ('[location.x]\nallow = [{ network = "ten" }]', "location.x.allow[0].network", "a network"),
        ('[location.x]\nallow = [{ network = "10.0.0.0/8", ports = [0] }]', "location.x.allow[0].ports[0]", "a whole"),
        ('[channel.x]\nurl = "http://x/"', "channel.x.kind", "a kind of channel (email, webhook, slack, pagerduty, "),
        ("[channel]\nx = 5", "channel.x", "a table"),
        ('[channel.x]\nkind = "slack"', "channel.x.url", "a value; the key is required"),
        ('[channel.x]\nkind = "slack"\nurl = "ftp://x/"', "channel.x.url", "a URL"),
        ('[channel.x]\nkind = "pagerduty"', "channel.x.routing_key", "a value; the key is required"),
        ('[channel.x]\nkind = "pagerduty"\nrouting_key = ""', "channel.x.routing_key", "at least 1 character"),
        ('[channel.x]\nkind = "pagerduty"\nrouting_key = "k\\n"', "channel.x.routing_key", "a text of one line"),
        ('[channel.x]\nkind = "webhook"\nurl = "http://x/"\ntimeout = "1h"', "channel.x.timeout", "a duration"),
        ('[channel.x]\nkind = "webhook"\nurl = "http://x/"\nheaders = { "a b" = "c" }', "channel.x.headers", "header"),
        ('[channel.x]\nkind = "alertmanager"', "channel.x.url", "a value; the key is required"),
        ('[channel.x]\nkind = "alertmanager"\nurl = []', "channel.x.url", "a URL, or a list of at most 8"),
        ('[channel.x]\nkind = "alertmanager"\nurl = ["http://a/", "http://a/"]', "channel.x.url", "a URL, or a list"),
        ('[channel.x]\nkind = "alertmanager"\nurl = ["http://a/", 5]', "channel.x.url", "a URL such as"),
        ('[channel.x]\nkind = "alertmanager"\nurl = "http://a/"\nresend = "1s"', "channel.x.resend", "a duration"),
        ('[channel.x]\nkind = "alertmanager"\nurl = "http://a/"\ntemplate = "t"', "channel.x.template", "one of ca,"),
        ('[channel.x]\nkind = "apprise"\nurls = []', "channel.x.urls", "a list of at least 1"),
        ('[channel.x]\nkind = "apprise"\nurls = ["mailto:a"]', "channel.x.urls[0]", "a URL as apprise has them"),
        ('[channel.x]\nkind = "slack"\nurl = "http://x/"\ntemplate = { text = "t" }', "channel.x.template", "a string"),
        ('[channel.x]\nkind = "slack"\nurl = "http://x/"\ntemplate = ""', "channel.x.template", "at least 1 character"),
        (WEBHOOK + "template = { content_type = 'text/plain' }", "channel.x.template.body", "a value; the key is"),
        (WEBHOOK + "template = { text = 't' }", "channel.x.template.text", "one of body, content_type"),
        ('[channel.x]\nkind = "email"\nhost = "h"\nfrom = "a@b"\nto = []', "channel.x.to", "a list of at least 1"),
        ('[channel.x]\nkind = "email"\nhost = "h"\nfrom = "a"\nto = ["a@b"]', "channel.x.from", "an e-mail address"),
        ('[channel.x]\nkind = "email"\nhost = "h"\nfrom = "a@b"\nto = ["a@b"]\nusername = "u"', "channel.x", "user"),
        ('[user.x]\nrole = "king"\npassword_hash = "$argon2id$"', "user.x.role", '"viewer", "operator" or "admin"'),
        ('[user.x]\nrole = "admin"\npassword_hash = "pw"', "user.x.password_hash", "the encoded form of argon2"),
        ("[route.x]\nto = []", "route.x.to", "a list of at least one name"),
        (CHECK + "timeout = 5", "check.shop.timeout", "a duration"),
        (CHECK + "attempts = true", "check.shop.attempts", "a whole number from 1 to 20"),
        (CHECK + "attempts = 2.0", "check.shop.attempts", "a whole number from 1 to 20"),
        (CHECK + 'verify = "no"', "check.shop.verify", "true or false"),
        (CHECK + 'method = "get"', "check.shop.method", '"GET", "HEAD", '),
        (CHECK + "family = 4", "check.shop.family", '"any", "4" or "6"'),
        (CHECK + "body = 5", "check.shop.body", "a string"),
        (CHECK + 'tags = { severity = "x" }', "check.shop.tags", "tag names"),
        (CHECK + "tags = { team = 5 }", "check.shop.tags.team", "a string"),
        (CHECK + 'locations = ["local", "local"]', "check.shop.locations", "a list of at least one name, each once"),
        (CHECK + 'auth = { basic = "x" }', "check.shop.auth.basic", '"user:password"'),
        (CHECK + 'auth = { basic = "a:b", bearer = "x" }', "check.shop.auth", "either basic or bearer"),
        (CHECK + 'user_agent = "a\\nb"', "check.shop.user_agent", "a text of one line"),
        (CHECK + 'runbook = "wiki"', "check.shop.runbook", "a URL"),
        (CHECK + 'expect = { status = "200-" }', "check.shop.expect.status", "status codes and ranges"),
        (CHECK + "expect = { status = [] }", "check.shop.expect.status", "status codes and ranges"),
        (CHECK + 'expect = { regex = "(" }', "check.shop.expect.regex", "a regular expression ("),
        (CHECK + 'expect = { regex = "((a{999}){999}){999}" }', "check.shop.expect.regex", "a regular expression of"),
        (CHECK + 'expect = { json = { "$..[" = 1 } }', "check.shop.expect.json", "JSONPath"),
        (CHECK + "warn = { duration = 2 }", "check.shop.warn.duration", "a duration"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_met_with_what_is_allowed(mistakes, text, key, allowed):
    assert mistakes(text)[key][1].startswith(allowed)


@pytest.mark.parametrize(
    "url",
    [
        "oracle://h/d",
        "postgresql://h",
        "postgresql:///",
        "sqlite://",
        "sqlite:///:memory:",
        "mariadb://u:p/w@h/d",
        "nonsense",
    ],
)
def test_a_broken_store_url_is_refused(mistakes, url):
    assert "[NO09]" in mistakes(f'[store]\nurl = "{url}"')["store.url"][1]


@pytest.mark.parametrize(
    "url",
    [
        "kafka://h",
        "redis",
        "redis://",
        "amqp://h:port",
        "filesystem://",
        "mariadb+pymysql://h",
        "sqs://",
        "redis://a b",
    ],
)
def test_a_broken_broker_url_is_refused(mistakes, url):
    assert "[NO08]" in mistakes(f'[bus]\nbroker = "{url}"')["bus.broker"][1]
    assert "[NO08]" in mistakes(f'[location.x]\nbroker = "{url}"')["location.x.broker"][1]


def test_a_mistake_is_told_once_and_not_what_follows_from_it(mistakes):
    assert set(mistakes(CHECK + 'timeout = "29s"\nattempts = "two"')) == {"check.shop.attempts"}
    assert set(mistakes('[location.x]\nreach = "private"\nallow = [{ network = "x" }]')) == {
        "location.x.allow[0].network"
    }


@pytest.mark.parametrize(
    "text",
    [
        '[sink.m]\nkind = "remote_write"\nurl = "http://127.0.0.1/"\npasword = "hunter4"',
        '[channel.ops]\nkind = "slack"\nurll = "https://hooks.slack.example/services/hunter4"',
        '[cluster.shop]\nbroker = "redis://127.0.0.1/0"\nbrokr = "redis://127.0.0.1/hunter4"',
        '[chanel.ops]\nurl = "https://hooks.slack.example/services/hunter4"',
        '[sink.m]\nkind = "remote_write"\nurl = "http://127.0.0.1/"\nauth = { oidc = "hunter4", bearerr = "hunter4" }',
        "[checks]\nhunter = 1\n" + CHECK + 'auth = { oidc = "hunter4" }',
    ],
)
def test_the_value_of_an_unknown_key_is_not_shown_as_it_may_be_a_secret(tmp_path, text):
    path = tmp_path / "nightowl.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        load(path)
    assert "hunter4" not in str(refused.value)
