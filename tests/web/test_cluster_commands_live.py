"""What people do to a cluster over the HTTP API and on its pages, with a real prefork worker over a real Redis."""

import time

import pytest
from msgspec.structs import replace

from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.cluster.state import ClusterState, Worker
from nightowl.core.cluster.task import Task
from nightowl.ports import AuditFilter
from nightowl.wire.remote import Remotes
from tests.adapters.celery_cluster.watched import until, workers
from tests.conftest import fresh_url

WORKER = "prefork@shop"
PATIENCE = 20.0

pytestmark = [
    pytest.mark.redis,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # Celery leaves sockets open
]


@pytest.fixture(scope="module")
def broker(request, tmp_path_factory):
    for url in fresh_url(request.config, "redis"):
        fleet = ("-P", "prefork", "-c", "2", "-n", WORKER)
        with workers(tmp_path_factory.mktemp("fleet"), url, fleet, backend=url):
            yield url


class Api:
    """The API of one cluster, to a world that knows it, and to its worker."""

    def __init__(self, world, client):
        self.world, self.client = world, client

    def __call__(self, path, status=200, **body):
        answer = self.client.post(f"/api/v1/clusters/shop{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def ask(self, command, status=200, confirmed=False, **arguments):
        asked = {"command": command, "arguments": arguments, "workers": [WORKER], "timeout": PATIENCE}
        said = self("/commands", status, **asked, confirmed=confirmed)
        return said[0] if status == 200 else said

    def look(self, command):
        return self.ask(command)["value"]

    def active(self):
        return [task["id"] for task in self.look("active")]

    def send(self, task, *args, **options):
        return self("/send", 202, task=task, args=list(args), options=options)["uuid"]

    def audit(self):
        with self.world.store.read() as unit:
            return [entry.what for entry in unit.audit.page(AuditFilter(), 0, 100)[0]][::-1]


@pytest.fixture
def api(empty, broker):
    empty.clusters["shop"] = ClusterSettings(name="shop", broker=broker, backend=broker)
    now = empty.clock.time
    state = ClusterState(name="shop", at=now, since=now, workers=(Worker(name=WORKER, up=True, heard=now, since=now),))
    empty.tasks.write("shop", [], state=state)
    remotes = Remotes(lambda: empty.clusters, empty.store, empty.tasks, empty.clock)
    empty.handlers = replace(empty.handlers, remote=remotes)
    made = Api(empty, empty.client())
    until(lambda: not made("/commands", command="ping", workers=[WORKER])[0]["silent"])
    yield made
    remotes.close()


def test_a_pool_grows_and_keeps_its_last_process(api):
    def size():
        return len(api.look("stats")["pool"]["processes"])

    before = size()
    assert api.ask("pool_grow", n=1)["value"] == "pool will grow"
    until(lambda: size() == before + 1)
    assert "must be confirmed" in api.ask("pool_shrink", 409, n=1)["error"]
    assert "it must keep one" in api.ask("pool_shrink", 409, confirmed=True, n=50)["error"]
    assert api.ask("pool_shrink", confirmed=True, n=1)["value"] == "pool will shrink"
    assert api.audit() == ["cluster.pool_grow", "cluster.pool_shrink"]


def test_a_queue_is_consumed_by_its_very_name(api):
    name = "a & b/<c>"
    assert api.ask("add_consumer", queue=name)["value"] == f"add consumer {name}"
    until(lambda: name in [queue["name"] for queue in api.look("active_queues")])
    done = api.send("shop.add", 1, queue=name)
    until(lambda: done not in api.active() and api.look("stats")["total"].get("shop.add"))


def test_tasks_are_revoked_ended_and_asked_to_end(api):
    later = api.send("shop.add", 1, countdown=600)
    until(lambda: later in [each["request"]["id"] for each in api.look("scheduled")])
    assert not api(f"/tasks/{later}/revoke", timeout=PATIENCE)[0]["error"]
    assert later in api.look("revoked")
    running = api.send("shop.sleep", 600)
    until(lambda: running in api.active())
    assert "must be confirmed" in api(f"/tasks/{running}/revoke", 409, terminate=True)["error"]
    assert running in api.active()
    api(f"/tasks/{running}/revoke", terminate=True, signal="SIGKILL", confirmed=True)
    until(lambda: running not in api.active())
    patient = api.send("shop.patient")
    until(lambda: patient in api.active())
    api(f"/tasks/{patient}/abort", 202)
    until(lambda: patient not in api.active())


def test_tasks_are_retried_one_and_many(api):
    now = time.time()
    failed = [
        Task(
            uuid=f"failed-{n}",
            name="shop.add",
            state="FAILURE",
            args=f"({n},)",
            kwargs="{'b': 2}",
            updated=now,
            seen=now,
        )
        for n in range(3)
    ]
    api.world.tasks.write("shop", [*failed, replace(failed[0], uuid="cut", args="(1, ...)")])

    def ran():
        return api.look("stats")["total"].get("shop.add", 0)

    before = ran()
    assert api("/tasks/failed-0/retry", 202)["uuid"] != "failed-0"
    assert "cut" in api("/tasks/cut/retry", 409)["error"]
    count = int(api("/tasks/retry", 409, filter={"name": ["shop.add"]})["mistakes"][0]["allowed"])
    done = api("/tasks/retry", filter={"name": ["shop.add"]}, confirmed=count)
    assert (count, done["done"], sum(done["refused"].values())) == (4, 3, 1)
    until(lambda: ran() == before + 4)


def test_what_waits_in_a_queue_is_counted_and_deleted(api):
    for number in range(3):
        api.send("shop.add", number, queue="backlog")
    assert api("/queues/backlog/purge", 409)["mistakes"][0]["allowed"] == "3"
    assert api("/queues/backlog/purge", confirmed=True) == {"deleted": 3}


def test_pages_show_what_workers_say(api):
    running = api.send("shop.sleep", 600)
    until(lambda: running in api.active())
    until(lambda: running in api.client.get("/clusters/shop/in-workers").text)
    until(lambda: "prefetch_multiplier" in api.client.get(f"/clusters/shop/settings?worker={WORKER}").text)
    api(f"/tasks/{running}/revoke", terminate=True, signal="SIGKILL", confirmed=True)
    until(lambda: running not in api.active())
