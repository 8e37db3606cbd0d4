"""What RabbitMQ's management API tells, from a real server with that plugin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest
from kombu import Connection

from nightowl.adapters.celery_cluster.control.remote import control
from nightowl.adapters.celery_cluster.depth.factory import depth
from nightowl.core.cluster.person import Person
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.errors import Unavailable
from nightowl.core.values import Author
from nightowl.testing.store import memory_store, memory_tasks
from nightowl.wire.clock import CLOCK
from nightowl.wire.remote import Remotes
from tests.adapters.celery_cluster.watched import until
from tests.conftest import FOLDER
from tests.servers.rabbitmq_server import RabbitMQ

pytestmark = pytest.mark.rabbitmq


class Managed(RabbitMQ):
    """RabbitMQ with its management plugin; ``ports[5]`` is that of the API."""

    port_count = 6

    def prepare(self) -> None:
        super().prepare()
        (self.folder / "plugins").write_text("[rabbitmq_management].")
        with (self.folder / "rabbitmq.conf").open("a") as configuration:
            configuration.write(f"management.tcp.port = {self.ports[5]}\nmanagement.tcp.ip = 127.0.0.1\n")
            configuration.write("collect_statistics_interval = 1000\n")

    def environment(self) -> dict[str, str]:
        whole, self.ports = self.ports, self.ports[:5]
        try:
            return super().environment()
        finally:
            self.ports = whole


@pytest.fixture(scope="module")
def server(pytestconfig: pytest.Config) -> Iterator[Managed]:
    made = Managed(pytestconfig.stash[FOLDER], "managed-rabbitmq")
    made.start()
    yield made
    made.remove()


def test_it_tells_what_workers_hold_rates_and_itself(server: Managed) -> None:
    url, api = server.fresh_url(), f"http://127.0.0.1:{server.ports[5]}/api/"
    found = depth(url, rabbitmq_api=api)
    remote = control(url)
    with Connection(url) as connection:
        for _ in range(5):
            remote.send("shop.add", args=[1], kwargs={}, options={"queue": "a/b & c"})
        channel = connection.channel()
        assert channel.basic_get("a/b & c", no_ack=False)

        def told() -> bool:
            with suppress(Unavailable):  # the API begins to listen after the broker does
                queue, absent = found.queues(["a/b & c", "absent"])
                rates = queue.rate_in is not None and queue.rate_out is not None
                return (queue.ready, queue.unacked, absent.ready, absent.unacked, rates) == (4, 1, 0, 0, True)
            return False

        until(told)
        until(lambda: (found.broker().clients or 0) >= 1)
    broker = found.broker()
    assert broker.version
    assert broker.memory
    assert broker.memory_limit == 1_000_000_000
    assert broker.alarms == ()
    server.rabbitmqctl("set_vm_memory_high_watermark", "0.00001")
    until(lambda: any("out of memory" in alarm for alarm in found.broker().alarms))
    server.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1GB")
    found.close()
    remote.close()


def test_a_wrong_password_and_a_wrong_port_are_told(server: Managed) -> None:
    url = server.fresh_url()
    for api, why in (
        (f"http://owl:hunter22@127.0.0.1:{server.ports[5]}", "it says 401"),
        ("http://owl:hunter22@127.0.0.1:1/api", "management API"),
    ):
        found = depth(url, rabbitmq_api=api)
        with pytest.raises(Unavailable, match=why) as error:
            found.queues(["celery"])
        assert "hunter22" not in str(error.value)
        found.close()


def test_flowers_clients_get_queues_as_the_api_describes_them(server: Managed) -> None:
    api = f"http://127.0.0.1:{server.ports[5]}/api/"
    settings = ClusterSettings(name="shop", broker=server.fresh_url(), rabbitmq_api=api)
    store, tasks = memory_store(), memory_tasks()
    remotes = Remotes(lambda: {"shop": settings}, store, tasks, CLOCK)
    remote = remotes("shop")
    remote.send(Person(Author("command"), "admin"), "shop.add", [1], {}, {"queue": "a/b & c"})
    (queue,) = until(remote.queue_objects)
    assert queue["name"] == "a/b & c"
    assert {"vhost", "durable", "arguments"} <= queue.keys()
    remotes.close()
    store.close()
    tasks.close()
