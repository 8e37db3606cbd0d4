"""The pages of sinks: what they show loads, paths are as they say, and the plug-in works."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
import tomllib
import uuid
from pathlib import Path

import pytest

from nightowl.config import load
from nightowl.config.models import SINK_KINDS
from nightowl.core.series import parse
from nightowl.core.sinks.paths import ORDER, dotted
from nightowl.core.sinks.settings import SinkSettings
from nightowl.core.values import Sample
from tests.conftest import FOLDER, require
from tests.servers.graphite_server import Graphite

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("sinks", "statsd", "graphite", "prometheus", "remote-write", "cloudwatch", "sample-files")
SECRETS = {"MIMIR_PASSWORD": "hunter22", "TOKEN": "token"}
ROW = re.compile(r"\| `([a-z_]+\{[^`]*\})` \| `([^`]*)` \|")


def tables(page: str) -> list[str]:
    return re.findall(r"```toml\n(.*?)```", (DOCS / f"{page}.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_what_the_pages_show_loads(page, tmp_path) -> None:
    (tmp_path / "private-ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    for number, text in enumerate(tables(page)):
        file = tmp_path / f"{number}.toml"
        file.write_text(text)
        load(file, environ=SECRETS)
    assert tables(page)


def test_every_kind_has_its_page() -> None:
    index = (DOCS / "sinks.md").read_text()
    for kind in SINK_KINDS:
        [page] = re.findall(rf"^\| `{kind}` \|.*\(([a-z-]+\.md)\) \|$", index, re.MULTILINE)
        assert f'kind = "{kind}"' in (DOCS / page).read_text()


def test_paths_are_as_the_page_says() -> None:
    text = (DOCS / "graphite.md").read_text()
    rows = ROW.findall(text)
    assert len(rows) >= 6
    for series, path in rows:
        assert dotted("nightowl")(*parse(series)) == path
    assert ", ".join(ORDER) in " ".join(text.split())


class Followed(Graphite):
    """A Graphite whose carbon is told what the page says."""

    def prepare(self) -> None:
        super().prepare()
        said = re.findall(r"`(storage-\w+\.conf)`.*?```ini\n(.*?)```", (DOCS / "graphite.md").read_text(), re.DOTALL)
        assert [name for name, _ in said] == ["storage-schemas.conf", "storage-aggregation.conf"]
        for name, text in said:
            (self.folder / "conf" / name).write_text(text)


@pytest.mark.graphite
def test_carbon_keeps_the_last_value_of_counters_as_the_page_says(pytestconfig) -> None:
    require("graphite")
    server = Followed(pytestconfig.stash[FOLDER], f"own-graphite-{uuid.uuid4().hex[:8]}")
    counter, gauge = "nightowl.shop.celery_task_failed_total.add.emails.ValueError", "nightowl.check_up.shop.paris"
    try:
        server.start()
        server.write([(counter, 1.0, time.time()), (gauge, 1.0, time.time())])
        assert kept(server, counter) == ("last", 0.0, [10, 60, 600])
        assert kept(server, gauge) == ("average", 0.5, [10, 60, 600])
    finally:
        server.remove()


def kept(server: Graphite, path: str) -> tuple[str, float, list[int]]:
    file = server.folder / "whisper" / f"{path.replace('.', '/')}.wsp"
    end = time.monotonic() + 30
    while not file.exists() or not file.stat().st_size:
        assert time.monotonic() < end
        time.sleep(0.05)
    said = subprocess.run(["whisper-info", "--json", file], capture_output=True, text=True, check=True).stdout
    found = json.loads(said)
    return found["aggregationMethod"], found["xFilesFactor"], [each["secondsPerPoint"] for each in found["archives"]]


def test_the_plug_in_of_the_documentation_sends_samples(monkeypatch) -> None:
    section = (DOCS / "plugins.md").read_text().partition("## A kind of sink of your own")[2]
    [code] = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    project, table = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    assert tomllib.loads(project)["project"]["entry-points"] == {"nightowl.sinks": {"influx": "influx_sink:Influx"}}
    keys = tomllib.loads(table)["sink"]["influx"]
    namespace: dict = {}
    exec(code, namespace)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5.0)
        address = f"127.0.0.1:{receiver.getsockname()[1]}"
        sink = namespace["Influx"](SinkSettings(name="i", kind="influx", address=address, labels=keys["labels"]))
        labels = (("cluster", "shop"), ("queue_name", "emails"))
        assert sink.emit([Sample("celery_queue_length", labels, 1.5, 4.0)], 1.5) == {}
        expected = b"celery_queue_length,cluster=shop,env=prod,queue_name=emails value=4.0 1500000000"
        assert receiver.recv(1500) == expected
        sink.close()
