"""Depth of queues in real brokers, filled by kombu and emptied by real workers."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from kombu import Connection

from nightowl.adapters.celery_cluster.control.remote import control
from nightowl.adapters.celery_cluster.depth.factory import depth
from nightowl.core.cluster.state import Queue
from nightowl.core.errors import Unavailable
from nightowl.ports.clusters import ClusterDepth
from tests.adapters.celery_cluster.watched import until, workers
from tests.servers.authority import TlsBroker
from tests.servers.programs import program
from tests.servers.server import Server, free_ports

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Celery leaves sockets open


@contextmanager
def reading(url: str, **options: Any) -> Iterator[ClusterDepth]:
    found = depth(url, **options)
    try:
        yield found
    finally:
        found.close()


def fill(url: str, queue: str, count: int, *, options: dict[str, Any] | None = None, **sent: Any) -> None:
    remote = control(url, transport_options=options)
    for _ in range(count):
        remote.send("shop.sleep", args=[60], kwargs={}, options={"queue": queue, **sent})
    remote.close()


def one(url: str, queue: str, **options: Any) -> Queue:
    with reading(url, **options) as found:
        return found.queues([queue])[0]


@pytest.mark.redis
@pytest.mark.parametrize(
    "options", [{}, {"global_keyprefix": "shop:"}, {"priority_steps": [0, 5], "sep": ":"}, {"unacked_key": "held"}]
)
def test_redis_counts_all_priorities_and_what_workers_hold(redis_url: str, options: dict[str, Any]) -> None:
    for priority in (0, 3, 6, 9):
        fill(redis_url, "shop", 2, options=options, priority=priority)
    with Connection(redis_url, transport_options=options) as connection:
        held = connection.channel()
        taken = [held.basic_get("shop", no_ack=False) for _ in range(3)]
        with reading(redis_url, transport_options=options) as found:
            other, shop = found.queues(["other", "shop"])
            assert (other.ready, other.unacked, other.age) == (0, 0, 0.0)
            assert (shop.ready, shop.unacked, shop.scheduled, shop.age) == (5, 3, 0, None)
            for message in taken:
                held.basic_ack(message.delivery_tag)
            assert found.queues(["shop"])[0].unacked == 0


@pytest.mark.redis
def test_redis_tells_what_a_worker_holds_that_is_not_due(redis_url: str, tmp_path: Path) -> None:
    fill(redis_url, "shop", 2, countdown=600)
    fill(redis_url, "shop", 1)
    fleet = ("-P", "threads", "-c", "1", "-n", "a@shop", "-Q", "shop", "--prefetch-multiplier", "4")
    with workers(tmp_path, redis_url, fleet), reading(redis_url) as found:

        def counts() -> tuple[int | None, ...]:
            (shop,) = found.queues(["shop"])
            return shop.ready, shop.unacked, shop.scheduled

        until(lambda: counts() == (0, 2, 2))


@pytest.mark.redis
def test_redis_tells_the_age_of_a_message_that_is_stamped(redis_url: str) -> None:
    stamped = {"headers": {"timestamp": (time.time() - 90) * 1000}, "properties": {}, "body": ""}
    with redis.Redis.from_url(redis_url) as client:
        client.rpush("shop", json.dumps(stamped))
    age = one(redis_url, "shop").age
    assert age is not None
    assert 89 < age < 150


@pytest.mark.redis
def test_redis_finds_the_queue_that_an_exchange_leads_to(redis_url: str) -> None:
    with Connection(redis_url) as connection:
        channel = connection.channel()
        channel.exchange_declare("orders", "direct")
        channel.queue_declare("shop")
        channel.queue_bind("shop", "orders", "new")
        connection.Producer(channel).publish({}, exchange="orders", routing_key="new")
        assert channel.basic_get("shop", no_ack=False)
        assert one(redis_url, "shop").unacked == 1


@pytest.mark.redis
def test_hostile_entries_in_redis_count_for_no_queue(redis_url: str) -> None:
    hostile = [b"\xff", b"[", b"[" * 50_000, b"{}", b'[{"headers": {"eta": [1]}}, "", "shop"]', b"[1, 2, 3]", b""]
    with redis.Redis.from_url(redis_url) as client:
        client.hset("unacked", mapping={str(at): data for at, data in enumerate(hostile)})
        client.rpush("shop", *hostile)
        client.set("celery", "no list")
        found = one(redis_url, "shop")
        assert (found.ready, found.unacked, found.scheduled, found.age) == (len(hostile), 1, 0, None)
        assert one(redis_url, "celery").ready == 0


@pytest.mark.redis
def test_more_than_is_looked_at_is_estimated(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightowl.adapters.celery_cluster.depth.redis.MOST_HELD", 1000)
    with redis.Redis.from_url(redis_url) as client:
        entries = {str(at): json.dumps([{}, "", "shop" if at % 2 else "other"]) for at in range(4000)}
        client.hset("unacked", mapping=entries)
    unacked = one(redis_url, "shop").unacked
    assert unacked is not None
    assert 1500 < unacked < 2500


@pytest.mark.redis
def test_redis_tells_of_itself(own_redis: Callable[[], Server]) -> None:
    server = own_redis()
    with redis.Redis(port=server.port) as client, reading(f"redis://:pw@127.0.0.1:{server.port}/0") as found:
        client.config_set("maxmemory", 300_000_000)
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("requirepass", "pw")
        broker = found.broker()
        assert broker.memory
        assert broker.memory_limit == 300_000_000
        assert broker.clients
        assert broker.pubsub_buffer == 0
        assert broker.version
        assert any("allkeys-lru" in alarm for alarm in broker.alarms)
        assert "pw" not in broker.url


@pytest.mark.redis
def test_redis_over_tls(redis_tls: TlsBroker) -> None:
    issued = redis_tls.certificates
    files = {
        "ssl_ca_certs": str(issued.ca),
        "ssl_certfile": str(issued.client),
        "ssl_keyfile": str(issued.client_key),
    }
    assert one(redis_tls.url, "shop", ssl=files).ready == 0


@contextmanager
def sentinel(folder: Path, master: int) -> Iterator[int]:
    """Run a Sentinel that watches the Redis at this port as ``owl``; yield its own port."""
    (port,) = free_ports(1)
    file = folder / "sentinel.conf"
    file.write_text(f"port {port}\nbind 127.0.0.1\ndir {folder}\nsentinel monitor owl 127.0.0.1 {master} 1\n")
    with (folder / "sentinel.log").open("wb") as log:
        process = subprocess.Popen([program("redis-server"), str(file), "--sentinel"], stdout=log, stderr=log)
    try:
        yield port
    finally:
        process.kill()
        process.wait()


@pytest.mark.redis
def test_redis_is_found_by_sentinel(own_redis: Callable[[], Server], tmp_path: Path) -> None:
    master = own_redis().port
    fill(f"redis://127.0.0.1:{master}/0", "shop", 2)
    with sentinel(tmp_path, master) as port, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"sentinel://127.0.0.1:{unused.getsockname()[1]};sentinel://127.0.0.1:{port}"

        def ready() -> int | None:
            try:
                return one(url, "shop", transport_options={"master_name": "owl"}).ready
            except Unavailable:
                return None

        assert until(ready) == 2
        with pytest.raises(Unavailable):
            one(url, "shop", transport_options={"master_name": "nobody"})


@pytest.mark.redis
def test_a_redis_that_comes_back_is_read_again(own_redis: Callable[[], Server]) -> None:
    server = own_redis()
    with reading(f"redis://127.0.0.1:{server.port}/0") as found:
        assert found.queues(["shop"])[0].ready == 0
        server.kill()
        for ask in (found.broker, lambda: found.queues(["shop"])):
            with pytest.raises(Unavailable, match="does not answer"):
                ask()
        server.start()
        assert found.queues(["shop"])[0].ready == 0


@pytest.mark.rabbitmq
def test_rabbitmq_tells_ready_messages_and_consumers(rabbitmq_url: str) -> None:
    fill(rabbitmq_url, "shop", 3)
    with Connection(rabbitmq_url) as connection, reading(rabbitmq_url) as found:
        channel = connection.channel()
        channel.basic_qos(0, 1, False)
        channel.queue_declare("quorum", durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
        channel.basic_consume("shop", callback=lambda message: None)

        def told() -> list[tuple[str, int | None, int | None]]:
            queues = found.queues(["absent", "shop", "absent too", "quorum"])
            return [(queue.name, queue.ready, queue.consumers) for queue in queues]

        until(lambda: told() == [("absent", 0, 0), ("shop", 2, 1), ("absent too", 0, 0), ("quorum", 0, 0)])
        assert found.queues(["shop"])[0].unacked is None
        assert found.broker().version.count(".") == 2


@pytest.mark.mariadb
def test_a_database_tells_visible_rows(mariadb_url: str) -> None:
    url = f"sqla+{mariadb_url}"
    with reading(url) as found:
        assert found.queues(["shop"])[0].ready == 0
        fill(url, "shop", 3)
        with Connection(url) as connection:
            assert connection.channel().basic_get("shop", no_ack=True)
        shop, other = found.queues(["shop", "other"])
        assert (shop.ready, other.ready, shop.unacked) == (2, 0, None)
        assert (shop.age, other.age) == (None, 0.0)
        assert found.broker().kind == "MariaDB"
        assert "owl:owl" not in found.broker().url


def test_a_folder_tells_files(tmp_path: Path) -> None:
    options = {"data_folder_in": str(tmp_path), "data_folder_out": str(tmp_path), "control_folder": str(tmp_path / "c")}
    fill("filesystem://", "shop.new", 2, options=options)
    fill("filesystem://", "new", 1, options=options)
    with reading("filesystem://", transport_options=options) as found:
        assert [queue.ready for queue in found.queues(["shop.new", "new", "shop"])] == [2, 1, 0]
    with reading("filesystem://", transport_options={"data_folder_in": str(tmp_path / "absent")}) as found:
        assert found.queues(["shop"])[0].ready == 0


def test_memory_tells_of_this_process() -> None:
    fill("memory://", "depth-of-memory", 2)
    assert one("memory://", "depth-of-memory").ready == 2
    assert one("memory://", "depth-of-nothing").ready == 0
    control("memory://").purge("depth-of-memory")


@pytest.mark.parametrize(
    "url",
    ["redis://:hunter22@127.0.0.1:1/0", "amqp://owl:hunter22@127.0.0.1:1/", "mysql+pymysql://o:hunter22@127.0.0.1:1/x"],
)
def test_a_broker_that_is_away_is_said_to_be(url: str) -> None:
    with reading(url) as found:
        for ask in (found.broker, lambda: found.queues(["shop"])):
            with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1 does not answer") as error:
                ask()
            assert "hunter22" not in str(error.value)


def test_of_other_brokers_no_depth_is_read() -> None:
    with pytest.raises(Unavailable, match="mongodb"):
        depth("mongodb://localhost/")
