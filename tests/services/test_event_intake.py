"""Events of real Celery programs over real brokers."""

from __future__ import annotations

import json
import pickle
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
import yaml
from celery.events.event import get_exchange

from nightowl.core.cluster.events import ENOUGH
from nightowl.core.cluster.settings import Tls
from nightowl.core.errors import ConfigurationError
from tests.servers.authority import TlsBroker
from tests.services.intake_parts import CLOCK, celery, send, source, taking, worker

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Celery leaves sockets open

KINDS = [pytest.param(kind, marks=getattr(pytest.mark, kind)) for kind in ("redis", "rabbitmq")]


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


both = pytest.mark.parametrize("broker", KINDS, indirect=True)


@pytest.mark.parametrize(
    ("broker", "pool"),
    [
        pytest.param("redis", "prefork", marks=pytest.mark.redis),
        pytest.param("redis", "gevent", marks=pytest.mark.redis),
        pytest.param("rabbitmq", "prefork", marks=pytest.mark.rabbitmq),
        pytest.param("rabbitmq", "threads", marks=pytest.mark.rabbitmq),
    ],
    indirect=["broker"],
)
def test_a_worker_s_tasks_arrive_whole(broker: str, pool: str, tmp_path: Path) -> None:
    settings = {"broker_heartbeat": 0, "task_send_sent_event": True}
    with taking(broker) as taken, celery(broker, **settings) as app, worker(tmp_path, broker, pool, settings):
        taken.ready(app)
        sent = [app.send_task("shop.add", (n, 1)).id for n in range(30)]
        failed = app.send_task("shop.fail").id
        taken.until(lambda: len(taken.of("task-succeeded")) >= 30 and taken.of("task-failed"), "tasks")
        taken.until(lambda: taken.of("worker-heartbeat"))
    by_uuid: dict[str, dict[str, Any]] = {}
    for event in taken.events:
        if event.uuid:
            by_uuid.setdefault(event.uuid, {})[event.type] = event
    assert set(by_uuid) == {*sent, failed}
    for number, uuid in enumerate(sent):
        stages = by_uuid[uuid]
        assert {"task-sent", "task-received", "task-started", "task-succeeded"} == set(stages)
        assert stages["task-received"].name == "shop.add"
        assert stages["task-received"].args == f"({number}, 1)"
        assert stages["task-sent"].queue == "celery"
        assert stages["task-succeeded"].result == str(number + 1)
        assert stages["task-succeeded"].runtime is not None
        assert stages["task-succeeded"].hostname.startswith("w1@")
        assert abs(stages["task-started"].timestamp - time.time()) < 120
    assert by_uuid[failed]["task-failed"].exception == "LookupError('no such basket')"
    assert "Traceback" in by_uuid[failed]["task-failed"].traceback
    beat = taken.of("worker-heartbeat")[-1]
    assert beat.sw_ident == "py-celery"
    assert len(beat.loadavg or []) == 3
    assert (taken.gaps, taken.refused, taken.source.fault) == ([], {}, "")


@pytest.mark.parametrize("scheme", ["filesystem", "memory"])
def test_other_brokers_go_by_kombu(scheme: str, tmp_path: Path) -> None:
    folders = {name: str(tmp_path / name) for name in ("control_folder", "processed_folder")}
    folders |= {"data_folder_in": str(tmp_path / "data"), "data_folder_out": str(tmp_path / "data")}
    (tmp_path / "data").mkdir()
    url = f"{scheme}://"
    with celery(url, broker_transport_options=folders) as app, taking(url, transport_options=folders) as taken:
        taken.ready(app)
        send(app, "task-sent", uuid="1", name="shop.add", queue="celery")
        taken.until(lambda: taken.of("task-sent"))
        assert taken.of("task-sent")[0].queue == "celery"
        assert not taken.gaps
    if scheme == "filesystem":
        send(app, "task-sent", uuid="2")
        assert not list((tmp_path / "data").iterdir())  # nobody's queue is filled


def test_a_real_worker_over_files(tmp_path: Path) -> None:
    folders = {name: str(tmp_path / name) for name in ("control_folder", "processed_folder")}
    folders |= {"data_folder_in": str(tmp_path / "data"), "data_folder_out": str(tmp_path / "data")}
    (tmp_path / "data").mkdir()
    settings = {"broker_transport_options": folders | {"polling_interval": 0.05}}
    with (
        taking("filesystem://", transport_options=folders) as taken,
        celery("filesystem://", **settings) as app,
        worker(tmp_path, "filesystem://", "prefork", settings),
    ):
        taken.ready(app)
        app.send_task("shop.add", (1, 2))
        taken.until(lambda: taken.of("task-succeeded"))
    assert taken.of("task-succeeded")[0].result == "3"


