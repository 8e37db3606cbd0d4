"""The broker of a watched cluster goes away and comes back: it is said, marked as a gap, and the watch goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.celery_fleet.app import Place, make_app
from tests.core.exposition_reader import value
from tests.end_to_end import expected
from tests.end_to_end.proxy import Proxy
from tests.end_to_end.watching import CLUSTER, Watching, watching
from tests.servers.server import Server

POOL = "solo"


class Client:
    """Sends tasks, whose task-sent events are all that there is of them."""

    def __init__(self, broker: str, folder: Path) -> None:
        self._app = make_app(Place(broker, str(folder)), POOL)
        self.sent: list[str] = []

    def send(self, count: int) -> None:
        """Send some."""
        self.sent += [self._app.send_task("fleet.add", (number, 1)).id for number in range(count)]

    def close(self) -> None:
        """Give the connections back."""
        self._app.close()


def known(nightowl: Watching) -> set[str]:
    return set(nightowl.tasks())


def is_heard(nightowl: Watching, broker: str, folder: Path) -> bool:
    """Send an event of no task: whether one was heard. A watcher that has just begun is still connecting."""
    app = make_app(Place(broker, str(folder)), POOL)
    with app.connection_for_write() as connection, app.events.Dispatcher(connection, hostname="marker@here") as sender:
        sender.send("task-mark", uuid="mark")
    app.close()
    return 'type="task-mark"' in nightowl.text(f"/metrics/cluster/{CLUSTER}")


def send_and_find(nightowl: Watching, broker: str, folder: Path) -> set[str]:
    """Send tasks by a client of its own, and wait until the API has them."""
    client = Client(broker, folder)
    client.send(20)
    client.close()
    nightowl.until(lambda: set(client.sent) <= known(nightowl), "tasks that were sent are not known")
    return set(client.sent)


def judge(nightowl: Watching, broker: str, folder: Path, away: Callable[[], None], back: Callable[[], None]) -> None:
    """Take the broker away and give it back, and look at what is said before, meanwhile and after."""
    nightowl.until(lambda: nightowl.ready() == (200, '{"ready":true,"problems":[]}'), nightowl.ready)
    nightowl.until(lambda: is_heard(nightowl, broker, folder), "no event is heard")
    sent = send_and_find(nightowl, broker, folder)
    away()
    nightowl.until(lambda: nightowl.ready()[0] == 503, nightowl.ready)
    (problem,) = json.loads(nightowl.ready()[1])["problems"]
    assert problem.startswith(f"the cluster {CLUSTER} is not read: the broker at 127.0.0.1:")
    nightowl.until(lambda: told(nightowl)["fault"], "the API says nothing")
    assert told(nightowl)["state"] == "down"
    assert nightowl.api("/gaps") == []
    back()
    nightowl.until(lambda: nightowl.ready()[0] == 200, nightowl.ready)
    nightowl.until(lambda: nightowl.api("/gaps"), "no gap is marked")
    (gap,) = nightowl.api("/gaps")
    assert gap["reason"].startswith("the connection was lost: the broker at 127.0.0.1:")
    assert gap["start"] < gap["end"]
    nightowl.until(lambda: not told(nightowl)["fault"], lambda: told(nightowl)["fault"])
    sent |= send_and_find(nightowl, broker, folder)
    nightowl.until(lambda: counted(nightowl) == (len(sent), 1), lambda: counted(nightowl))
    assert known(nightowl) == sent
    (line,) = [line for line in nightowl.logs().splitlines() if "ERROR" in line]
    assert f"the cluster {CLUSTER} is not read: the broker at 127.0.0.1:" in line
    assert nightowl.logs().count("WARNING") == 1


def counted(nightowl: Watching) -> tuple[int, float | None]:
    """How many tasks were sent, and how many gaps there were, by the web's metrics."""
    page = nightowl.text(f"/metrics/cluster/{CLUSTER}")
    return expected.taken_in(page)["task-sent"], value(page, "nightowl_event_gaps_total", cluster=CLUSTER)


def told(nightowl: Watching) -> dict[str, Any]:
    found: dict[str, Any] = nightowl.api()
    return found


@pytest.mark.redis
def test_redis_is_restarted(own_redis: Callable[[], Server], tmp_path: Path) -> None:
    server = own_redis()
    broker = f"redis://127.0.0.1:{server.port}/0"
    with watching(tmp_path, broker) as nightowl:
        nightowl.web()
        nightowl.watcher()
        nightowl.wait()
        judge(nightowl, broker, tmp_path, server.kill, server.start)


@pytest.mark.rabbitmq
def test_rabbitmq_is_cut_off(rabbitmq_url: str, tmp_path: Path) -> None:
    port = int(rabbitmq_url.rpartition(":")[2].partition("/")[0])
    with Proxy(port) as proxy, watching(tmp_path, rabbitmq_url.replace(f":{port}/", f":{proxy.port}/")) as nightowl:
        nightowl.web("up")
        nightowl.wait()
        cut = proxy.cut()
        judge(nightowl, rabbitmq_url, tmp_path, cut.__enter__, lambda: cut.__exit__(None, None, None))
