import re
import sys
from pathlib import Path

import pytest

from nightowl.config import check_from_spec
from nightowl.config.keys import new_key
from nightowl.config.numbered import NUMBERED
from nightowl.core.errors import ConfigurationError

CHECK = '[check.a]\nurl = "http://a/"\n'
FOLLOWING = '[check.a]\nkind = "task"\ncluster = "c"\ntask = "t"\nevery = "1h"\n'
OFFICE = '[location.l]\nallow = [{ network = "10.0.0.0/8" }]\n'
RULE = '[rule.r]\nmetric = "m"\n'
PROM = '[source.p]\nkind = "prometheus"\nurl = "http://p/"\n[rule.r]\nsource = "p"\n'
FILES = '[source.p]\nkind = "files"\npath = "x"\n[rule.r]\nsource = "p"\n'
FLOATING = RULE + 'strategy = "floating"\nbaseline = { over = "30m" }\n'
MAIL = '[channel.m]\nkind = "email"\nhost = "h"\nfrom = "a@b"\nto = ["c@d"]\n'
WEBHOOK = '[channel.w]\nkind = "webhook"\nurl = "http://x/"\n'
PAGERDUTY = '[channel.d]\nkind = "pagerduty"\nrouting_key = "k"\n'
APPRISE = '[channel.p]\nkind = "apprise"\nurls = ["json://x/"]\n'
SLACK = '[channel.ops]\nkind = "slack"\nurl = "http://s/"\n'
ESCALATING = '[route.r]\nto = ["ops"]\nescalate = [{ after = "15m", to = '
AWS = '[sink.a]\nkind = "cloudwatch"\n'
CLUSTER = '[cluster.c]\nbroker = "redis://redis.example/0"\n'
NIGHTLY = '[maintenance.m]\nstart = "02:30"\nduration = "1h"\n'
SENT = '[sink.g]\nkind = "graphite"\n'


def scraped(one, other):
    tables = (("a", one), ("b", other))
    return "".join(f'[sink.{name}]\nkind = "prometheus"\naddress = "{address}"\n' for name, address in tables)


