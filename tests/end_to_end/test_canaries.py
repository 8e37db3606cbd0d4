"""No secret leaves: canaries in every place where a secret can be given, looked for in everything that comes out."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urljoin, urlsplit

import pytest
import redis
import tomli_w
import trustme
from click.testing import CliRunner

from nightowl.cli import main
from nightowl.config.keys import new_key
from tests.conftest import OwnServer
from tests.end_to_end.canaries import Canaries
from tests.end_to_end.echoes import Echoes
from tests.servers.server import free_ports

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import httpx

ROOT = Path(__file__).parents[2]
LOUD = """
import logging
_set = logging.Logger.setLevel
logging.Logger.setLevel = lambda self, level: _set(self, level if self.name.startswith("sqlalchemy") else logging.DEBUG)
"""
"""Makes every process log all that it can, libraries included; of SQL the database itself tells."""
ROLES = ("viewer", "operator", "admin")
OPERATORS = re.compile(r"heartbeat url is in (/api/v1)?/checks/beat\S* as (operator|admin|local|a program)\b")
"""What is no leak: operators are shown the URL that a job calls."""
SOURCES = ("prom", "graphite", "tsdb")
BAD = ("bad", "slack", "pagerduty", "smtp")
"""Receivers that refuse what they are sent, saying it back."""


class Scene:
    """A whole installation in one folder, and all that comes out of it."""

    def __init__(self, folder: Path, broker_port: int) -> None:
        self.folder = folder
        self.canaries = Canaries()
        self.environment: dict[str, str] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.outputs: dict[str, bytes] = {}
        self.monitored: list[str] = []
        self.broker_port = broker_port
        self.broker_password = self.plant("broker password", odd="")
        (self.web_port,) = free_ports(1)
        self.page = f"http://127.0.0.1:{self.web_port}"

    def plant(self, place: str, *, odd: str | None = None) -> str:
        return self.canaries.plant(place) if odd is None else self.canaries.plant(place, odd=odd)

    def env(self, place: str, *, odd: str | None = None) -> str:
        """Put a canary into the environment; its reference."""
        return self.given(place, self.plant(place, odd=odd))

    def given(self, place: str, value: str) -> str:
        name = re.sub(r"\W", "_", place).upper()
        self.environment[name] = value
        return f"${{env:{name}}}"

    def run(self, *arguments: str) -> None:
        """Run a command to its end; what it printed is looked through as well."""
        path = str(self.folder / "nightowl.toml")
        ran = CliRunner(env=self._environ()).invoke(main, [*arguments, "-c", path])
        self.outputs[" ".join(arguments)] = ran.output.encode()
        assert ran.exit_code == 0, ran.output

    def told(self, place: str, *arguments: str) -> str:
        """Run a command that prints a secret, for whoever may know it; look for that everywhere else."""
        self.run(*arguments)
        text = self.outputs.pop(" ".join(arguments)).decode().strip()
        self.canaries.add(place, text.rpartition("/")[2])
        return text

    def start(self, role: str, *arguments: str) -> None:
        command = [sys.executable, "-m", "nightowl", role, "-c", "nightowl.toml", *arguments]
        with (self.folder / f"{role}.log").open("ab") as log:
            self.processes[role] = subprocess.Popen(
                command, env=self._environ(), cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )

    def end(self) -> None:
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def log(self) -> str:
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in self.folder.glob("*.log"))

    def _environ(self) -> dict[str, str]:
        paths = f"{self.folder}{os.pathsep}{ROOT}"
        return os.environ | self.environment | {"STATE_DIRECTORY": str(self.folder / "state"), "PYTHONPATH": paths}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def scene(tmp_path: Path, own_redis: OwnServer) -> Iterator[Scene]:
    (tmp_path / "sitecustomize.py").write_text(LOUD)
    (tmp_path / "state").mkdir()
    made = Scene(tmp_path, own_redis().port)
    with redis.Redis(port=made.broker_port) as client:
        client.config_set("requirepass", made.broker_password)
    yield made
    made.end()


@pytest.fixture
def echoes(scene: Scene, authority: trustme.CA) -> Iterator[Echoes]:
    scene.environment["TLS_BEARER"] = named = scene.plant("bearer in a certificate", odd="")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(f"{named}.example", common_name=named).configure_cert(tls)
    with Echoes(tls) as running:
        yield running


def checks(scene: Scene, echoes: Echoes, where: str, put: Callable[[str, str], str]) -> dict[str, dict[str, Any]]:
    """A check for every place that takes a secret; ``put(place, value)`` says how the value is written there."""

    def secret(place: str) -> str:
        return put(f"{where} {place}", scene.plant(f"{where} {place}"))

    def token() -> str:
        return put(f"{where} query", quote(scene.plant(f"{where} query"), safe=""))

    http, tcp = f"http://127.0.0.1:{echoes.port('http')}", f"tcp://127.0.0.1:{echoes.port('tcp')}"
    rhythm = {"every": "6s", "timeout": "1s", "attempts": 2, "down_after": 1}
    many = {**rhythm, "every": "30s", "timeout": "2s", "attempts": 12}
    basic = {"basic": put(f"{where} basic", f"user:{scene.plant(f'{where} basic')}")}
    headers = {"X-Api-Key": secret("header"), "Cookie": f"sid={secret('cookie')}"}
    word = put(f"{where} body", json.dumps(scene.plant(f"{where} body"))[1:-1])
    form = put(f"{where} form", quote_plus(scene.plant(f"{where} form")))
    post = {"method": "POST", "headers": headers}
    return {
        "echo": {
            **many, **post, "url": f"{http}/echo?token={token()}", "auth": basic, "body": f'{{"pwd": "{word}"}}',
        },
        "form": {**many, **post, "url": f"{http}/echo", "body": f"user=owl&password={form}"},
        "bearer": {**many, "url": f"{http}/echo", "auth": {"bearer": secret("bearer")}},
        "redirect": {**rhythm, "url": f"{http}/redirect?api_key={token()}", "auth": {"bearer": secret("bearer 2")}},
        "garbage": {**rhythm, **post, "url": f"{http}/garbage", "auth": {"bearer": secret("bearer 3")}},
        "expected": {**rhythm, "url": f"{http}/echo", "expect": {"header": {"Set-Cookie": secret("expectation")}}},
        "tcp": {**many, "url": tcp, "send": f"AUTH {secret('send')}\r\n", "expect": {"banner": "+OK"}},
    }  # fmt: skip


def sources(scene: Scene, url: str) -> dict[str, dict[str, Any]]:
    """Sources that are told secrets in every way, by reference and in the clear."""
    query, password = scene.plant("source query", odd=""), scene.plant("source password", odd="")
    by_reference = {"basic": f"user:{scene.env('source basic')}"}
    return {
        "prom": {"kind": "prometheus", "url": f"{url}?token={query}", "auth": by_reference},
        "graphite": {
            "kind": "graphite", "url": url.replace("://", f"://owl:{password}@"),
            "headers": {"X-Api-Key": scene.plant("source header")},
        },
        "tsdb": {"kind": "opentsdb", "url": url, "auth": {"bearer": scene.plant("source bearer")}},
    }  # fmt: skip


def configure(scene: Scene, echoes: Echoes, authority: trustme.CA) -> None:
    """Write the configuration: secrets by reference, and some in the clear."""

    def in_file(place: str, value: str) -> str:
        path = scene.folder / re.sub(r"\W", "-", place)
        path.write_text(value)
        return f"${{file:{path.name}}}"

    given = {
        f"{where}-{name}": check
        for where, put in (("env", scene.given), ("plain", lambda _place, value: value))
        for name, check in checks(scene, echoes, where, put).items()
    }
    identity = authority.issue_cert("probe.example")
    key = identity.private_key_pem.bytes().decode()
    scene.canaries.add("client key", key.splitlines()[2])
    held = in_file("held", scene.plant("bearer in a file"))
    url = f"http://127.0.0.1:{echoes.port('http')}/echo"
    given["held"] = {"url": url, "every": "6s", "timeout": "1s", "attempts": 2, "down_after": 1}
    given["held"]["auth"] = {"bearer": held}
    broker = f"redis://:{scene.plant('checked broker', odd='')}@127.0.0.1:{echoes.port('tcp')}/0"
    given["queue"] = {"kind": "celery", "url": scene.given("checked", broker), "attempts": 2, "every": "30s"}
    given["queue"] |= {"timeout": "2s", "down_after": 1}
    given["beat"] = {"kind": "heartbeat", "every": "1h"}
    given["tls"] = {
        "url": f"https://127.0.0.1:{echoes.port('https')}/echo", "every": "6s", "timeout": "1s", "attempts": 2,
        "down_after": 1, "verify": False, "auth": {"bearer": "${env:TLS_BEARER}"}, "client_key": key,
        "client_certificate": identity.cert_chain_pems[0].bytes().decode(),
    }  # fmt: skip
    key_text = new_key()
    scene.canaries.add("location key", key_text.partition("-")[2])
    http = f"http://127.0.0.1:{echoes.port('http')}"
    url = f"{http}/bad/{scene.plant('webhook url', odd='')}"
    account = {"username": "owl", "password": scene.env("smtp password")}
    tables = {
        "server": {"listen": f"127.0.0.1:{scene.web_port}", "secret_key": scene.env("server secret_key")},
        "bus": {"broker": scene.given("broker", f"redis://:{scene.broker_password}@127.0.0.1:{scene.broker_port}/0")},
        "self": {"ping": f"{http}/ping/{scene.plant('ping', odd='')}"},
        "location": {
            "local": {"reach": "private", "allow": [{"network": "127.0.0.0/8"}], "key": scene.given("key", key_text)}
        },
        "check": given,
        "source": sources(scene, f"{http}/source"),
        "rule": {name: {"source": name, "query": "up", "below": 1} for name in SOURCES},
        "channel": {
            "good": {"kind": "webhook", "url": f"{http}/good", "secret": scene.env("webhook secret")},
            "bad": {"kind": "webhook", "url": url, "headers": {"Authorization": scene.env("webhook header")}},
            "slack": {"kind": "slack", "url": scene.given("slack", f"{http}/slack/{scene.plant('slack url', odd='')}")},
            "oncall": {
                "kind": "pagerduty", "routing_key": scene.env("routing key"), "url": f"{http}/pagerduty",
            },
            "mail": {
                "kind": "email", "host": "127.0.0.1", "port": echoes.port("smtp"), "security": "none",
                "from": "owl@example.org", "to": ["ops@example.org"], **account,
            },
        },
    }  # fmt: skip
    (scene.folder / "nightowl.toml").write_text(tomli_w.dumps(tables))


def monitor(scene: Scene, stop: ExitStack) -> None:
    """Keep every command that the broker is given."""
    client = redis.Redis(port=scene.broker_port, password=scene.broker_password, socket_timeout=None)
    listening = client.monitor()
    listening.__enter__()

    def listen() -> None:
        with suppress(redis.ConnectionError, OSError, ValueError, AttributeError):
            for command in listening.listen():
                scene.monitored.append(str(command["command"]))

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    stop.callback(thread.join, 5)
    stop.callback(client.close)
    stop.callback(listening.connection.disconnect)


def broker_contents(scene: Scene) -> bytes:
    found: list[bytes] = []
    with redis.Redis(port=scene.broker_port, password=scene.broker_password) as client:
        for key in client.scan_iter():
            found += [key, *(client.lrange(key, 0, -1) if client.type(key) == b"list" else [])]
    return b"\n".join(found)


def wait_for(condition: Callable[[], Any], scene: Scene, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, scene.log()
        assert all(process.poll() is None for process in scene.processes.values()), scene.log()
        time.sleep(0.1)


def answers(scene: Scene) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"{scene.page}/health").status_code == 200
    return False


def heard_of_actor(client: httpx.Client) -> bool:
    """Whether anything has been tried."""
    return bool(client.get("/api/v1/checks?state=down").json()["total"])


def define_by_web(scene: Scene, echoes: Echoes, client: httpx.Client) -> None:
    """Define checks by the API and by a form, also some that are refused."""
    for name, check in checks(scene, echoes, "stored", lambda _place, value: value).items():
        answer = client.put(f"/api/v1/checks/stored-{name}", json=check)
        assert answer.status_code == 201, answer.text
        scene.outputs[f"answer to {name}"] = answer.content
    typed = {
        "csrf": csrf(client, "/add"),
        "name": "typed",
        "url": f"http://127.0.0.1:{echoes.port('http')}/echo",
        "every": "6s",
    }
    typed |= {"timeout": "1s", "attempts": "2", "auth.bearer": scene.plant("typed bearer"), "down_after": "1"}
    assert client.post("/add", data=typed).status_code == 303
    moved = {**typed, "url": "http://127.0.0.2/echo", "auth.bearer": "********"}
    answer = client.post("/checks/typed/edit", data=moved)
    assert answer.status_code == 422
    broken = {
        "url": f"nonsense://x/?token={scene.plant('refused query', odd='')}", "every": scene.plant("x", odd="")[:2],
        "auth": {"basic": scene.plant("refused basic")}, "headers": {"Cookie": [scene.plant("refused header")]},
        "body": [scene.plant("refused body")], "client_key": scene.plant("refused key"),
    }  # fmt: skip
    refused = [client.put("/api/v1/checks/broken", json=broken), answer]
    assert {each.status_code for each in refused} == {422}
    scene.outputs |= {f"refusal {number}": each.content for number, each in enumerate(refused)}


@contextmanager
def signed_in(scene: Scene, name: str, password: str) -> Iterator[httpx.Client]:
    """Somebody behind a proxy, where names and passwords are asked for."""
    with httpx.Client(base_url=scene.page, headers={"X-Forwarded-For": "192.0.2.7"}, timeout=30) as client:
        form = {"csrf": csrf(client, "/login"), "name": name, "password": password, "next": "/"}
        assert client.post("/login", data=form).status_code == 303
        for cookie, value in client.cookies.items():
            scene.canaries.add(f"cookie {cookie} of {name}", value)
        yield client


def csrf(client: httpx.Client, path: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get(path).text)
    assert found
    return found[1]


def read_all(scene: Scene, client: httpx.Client, who: str) -> None:
    """Follow every link of the pages, take the data of each, and ask the API all that it can tell."""
    waiting, seen = ["/", "/metrics", "/health", "/ready", "/nowhere"], set()
    while waiting:
        path = waiting.pop()
        if path in seen or path.startswith("/static"):
            continue
        seen.add(path)
        answer = client.get(path)
        scene.outputs[f"{path} as {who}"] = answer.content
        if "html" in answer.headers.get("content-type", "") and answer.status_code == 200:
            links = [urlsplit(urljoin(path, found)) for found in re.findall(r'href="([^"#]+)"', answer.text)]
            waiting += [link.path for link in links if not link.netloc and link.scheme in ("", "http")]
            waiting.append("/now.json" if path == "/" else f"{path}.json")
    assert len(seen) > 60, seen
    read_api(scene, client, who)


def read_api(scene: Scene, client: httpx.Client, who: str) -> None:
    named = {"name": [check["name"] for check in client.get("/api/v1/checks").json()["checks"]]}
    incidents = client.get("/api/v1/incidents").json()["incidents"]
    for path, operations in client.get("/api/v1/openapi.json").json()["paths"].items():
        if "get" not in operations or path.endswith(("/events", "/live")):
            continue
        parameter = (re.findall(r"{(\w+)}", path) or [""])[0]
        values = named["name"] if "/checks/" in path else [each["id"] for each in incidents][:20]
        for value in values if parameter else [""]:
            full = re.sub(r"{\w+}", value, path)
            scene.outputs[f"{full} as {who}"] = client.get(full).content


def sightings(scene: Scene, echoes: Echoes) -> list[str]:
    """Where canaries are that should be nowhere."""
    places = dict(scene.outputs)
    places["the broker's traffic"] = "\n".join(scene.monitored).encode()
    places["notices"] = b"\n".join(echoes.notices)
    for path in scene.folder.glob("*.log"):
        places[path.name] = path.read_bytes()
    for path in (scene.folder / "state").rglob("*"):
        if path.is_file():
            places[path.name] = path.read_bytes()
    places["the backup"] = gzip.decompress((scene.folder / "owl.backup").read_bytes())
    found = [said for where, data in places.items() for said in scene.canaries.sightings(where, data)]
    return [said for said in found if not OPERATORS.match(said)]


def arguments() -> bytes:
    """The command lines of all processes."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(path.read_bytes())
    return b"\n".join(found)