@both
def test_what_has_piled_up_comes_in_portions_and_whole(broker: str) -> None:
    count = 20 * ENOUGH
    with taking(broker) as taken, celery(broker) as app:
        taken.ready(app)
        with app.connection_for_write() as connection, app.events.Dispatcher(connection, hostname="w@web") as sender:
            for number in range(count):
                sender.send("task-started", uuid=str(number))
        read = []
        while sum(read) < count:
            before = len(taken.of("task-started"))
            taken.read(timeout=5.0)
            read.append(len(taken.of("task-started")) - before)
            assert read[-1], f"{sum(read)} of {count} have come"
    assert [event.uuid for event in taken.of("task-started")] == [str(number) for number in range(count)]
    assert max(read) < 4 * ENOUGH  # a message more, and what else came with the bytes that brought it
    assert not taken.gaps


@both
@pytest.mark.parametrize("serializer", ["json", "yaml", "msgpack", "pickle"])
def test_serialisers_that_are_accepted(broker: str, serializer: str) -> None:
    event = {"type": "task-received", "uuid": "7", "name": "shop.add", "retries": 0}
    kind, body = {
        "json": ("application/json", json.dumps(event).encode()),
        "yaml": ("application/x-yaml", yaml.safe_dump(event).encode()),
        "msgpack": ("application/x-msgpack", msgspec.msgpack.encode(event)),
        "pickle": ("application/x-python-serialize", pickle.dumps(event)),
    }[serializer]
    everything = ["json", "yaml", "msgpack", "pickle"]
    with celery(broker) as app, taking(broker, accept_content=everything) as all_, taking(broker) as usual:
        all_.ready(app)
        usual.ready(app)
        with app.connection_for_write() as connection:
            exchange = get_exchange(connection)
            how = {"content_type": kind, "content_encoding": "binary", "declare": [exchange]}
            connection.Producer().publish(body, exchange=exchange, routing_key="task.received", **how)
        for taken, accepted in ((all_, serializer != "pickle"), (usual, serializer == "json")):
            taken.until(lambda taken=taken: taken.of("task-received") or taken.refused)
            assert [event.name for event in taken.of("task-received")] == ["shop.add"] * accepted
            assert taken.refused == ({} if accepted else {"of a serialiser that is not accepted": 1})


@pytest.mark.redis
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"global_keyprefix": "shop[1]*"},
        {"fanout_prefix": False},
        {"fanout_prefix": "/odd{db}?."},
        {"fanout_patterns": False},
        {"fanout_prefix": False, "fanout_patterns": False, "global_keyprefix": "x-"},
    ],
)
def test_the_channels_of_redis(redis_url: str, options: dict[str, Any]) -> None:
    with (
        celery(redis_url, broker_transport_options=options) as app,
        taking(redis_url, transport_options=options) as taken,
    ):
        taken.ready(app)
        send(app, "task-sent", uuid="1")
        taken.until(lambda: taken.of("task-sent"))


@pytest.mark.redis
def test_another_database_is_another_cluster(redis_url: str) -> None:
    base, _, number = redis_url.rpartition("/")
    other = f"{base}/{int(number) % 500 + 1}"
    with celery(redis_url) as app, celery(other) as stranger, taking(redis_url) as taken:
        taken.ready(app)
        send(stranger, "task-sent", uuid="theirs")
        send(app, "task-sent", uuid="ours")
        taken.until(lambda: taken.of("task-sent"))
        assert [event.uuid for event in taken.of("task-sent")] == ["ours"]


@contextmanager
def password(url: str, name: str, secret: str) -> Iterator[None]:
    with redis.Redis.from_url(url) as client:
        client.acl_setuser(
            name, enabled=True, passwords=[f"+{secret}"], categories=["+@all"], channels=["*"], keys=["*"]
        )
        try:
            yield
        finally:
            client.acl_deluser(name)