@pytest.mark.parametrize(
    ("number", "key", "text"),
    [
        ("NO01", "check.a.every", CHECK + 'every = "30s"'),
        ("NO01", "check.a.every", CHECK + 'timeout = "20s"'),
        ("NO01", "check.a.every", CHECK + 'attempt_gap = "20s"'),
        ("NO01", "template.t.every", '[template.t]\nevery = "30s"\n' + CHECK + 'use = "t"'),
        ("NO02", "check.a.every", CHECK + 'every = "4s"\ntimeout = "100ms"'),
        ("NO03", "check.a.locations[1]", CHECK + 'locations = ["local", "paris"]'),
        ("NO04", "check.a.quorum", CHECK + "quorum = 2"),
        ("NO05", "check.a.use", CHECK + 'use = "t"'),
        ("NO06", "route.r.to[0]", '[route.r]\nto = ["ops"]'),
        ("NO07", "route.r.match.severity", SLACK + '[route.r]\nto = ["ops"]\nmatch = { severity = "crit" }'),
        ("NO07", "route.r.match.kind", SLACK + '[route.r]\nto = ["ops"]\nmatch = { kind = "mine" }'),
        ("NO08", "bus.broker", '[bus]\nbroker = "kafka://h"'),
        ("NO09", "store.url", '[store]\nurl = "oracle://h/d"'),
        ("NO10", "location.l.allow", '[location.l]\nreach = "private"'),
        ("NO11", "check.a.client_certificate", CHECK + 'client_key = "-----BEGIN PRIVATE KEY-----"'),
        ("NO12", "check.a.method", CHECK + 'method = "HEAD"\nexpect = { body = "x" }'),
        ("NO13", "check.a.http_version", CHECK.replace("http:", "https:") + 'http_version = "h2c"'),
        ("NO18", "check.a.every", '[check.a]\nkind = "heartbeat"'),
        ("NO18", "check.a.cron", '[check.a]\nkind = "heartbeat"\nevery = "1h"\ncron = "0 3 * * *"'),
        ("NO19", "check.a.every", '[check.a]\nkind = "heartbeat"\nevery = "9s"'),
        ("NO14", "check.a.url", '[check.a]\nurl = "http://10.0.0.1/"'),
        ("NO14", "check.a.url", '[check.a]\nurl = "http://localhost/"'),
        ("NO14", "check.a.url", '[check.a]\nurl = "http://[::1]/"'),
        ("NO14", "check.a.url", '[check.a]\nurl = "http://169.254.169.254/"'),
        ("NO14", "check.a.url", CHECK.replace("//a/", "//8.8.8.8/") + OFFICE + 'reach = "private"'),
        ("NO14", "check.a.url", CHECK.replace("//a/", "//10.0.0.1/") + OFFICE + "[location.m]"),
        ("NO14", "check.a.url", CHECK.replace("//a/", "//10.0.0.1:81/") + OFFICE.replace(" }", ", ports = [80] }")),
        ("NO14", "template.t.url", '[template.t]\nurl = "http://10.0.0.1/"\n[check.a]\nuse = "t"'),
        ("NO14", "check.a.url", '[check.a]\nurl = "icmp://10.0.0.1"\n' + OFFICE.replace(" }", ", ports = [80] }")),
        ("NO14", "check.a.url", '[check.a]\nurl = "tls://10.0.0.1:443"'),
        ("NO14", "check.a.resolver", '[check.a]\nurl = "dns://a"\nresolver = "10.0.0.1"'),
        ("NO15", "check.a.expect.answers[0]", '[check.a]\nurl = "dns://a"\nexpect = { answers = ["mail.a"] }'),
        ("NO17", "location.l.control[1]", '[location.l]\ncontrol = ["tcp://a:1", "tcp://10.0.0.1:53"]'),
        ("NO11", "bus.certificate", '[bus]\nkey = "k.pem"'),
        ("NO37", "check.a.body", CHECK + f'method = "POST"\nbody = "{"x" * 600_000}"'),
        ("NO16", "bus.broker", '[bus]\nbroker = "amqp://rabbit.example"\nca = "ca.pem"'),
        ("NO30", "rule.r.strategy", RULE + 'strategy = "guess"'),
        ("NO31", "rule.r.recover", RULE + 'strategy = "absent"\nrecover = 3'),
        ("NO31", "rule.r.compare", RULE + 'above = 1\ncompare = ["1d"]'),
        ("NO32", "rule.r.over", RULE + 'above = 1\naggregate = "mean"'),
        ("NO32", "rule.r.aggregate", RULE + 'above = 1\nover = "5m"'),
        ("NO33", "rule.r.above", RULE),
        ("NO33", "rule.r.baseline", RULE + 'strategy = "floating"\nabove = "+5"'),
        ("NO33", "rule.r.average", RULE + 'strategy = "period"\nabove = "+5%"\ncompare = ["1d"]'),
        ("NO33", "rule.r.compare", RULE + 'strategy = "period"\nabove = "+5%"\naverage = "5m"'),
        ("NO34", "rule.r.above", RULE + 'above = "+5%"'),
        ("NO34", "rule.r.above", FLOATING + "above = 5"),
        ("NO34", "rule.r.above", FLOATING + 'above = "+3 sigma"\ncounter = true'),
        ("NO34", "rule.r.equals", FLOATING + 'equals = "+3"'),
        ("NO34", "rule.r.above", RULE + 'strategy = "period"\nabove = "+5"\naverage = "5m"\ncompare = ["1d"]'),
        ("NO34", "rule.r.below", RULE + 'strategy = "absent"\nbelow = 3'),
        ("NO35", "rule.r.at_least", RULE + "above = 1\nat_least = 2"),
        ("NO36", "rule.r.recover", RULE + "above = 1\nrecover = 2"),
        ("NO36", "rule.r.recover", RULE + "below = 2\nrecover = 1"),
        ("NO36", "rule.r.recover", RULE + "above = 1\nbelow = -1\nrecover = 0"),
        ("NO38", "source.p.kind", '[source.p]\nkind = "oracle"\nurl = "http://p/"'),
        ("NO39", "source.p.url", '[source.p]\nkind = "graphite"'),
        ("NO39", "source.p.path", '[source.p]\nkind = "prometheus"\nurl = "http://p/"\npath = "x"'),
        ("NO39", "source.p.path", '[source.p]\nkind = "files"'),
        ("NO39", "source.p.url", '[source.p]\nkind = "files"\npath = "x"\nurl = "http://p/"'),
        ("NO40", "rule.r.source", RULE + 'above = 1\nsource = "p"'),
        ("NO41", "rule.r.metric", "[rule.r]\nabove = 1"),
        ("NO41", "rule.r.query", RULE + 'above = 1\nquery = "up"'),
        ("NO41", "rule.r.identifiers", RULE + 'above = 1\nidentifiers = ["a"]'),
        ("NO41", "rule.r.metric", PROM + "above = 1"),
        ("NO41", "rule.r.query", PROM + 'above = 1\nquery = "up"\nmetric = "up"'),
        ("NO41", "rule.r.where", PROM + 'above = 1\nquery = "up"\nwhere = { a = "b" }'),
        ("NO41", "rule.r.query", FILES + 'above = 1\nquery = "up"'),
        ("NO42", "rule.r.by", PROM + 'above = 1\nmetric = "m"\nby = ["a"]'),
        ("NO42", "rule.r.difference", PROM + 'above = 1\nmetric = "m"\ndifference = "n"'),
        ("NO43", "rule.r.identifiers", PROM + "above = 1\nquery = \"up{a='$id'}\""),
        ("NO43", "rule.r.identifiers", PROM + 'above = 1\nmetric = "m"\nidentifiers = ["a"]'),
        ("NO44", "check.a.cluster", FOLLOWING),
        ("NO50", "channel.ops.template", SLACK + 'template = "{{ range(9) }}"'),
        ("NO50", "channel.m.template.subject", MAIL + 'template = { subject = "{{ " }'),
        ("NO51", "channel.m.template.body", MAIL + 'template = { subject = "{{ step }}", body = "{{ sms }}" }'),
        ("NO51", "channel.p.template.title", APPRISE + 'template = { title = "{{ sms }}" }'),
        ("NO52", "channel.d.template", PAGERDUTY + 'template = "{{ incident.tag }}"'),
        ("NO52", "channel.w.template.body", WEBHOOK + 'template.body = "{{ others[0].subject }}"'),
        ("NO53", "channel.w.template.body", WEBHOOK + """template.body = '{"text": "{{ sentence }}"}'"""),
        ("NO53", "channel.w.template.body", WEBHOOK + """template.body = '{"text": "{{ heading }}"}'"""),
        ("NO53", "channel.w.template.body", WEBHOOK + """template.body = '{"text": "{{ incident.subject }}"}'"""),
        ("NO06", "route.r.escalate[0].to[0]", SLACK + ESCALATING + '["boss"] }]'),
        ("NO07", "maintenance.m.match.kind", NIGHTLY + 'days = ["sun"]\nmatch = { kind = "mine" }'),
        ("NO60", "check.a.depends_on[1]", CHECK + 'depends_on = ["r", "router"]\n' + RULE + "above = 1"),
        ("NO60", "rule.r.depends_on[0]", RULE + 'above = 1\ndepends_on = ["router"]'),
        ("NO61", "check.a.depends_on", CHECK + 'depends_on = ["a"]'),
        ("NO61", "check.a.depends_on", CHECK + 'depends_on = ["r"]\n' + RULE + 'above = 1\ndepends_on = ["a"]'),
        ("NO62", "maintenance.m.days", NIGHTLY),
        ("NO63", "cluster.c.backend", CLUSTER + 'backend = "nope://redis.example/0"'),
        ("NO63", "cluster.c.backend", CLUSTER + 'backend = "redis.example/0"'),
        ("NO64", "cluster.c.app", CLUSTER + 'app = "bad app:::"'),
        ("NO64", "cluster.c.app", CLUSTER + 'app = "proj/celery.py"'),
        ("NO71", "sink.g.template", '[sink.g]\nkind = "graphite"\ntags = true\ntemplate = "{metric}"'),
        ("NO71", "sink.s.template", '[sink.s]\nkind = "statsd"\ndialect = "influx"\ntemplate = "{metric}"'),
        ("NO72", "sink.a.dimensions", f'{AWS}region = "x"\ndimensions = {[f"l{n}" for n in range(31)]}'),
        ("NO73", "sink.a.region", AWS),
        ("NO74", "sink.b.address", scraped("127.0.0.1:9100", "127.0.0.1:9100")),
        ("NO74", "sink.b.address", scraped("localhost:9100", "127.0.0.1:9100")),
        ("NO74", "sink.b.address", scraped("127.0.0.1:9100", "0.0.0.0:9100")),
        ("NO62", "maintenance.m.days", NIGHTLY + 'days = ["sun"]\nrrule = "FREQ=DAILY"'),
    ],
)
def test_what_cannot_work_is_refused_with_its_number(mistakes, monkeypatch, number, key, text):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/none")
    assert f"[{number}]" in mistakes(text)[key][1]