@pytest.mark.redis
def test_no_canary_is_seen_outside(scene: Scene, echoes: Echoes, authority: trustme.CA) -> None:
    configure(scene, echoes, authority)
    password = scene.plant("user password")
    (scene.folder / "password").write_text(password)
    for role in ROLES:
        scene.run("user", "add", role, "--role", role, "--password-file", str(scene.folder / "password"))
    with ExitStack() as stop:
        monitor(scene, stop)
        scene.start("director")
        scene.start("evaluator")
        scene.start("web")
        wait_for(lambda: answers(scene), scene)
        local = stop.enter_context(httpx.Client(base_url=scene.page, timeout=30))
        define_by_web(scene, echoes, local)
        wait_for(lambda: b"nightowl.check.local" in broker_contents(scene), scene)
        scene.outputs["the broker"] = broker_contents(scene)
        called = scene.told("heartbeat url", "heartbeat", "url", "beat")
        assert httpx.post(f"{called}/fail", content=b"a log").status_code == 200
        token = scene.told("API token", "token", "new", "program", "--role", "operator")
        scene.start("actor", "--location", "local")
        scene.start("notifier")
        wait_for(lambda: heard_of_actor(local), scene)
        expected = {f"source/{name}" for name in SOURCES}
        expected |= {check["name"] for check in local.get("/api/v1/checks").json()["checks"]}
        for name in {each for each in expected if "/" not in each} - {"beat"}:
            assert local.post(f"/api/v1/checks/{name}/run").status_code == 202
        wait_for(lambda: expected <= {each["incident"]["subject"] for each in map(json.loads, echoes.notices)}, scene)
        wait_for(lambda: all(echoes.calls[name] for name in BAD), scene)
        scene.outputs["command lines"] = arguments()
        for role in ROLES:
            with signed_in(scene, role, password) as client:
                read_api(scene, client, role)
        bearer = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=scene.page, headers=bearer, timeout=30) as client:
            read_api(scene, client, "a program")
        read_all(scene, local, "local")
    scene.run("db", "backup", str(scene.folder / "owl.backup"))
    scene.run("config", "show")
    scene.run("config", "check")
    scene.end()
    assert any("nightowl.check.local" in command for command in scene.monitored)
    assert any(b" DEBUG " in path.read_bytes() for path in scene.folder.glob("*.log"))
    found = sightings(scene, echoes)
    assert not found, "\n".join(found)