@pytest.mark.redis
def test_users_and_passwords_of_redis(redis_url: str) -> None:
    with password(redis_url, "owl-intake", "h0nk/h@nk"), celery(redis_url) as app:
        with taking(redis_url.replace("://", "://owl-intake:h0nk%2Fh%40nk@")) as taken:
            taken.ready(app)
        with taking(redis_url.replace("://", "://owl-intake:wr0ng-0ne@")) as taken:
            taken.until(lambda: taken.source.fault)
            assert "refuses the user owl-intake: WRONGPASS" in taken.source.fault
            assert "wr0ng" not in taken.source.fault
            assert not taken.gaps


@pytest.mark.redis
def test_redis_over_tls(redis_url: str, redis_tls: TlsBroker) -> None:
    url, issued = redis_tls
    right = {"ca": str(issued.ca), "certificate": str(issued.client), "key": str(issued.client_key)}
    as_celery = {"ssl_ca_certs": right["ca"], "ssl_certfile": right["certificate"], "ssl_keyfile": right["key"]}
    query = "?" + "&".join(f"{key}={value}" for key, value in as_celery.items())
    with celery(redis_url) as app:
        for options, address in (
            ({"ssl": right}, url),
            ({"ssl": Tls(**right)}, url),
            ({"ssl": as_celery}, url),
            ({}, url + query),
        ):
            with taking(address, **options) as taken:
                taken.ready(app)
        with taking(url) as taken:
            taken.until(lambda: taken.source.fault)
            assert "cannot be trusted" in taken.source.fault


@pytest.mark.rabbitmq
def test_rabbitmq_over_tls(rabbitmq_url: str, rabbitmq_tls: TlsBroker) -> None:
    url, issued = rabbitmq_tls
    right = {"ca": str(issued.ca), "certificate": str(issued.client), "key": str(issued.client_key)}
    with celery(rabbitmq_url) as app:
        with taking(url, ssl=right) as taken:
            taken.ready(app)
            for number in range(50):
                send(app, "task-failed", uuid=str(number), traceback="x" * 100_000)
            taken.until(lambda: len(taken.of("task-failed")) == 50)
        with taking(url, ssl=right | {"ca": ""}) as taken:
            taken.until(lambda: taken.source.fault)
            assert "cannot be trusted" in taken.source.fault
        with taking(url.replace("guest:guest", "guest:h0nk-h0nk"), ssl=right) as taken:
            taken.until(lambda: taken.source.fault)
            assert "refuses the user guest" in taken.source.fault
            assert "h0nk" not in taken.source.fault


@pytest.mark.rabbitmq
def test_an_exchange_that_is_otherwise(rabbitmq_url: str) -> None:
    with celery(rabbitmq_url) as app:
        with app.connection_for_write() as connection:
            connection.channel().exchange_declare("celeryev", "topic", durable=False, auto_delete=False)
        with taking(rabbitmq_url, queue_prefix="owl") as taken, app.connection_for_write() as connection:
            producer = connection.Producer(serializer="json")

            def heard() -> bool:
                producer.publish({"type": "task-sent"}, exchange="celeryev", routing_key="task.sent")
                return bool(taken.of("task-sent"))

            taken.until(heard)


def test_a_broker_that_carries_no_events_says_so(tmp_path: Path) -> None:
    with taking(f"sqla+sqlite:///{tmp_path}/broker.db") as taken:
        taken.until(lambda: taken.source.silent)
        assert (taken.source.silent, taken.source.fault) == ("this kind of broker carries no events of Celery", "")
    with taking("nonsense://owl:h0nk@there") as taken:
        taken.until(lambda: taken.source.fault)
        assert "h0nk" not in taken.source.fault


def test_a_url_that_cannot_be_read_is_refused_without_its_password() -> None:
    for url in ("redis://:h0nk#er@host/0", "amqp://owl:h0nk@host:port/", ""):
        with pytest.raises(ConfigurationError) as refused:
            source(url, clock=CLOCK)
        assert "h0nk" not in str(refused.value)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "amqp://127.0.0.1:1//", "redis://10.255.255.1/0"])
def test_a_read_keeps_its_time_and_closing_ends_it(url: str) -> None:
    with taking(url) as taken:
        began = time.monotonic()
        for _ in range(3):
            taken.read(0.2)
        assert time.monotonic() - began < 10
        reader = threading.Thread(target=taken.source.read, args=(600.0,))
        reader.start()
        taken.source.close()
        reader.join(10)
        assert not reader.is_alive()
        assert taken.source.read(600.0).events == []