@pytest.mark.parametrize(
    ("number", "key", "text"),
    [
        ("NO20", "server.public_url", '[server]\nlisten = "0.0.0.0:5555"'),
        ("NO21", "server.secret_key", '[store]\nurl = "postgresql://owl@db/owl"'),
        ("NO22", "channel.b", SLACK + SLACK.replace("ops", "b") + '[route.r]\nto = ["ops"]'),
        ("NO23", "channel", CHECK),
        ("NO26", "route.r.escalate.0", SLACK + ESCALATING + '["ops"] }]'),
        ("NO24", "check.a.warn.duration", CHECK + 'warn = { duration = "10s" }'),
        ("NO28", "hook.h.cluster", '[cluster.c]\nbroker = "redis://h"\n[hook.h]\nurl = "http://h/"\ncluster = "d*"'),
        ("NO27", "cluster.c.enable_events", '[cluster.c]\nbroker = "redis://h"\nenable_events = false\n' + FOLLOWING),
        ("NO29", "sink.g.metrics", '[sink.g]\nkind = "graphite"\nmetrics = ["celery_*", "celry_*"]'),
        ("NO29", "sink.g.template", '[sink.g]\nkind = "graphite"\ntemplate = "{prefix}.{clutser}.{metric}"'),
        ("NO29", "sink.g.template", SENT + 'template = "{metric}.{hostname}"\nlabels = { hostname = false }'),
        ("NO29", "sink.g.labels", SENT + 'labels = { q = "{queue_nam}" }'),
        ("NO29", "sink.g.labels", SENT + "labels = { hostnam = false }"),
        ("NO29", "sink.a.dimensions", AWS + 'region = "x"\ndimensions = ["clustr"]'),
        ("NO29", "sink.a.dimensions", AWS + 'region = "x"\nlabels = { queue = "{queue_name}" }'),
        ("NO25", "location.local", '[bus]\nbroker = "amqp://rabbit.example"'),
        ("NO25", "location.l, location.m", '[bus]\nbroker = "redis://10.0.0.1"\n[location.l]\n[location.m]'),
        ("NO25", "location.m", '[location.l]\n[location.m]\nbroker = "mariadb+pymysql://db.example/d"'),
    ],
)  # fmt: skip
def test_what_is_likely_not_meant_is_a_hint(configured, number, key, text):
    assert (number, key) in [(hint.number, hint.key) for hint in configured(text).hints]


