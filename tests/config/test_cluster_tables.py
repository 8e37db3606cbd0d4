"""``[cluster.NAME]``, ``[hook.NAME]`` and ``[metrics]`` tables."""

import pytest

from nightowl.config.masking import masked
from nightowl.core.cluster.settings import (
    ClusterSettings,
    FailureSettings,
    FindingSettings,
    HookSettings,
    MetricsSettings,
    Tls,
)
from nightowl.core.values import Severity

SHOP = '[cluster.shop]\nbroker = "redis://127.0.0.1:6379/0"\n'


def test_a_brokers_url_is_enough(configured):
    loaded = configured(SHOP)
    assert loaded.clusters == {"shop": ClusterSettings(name="shop", broker="redis://127.0.0.1:6379/0")}
    assert loaded.metrics == MetricsSettings()


def test_a_cluster_is_what_its_table_says(configured, tmp_path):
    loaded = configured(
        """
        [cluster.shop]
        broker = "rediss://redis.example/0"
        ssl = { verify = false }
        worker_timeout = "1m"
        purge_offline_workers = "0s"
        arguments = "none"
        failures = { tasks = ["shop.*"], after = 3, resolve = "1h" }
        [metrics]
        prefix = "shop_"
        runtime_buckets = [0.5, 1.0]
        auth = "scraper:canary"
        """
    )
    assert loaded.clusters["shop"] == ClusterSettings(
        name="shop",
        broker="rediss://redis.example/0",
        tls=Tls(verify=False),
        worker_timeout=60.0,
        purge_offline_workers=0.0,
        arguments="none",
        failures=FailureSettings(tasks=("shop.*",), after=3, resolve=3600.0),
    )
    assert loaded.metrics == MetricsSettings(prefix="shop_", runtime_buckets=(0.5, 1.0), auth="scraper:canary")


def test_what_is_found_by_itself_is_tuned_or_switched_off(configured):
    loaded = configured(
        f"""
        {SHOP}
        [cluster.shop.findings]
        worker_silent = false
        gaps = true
        stuck = {{ severity = "critical", after = "5m", skip = ["shop.nightly.*"] }}
        backlog = {{ floor = 1000 }}
        """
    )
    assert loaded.clusters["shop"].findings == {
        "worker_silent": FindingSettings(on=False),
        "stuck": FindingSettings(severity=Severity.CRITICAL, after=300.0, skip=("shop.nightly.*",)),
        "backlog": FindingSettings(floor=1000),
    }


def test_a_hook_is_told_of_failures_unless_its_table_says_otherwise(configured, tmp_path):
    url = "https://receiver.example/hook"
    assert configured(f'[hook.a]\nurl = "{url}"').hooks == {"a": HookSettings(name="a", url=url)}
    loaded = configured(
        f"""
        [hook.orders]
        url = "{url}"
        on = ["task-succeeded", "task-retried"]
        cluster = "sh*"
        task = ["shop.orders.*", "shop.mail"]
        secret = "canary"
        verify = false
        timeout = "5s"
        """
    )
    assert loaded.hooks["orders"] == HookSettings(
        name="orders",
        url=url,
        on=("task-succeeded", "task-retried"),
        clusters=("sh*",),
        tasks=("shop.orders.*", "shop.mail"),
        secret="canary",
        verify=False,
        timeout=5.0,
    )


