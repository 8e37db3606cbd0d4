"""``[sink.NAME]`` tables."""

import pytest

from nightowl.config import load
from nightowl.core.sinks.settings import SinkSettings

GRAPHITE = '[sink.g]\nkind = "graphite"\n'


def test_a_sink_is_what_its_table_says(configured):
    text = 'labels = { env = "prod", hostname = false, queue = "{queue_name}" }\nmetrics = "celery_*"\nevery = "30s"\n'
    options = {"protocol": "plaintext", "tags": False, "template": "{prefix}.{cluster}.{metric}.{labels}"}
    assert configured(GRAPHITE + text).sinks == {
        "g": SinkSettings(
            name="g",
            kind="graphite",
            address="127.0.0.1:2003",
            prefix="nightowl",
            labels={"env": "prod", "hostname": False, "queue": "{queue_name}"},
            metrics=("celery_*",),
            every=30.0,
            options=options,
        )
    }


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("labels", GRAPHITE + "labels = false"),
        ("labels.hostname", GRAPHITE + "labels = { hostname = true }"),
        ('labels."a b"', GRAPHITE + 'labels = { "a b" = "x" }'),
        ("labels.a", GRAPHITE + 'labels = { a = "x{b}" }'),
        ("labels.a", GRAPHITE + 'labels = { a = "" }'),
        ("every", GRAPHITE + 'every = "0s"'),
        ("metrics", GRAPHITE + "metrics = []"),
        ("prefix", GRAPHITE + 'prefix = "a..b"'),
        ("address", GRAPHITE + 'address = "carbon"'),
        ("template", GRAPHITE + 'template = "{prefix}.{name}"'),
        ("address", '[sink.g]\nkind = "statsd"\naddress = "127.0.0.1:8125"'),
        ("address", '[sink.g]\nkind = "statsd"\naddress = "unix://run/x"'),
        ("address", '[sink.g]\nkind = "statsd"\naddress = "udp://host:99999"'),
        ("sample_rate", '[sink.g]\nkind = "statsd"\nsample_rate = 0'),
        ("path", '[sink.g]\nkind = "files"'),
        ("address", '[sink.g]\nkind = "prometheus"'),
        ("url", '[sink.g]\nkind = "remote_write"'),
        ("ca", '[sink.g]\nkind = "remote_write"\nurl = "http://vm.example/"\nca = "none.pem"'),
        ("namespace", '[sink.g]\nkind = "cloudwatch"\nregion = "x"\nnamespace = "AWS/SQS"'),
        ("kind", '[sink.g]\nkind = "grafite"'),
        ("protocol", GRAPHITE + 'protocol = "udp"'),
    ],
)
def test_what_cannot_be_is_told(mistakes, key, text):
    assert list(mistakes(text)) == [f"sink.g.{key}"]


def test_a_label_that_cannot_be_is_named_and_told_what_could(mistakes):
    found = mistakes(GRAPHITE + 'labels = { env = "prod", "bad-label" = "x", queue = "{queue name}" }')
    name = 'a label whose name has letters, digits and "_" alone, and does not begin with a digit'
    text = 'a text, "{other}" (the label of that name, renamed) or false (dropped)'
    assert found == {"sink.g.labels.bad-label": ('"x"', name), "sink.g.labels.queue": ('"{queue name}"', text)}


@pytest.mark.parametrize("address", ["udp://statsd.example", "tcp://[::1]:8125", "unix:///run/statsd.sock"])
def test_statsd_may_be_reached_by_datagrams_a_stream_or_a_socket_file(configured, address):
    assert configured(f'[sink.s]\nkind = "statsd"\naddress = "{address}"').sinks["s"].address == address


def test_paths_are_relative_to_the_configuration(configured, tmp_path):
    found = configured('[sink.f]\nkind = "files"\npath = "history"').sinks["f"]
    assert found.options["path"] == str(tmp_path / "history")
    assert found.options["max_size"] == 16_000_000


def test_secrets_of_a_sink_are_known_so_that_nothing_repeats_them(tmp_path):
    file = tmp_path / "nightowl.toml"
    file.write_text('[sink.m]\nkind = "remote_write"\nurl = "https://vm/w"\nauth = { bearer = "${env:VM_TOKEN}" }\n')
    found = load(file, environ={"VM_TOKEN": "abc-123-xyz"}).sinks["m"]
    assert found.secrets == ("abc-123-xyz",)
    assert found.options["auth"] == {"basic": "", "bearer": "abc-123-xyz"}


def test_the_keys_of_a_plug_ins_kind_are_for_the_plug_in_to_judge(tmp_path):
    file = tmp_path / "nightowl.toml"
    file.write_text('[sink.p]\nkind = "pigeon"\nloft = "north"\nmetrics = ["check_up"]\n')
    found = load(file, sink_kinds=["pigeon"]).sinks["p"]
    assert (found.kind, found.options, found.metrics) == ("pigeon", {"loft": "north"}, ("check_up",))