def test_what_is_as_it_should_be_gets_no_hint(configured):
    text = SLACK + OFFICE + '[check.a]\nurl = "http://10.0.0.1/"\n[check.b]\nurl = "http://8.8.8.8/"'
    assert configured(text).hints == ()


def test_an_address_that_is_refused_is_told_what_would_allow_it(mistakes, configured):
    allowed = mistakes('[check.a]\nurl = "http://localhost:8000/"')["check.a.url"][1]
    table = 'allow = [{ network = "127.0.0.1/32", ports = [8000] }]'
    assert f"{table} in [location.local]" in allowed
    assert configured(f'[location.local]\n{table}\n[check.a]\nurl = "http://localhost:8000/"').checks


def test_an_address_that_is_refused_at_several_locations_is_told_what_would_allow_it_in_all(mistakes):
    locations = "[location.london]\n[location.tokyo]\n"
    allowed = mistakes(locations + '[check.a]\nurl = "http://10.0.0.1/"')["check.a.url"][1]
    assert "in each of [location.london], [location.tokyo] would let them" in allowed


def test_cloud_metadata_is_refused_without_a_way_to_allow_it(mistakes):
    assert "allow =" not in mistakes('[check.a]\nurl = "http://169.254.169.254/"')["check.a.url"][1]


def test_a_name_is_judged_when_it_is_resolved(configured):
    assert configured(OFFICE + 'reach = "private"\n' + CHECK.replace("//a/", "//intranet.example/")).checks


