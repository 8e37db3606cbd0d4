"""What remote control says where it cannot be: no fanout, no broker, no answer."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from nightowl.adapters.celery_cluster.control.broker import CONNECT_TIMEOUT, Broker
from nightowl.adapters.celery_cluster.control.remote import control
from nightowl.core.cluster.command import Answer, Command
from nightowl.core.errors import Refused, Unavailable
from tests.adapters.celery_cluster.watched import until, workers
from tests.servers.authority import TlsBroker
from tests.servers.server import Server

PING = Command(name="ping")

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # drivers leave sockets open


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield listener.getsockname()[1]


def asked(url: str, **options: Any) -> list[Answer]:
    remote = control(url, **options)
    try:
        return remote.ask(PING, 0.05)
    finally:
        remote.close()


@pytest.mark.mariadb
def test_a_database_has_no_remote_control_but_takes_tasks(mariadb_url: str) -> None:
    remote = control(f"sqla+{mariadb_url}")
    with pytest.raises(Refused, match="MariaDB as the broker has no remote control"):
        remote.ask(PING, 1.0)
    assert remote.send("shop.add", args=[1], kwargs={}, options={"queue": "backlog"})
    assert remote.purge("backlog") == 1
    assert not remote.reaches_workers
    remote.close()


def test_workers_of_a_folder_are_reached(tmp_path: Path) -> None:
    folder = tmp_path / "bus"
    folder.mkdir()
    options = {
        "data_folder_in": str(folder),
        "data_folder_out": str(folder),
        "control_folder": str(tmp_path / "control"),
    }
    remote = control("filesystem://", transport_options=options)
    fleet = ("-P", "solo", "-n", "a@shop")
    with workers(tmp_path, "filesystem://", fleet, options=json.dumps(options | {"polling_interval": 0.05})):
        until(lambda: not remote.ask(PING, 1.0, ["a@shop"])[0].silent)
    remote.close()


@pytest.mark.parametrize("scheme", ["redis", "amqp", "rediss", "amqps"])
def test_a_broker_that_does_not_answer_holds_nobody_up(
    silent_port: int, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("CONNECT_TIMEOUT", "ANSWER_TIMEOUT"):
        monkeypatch.setattr(f"nightowl.adapters.celery_cluster.control.broker.{limit}", 0.4)
    remote = control(f"{scheme}://owl:hunter22@127.0.0.1:{silent_port}/0")
    began = time.monotonic()
    with pytest.raises(Unavailable, match=f"the broker at 127.0.0.1:{silent_port} does not answer") as error:
        remote.ask(PING, 0.1)
    assert time.monotonic() - began < CONNECT_TIMEOUT
    assert "hunter22" not in str(error.value)
    remote.close()


@pytest.mark.parametrize("scheme", ["redis", "amqp", "sqla+mysql+pymysql"])
def test_where_nothing_listens_it_is_said_at_once(scheme: str) -> None:
    remote = control(f"{scheme}://owl:hunter22@127.0.0.1:1/0")
    calls: list[Callable[[], object]] = [
        lambda: remote.purge("celery"),
        lambda: remote.send("shop.add", args=[], kwargs={}, options={}),
    ]
    for call in calls:
        with pytest.raises(Unavailable) as error:
            call()
        assert "hunter22" not in str(error.value)


@pytest.mark.redis
def test_a_wrong_password_is_told_as_such(own_redis: Callable[[], Server]) -> None:
    server = own_redis()
    with redis.Redis(port=server.port) as client:
        client.config_set("requirepass", "right")
    with pytest.raises(Unavailable, match="refuses us") as error:
        asked(f"redis://:hunter22@127.0.0.1:{server.port}/0")
    assert "hunter22" not in str(error.value)


@pytest.mark.redis
def test_after_a_restart_of_the_broker_it_goes_on(own_redis: Callable[[], Server]) -> None:
    server = own_redis()
    remote = control(f"redis://127.0.0.1:{server.port}/0")
    assert remote.ask(PING, 0.05) == []
    server.kill()
    with pytest.raises(Unavailable):
        remote.ask(PING, 0.05)
    server.start()
    assert remote.ask(PING, 0.05) == []
    server.kill()
    server.start()
    assert remote.ask(PING, 0.05, ["nobody"])[0].silent
    remote.close()


@pytest.mark.redis
def test_redis_is_asked_over_tls(redis_tls: TlsBroker) -> None:
    options = {
        "ssl_ca_certs": str(redis_tls.certificates.ca),
        "ssl_certfile": str(redis_tls.certificates.client),
        "ssl_keyfile": str(redis_tls.certificates.client_key),
    }
    assert asked(redis_tls.url, ssl=options) == []
    named = {"certificate": options["ssl_certfile"], "key": options["ssl_keyfile"]}
    assert asked(redis_tls.url, ssl=named | {"ca": options["ssl_ca_certs"]}) == []
    assert asked(redis_tls.url, ssl=named | {"cert_reqs": "none"}) == []
    with pytest.raises(Unavailable, match="cannot be trusted"):
        asked(redis_tls.url)


@pytest.mark.rabbitmq
def test_rabbitmq_is_asked_over_tls(rabbitmq_tls: TlsBroker) -> None:
    options = {
        "ca_certs": str(rabbitmq_tls.certificates.ca),
        "certfile": str(rabbitmq_tls.certificates.client),
        "keyfile": str(rabbitmq_tls.certificates.client_key),
    }
    assert asked(rabbitmq_tls.url, ssl=options) == []
    with pytest.raises(Unavailable, match="cannot be trusted"):
        asked(rabbitmq_tls.url)
    unverified = {"certificate": options["certfile"], "key": options["keyfile"], "verify": False}
    assert asked(rabbitmq_tls.url, ssl=unverified) == []


@pytest.mark.parametrize("told", [None, True, {}, {"ca": "x"}, {"cert_reqs": None}, {"cert_reqs": "odd"}])
@pytest.mark.parametrize(("scheme", "key"), [("rediss", "ssl_cert_reqs"), ("amqps", "cert_reqs")])
def test_certificates_are_verified_unless_that_is_refused(scheme: str, key: str, told: Any) -> None:
    assert Broker(f"{scheme}://h", None, told).tls()[key] is ssl.CERT_REQUIRED
    for refused in ({"cert_reqs": "none"}, {"cert_reqs": ssl.CERT_NONE}, {"verify": False}):
        assert Broker(f"{scheme}://h", None, refused).tls()[key] is ssl.CERT_NONE


def test_a_broker_shows_no_password() -> None:
    url = "sentinel://:s3cr%21et@a:1;sentinel://:s3cr%21et@b:2"
    assert "s3cr" not in repr(Broker(url)) + str(Broker(url).unavailable(OSError(f"{url} s3cr!et")))


def test_a_broker_of_no_known_kind_is_refused() -> None:
    with pytest.raises(Unavailable, match="ftp as the broker cannot be used"):
        control("ftp://localhost/")