def test_a_cluster_may_depend_on_a_check(configured, mistakes):
    watched = f'{SHOP}depends_on = ["redis"]\n'
    assert configured(f'{watched}[check.redis]\nurl = "tcp://h:1"').clusters["shop"].depends_on == ("redis",)
    assert "check or rule" in mistakes(watched)["cluster.shop.depends_on[0]"][1]


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        ("[cluster.shop]", "cluster.shop.broker", "required"),
        ('[cluster.shop]\nbroker = "ftp://x"', "cluster.shop.broker", "sentinel://"),
        ('[cluster.shop]\nbroker = "redis://h;ftp://x"', "cluster.shop.broker", "sentinel://"),
        (f"{SHOP}ssl = {{ }}", "cluster.shop.broker", "rediss://"),
        (f'{SHOP}arguments = "some"', "cluster.shop.arguments", "redacted"),
        (f'{SHOP}accept_content = ["pickle"]', "cluster.shop.accept_content", "json"),
        (f"{SHOP}failures = {{ after = 0 }}", "cluster.shop.failures.after", "1"),
        (f"{SHOP}findings = {{ stuck = 1 }}", "cluster.shop.findings.stuck", "a table"),
        (f"{SHOP}findings = {{ lost = {{ after = '1m' }} }}", "cluster.shop.findings.lost.after", ""),
        (f"{SHOP}findings = {{ ghosts = false }}", "cluster.shop.findings.ghosts", ""),
        ("[hook.a]", "hook.a.url", "required"),
        ('[hook.a]\nurl = "ftp://x/"', "hook.a.url", "http"),
        ('[hook.a]\nurl = "http://x/"\non = ["task-sent"]', "hook.a.on", "task-failed"),
        ('[hook.a]\nurl = "http://x/"\ntask = []', "hook.a.task", "1"),
        ('[hook.a]\nurl = "http://x/"\ncluster = 7', "hook.a.cluster", "list"),
        ('[hook.a]\nurl = "http://x/"\ntimeout = "31s"', "hook.a.timeout", "30s"),
        ("[metrics]\nruntime_buckets = [1.0, 1.0]", "metrics.runtime_buckets", "rising"),
        ('[metrics]\nprefix = "7-"', "metrics.prefix", "celery_"),
        ('[metrics]\nauth = "alone"', "metrics.auth", "a user and a password"),
    ],
)
def test_what_cannot_work_is_told(mistakes, text, key, allowed):
    told = mistakes(text)
    named = next(name for name in told if name.startswith(key))
    assert allowed in told[named][1]


def test_passwords_of_brokers_and_scrapers_are_masked():
    assert masked("redis://:canary@h/0", ("cluster", "shop", "broker")) == "redis://:***@h/0"
    assert masked("scraper:canary", ("metrics", "auth")) == "***"
    assert masked({"url": "https://x.example/t0k3n", "secret": "canary"}, ("hook", "a")) == {
        "url": "***",
        "secret": "***",
    }
    assert masked("${env:HOOK}", ("hook", "a", "url")) == "${env:HOOK}"
    assert masked(["*token*"], ("cluster", "shop", "redact")) == ["*token*"]


@pytest.mark.parametrize(
    "backend",
    [
        "",
        "redis://r/1",
        "rpc://",
        "rpc",
        "cache+memcached://m/",
        "db+postgresql://d/x",
        "proj.backends:Mine",
        "django-db",
    ],
)
@pytest.mark.parametrize("app", ["", "proj", "proj.celery", "proj.celery:app", "proj.celery:Main.app"])
def test_every_way_to_name_a_result_backend_and_an_app_is_taken(configured, backend, app):
    loaded = configured(f'{SHOP}backend = "{backend}"\napp = "{app}"').clusters["shop"]
    assert (loaded.backend, loaded.app) == (backend, app)


def test_all_mistakes_of_clusters_hooks_and_metrics_are_told_at_once(mistakes):
    found = mistakes(
        """
        [cluster.one]
        backend = "nope://"
        beat = "oracle://x"
        qeues = ["images"]
        failures = { after = 0 }
        findings = { gaps = "no" }
        ssl = { key = "missing.pem" }
        [cluster.two]
        broker = ""
        app = "bad app:::"
        depends_on = ["nothing"]
        [cluster.three]
        broker = 5
        default_queue = ""
        app = "::"
        [hook.y]
        ca = "missing.pem"
        [metrics]
        runtime_buckets = ["x", -1, 5.0]
        """
    )
    one = ("broker", "backend", "beat", "qeues", "failures.after", "findings.gaps", "ssl.key", "ssl.certificate")
    assert set(found) == {
        *(f"cluster.one.{key}" for key in one),
        *(f"cluster.two.{key}" for key in ("broker", "app", "depends_on[0]")),
        *(f"cluster.three.{key}" for key in ("broker", "default_queue", "app")),
        *("hook.y.url", "hook.y.ca", "metrics.runtime_buckets[0]", "metrics.runtime_buckets[1]"),
    }
    assert found["cluster.one.findings.gaps"] == ('"no"', "a table, true or false")
    assert found["cluster.one.failures.after"] == ("0", "a number of at least 1")
    assert found["cluster.two.broker"] == ('""', "at least 1 character")
    assert found["cluster.one.qeues"][1].startswith("queues (is that meant?), or one of ")