def test_a_broken_location_is_no_reason_to_refuse_an_address(mistakes):
    found = mistakes('[location.l]\nallow = [{ network = "ten" }]\n[check.a]\nurl = "http://10.0.0.1/"')
    assert list(found) == ["location.l.allow[0].network"]


def test_a_check_by_api_or_page_is_judged_where_locations_are_known(configured):
    locations = configured("[location.l]").locations
    with pytest.raises(ConfigurationError, match="NO14"):
        check_from_spec("a", {"url": "http://10.0.0.1/"}, locations=locations)
    assert check_from_spec("a", {"url": "http://10.0.0.1/"}, locations=list(locations)).locations == ("l",)


def test_a_kind_that_is_not_installed_is_told_how_it_would_be(mistakes, configured, monkeypatch):
    assert configured(APPRISE).channels["p"].kind == "apprise"
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert mistakes(APPRISE) == {
        "channel.p.kind": ('"apprise"', "a kind that is installed: pip install 'nightowl[apprise]' [NO54]")
    }


def test_a_sink_whose_package_is_not_installed_is_told_how_it_would_be(mistakes, monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    allowed = "a kind that is installed: pip install 'nightowl[cloudwatch]' [NO70]"
    assert mistakes('[sink.a]\nkind = "cloudwatch"') == {"sink.a.kind": ('"cloudwatch"', allowed)}


def test_a_region_is_taken_from_the_environment_and_labels_of_the_sink_may_be_in_its_template(configured, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert configured(AWS).sinks["a"].kind == "cloudwatch"
    text = '[sink.g]\nkind = "graphite"\ntemplate = "{env}.{metric}.{name}"\nlabels = { env = "prod" }\n'
    assert "NO29" not in {hint.number for hint in configured(text + 'metrics = ["celery_*", "check_up", "*"]').hints}


def test_labels_that_there_are_and_those_that_a_sink_adds_get_no_hint(configured):
    text = f"""{AWS}region = "x"
labels = {{ env = "prod", queue = "{{queue_name}}", hostname = "{{worker}}", worker = "{{hostname}}", name = false }}
dimensions = ["cluster", "env", "queue", "worker"]
"""
    assert configured(text).hints == ()


@pytest.mark.parametrize("other", ["127.0.0.1:9101", "127.0.0.2:9100", "[::1]:9100", "owl.example:9100"])
def test_sinks_that_are_scraped_may_stand_side_by_side(configured, other):
    assert configured(scraped("127.0.0.1:9100", other)).sinks["b"].address == other


def test_a_template_that_is_not_json_may_be_anything(configured):
    text = """template = { content_type = "text/plain", body = '{"text": "{{ sentence }}"}' }"""
    assert configured(WEBHOOK + text).channels["w"].options.content_type == "text/plain"


def test_a_route_may_ask_for_a_least_severity(configured):
    text = SLACK + '[route.r]\nto = ["ops"]\nmatch = { severity = ">=warning", kind = "own" }'
    assert configured(text).routes[0].match == {"severity": ">=warning", "kind": "own"}


def test_attempts_that_just_fit_are_fine(configured):
    assert configured(CHECK + 'every = "32s"').checks["a"].every == 32.0


def test_attempts_that_do_not_fit_are_told_what_would(mistakes):
    found = mistakes(CHECK + 'every = "30s"\nattempt_gap = "1s"')["check.a.every"]
    assert found == (
        '"30s" for 3 x 10s with gaps of 1s and 2s in reserve',
        "at least 34s, or a timeout of at most 8.6s, or fewer attempts [NO01]",
    )


@pytest.mark.parametrize(
    "text",
    [
        '[bus]\nbroker = "redis://localhost"',
        '[bus]\nbroker = "amqp://127.0.0.2"',
        '[bus]\nbroker = "amqp://[::1]"',
        '[bus]\nbroker = "filesystem:///srv/owl"',
        f'[bus]\nbroker = "amqp://rabbit.example"\n[location.l]\nkey = "{new_key()}"',
    ],
)
def test_jobs_that_stay_on_this_machine_or_are_sealed_draw_no_hint(configured, text):
    assert configured(text).hints == ()


def test_every_number_is_shown_by_a_test():
    assert set(NUMBERED) == set(re.findall(r"NO\d\d", Path(__file__).read_text()))
