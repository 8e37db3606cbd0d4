"""An examination of a cluster: each way is tried once, whatever is wrong with the others."""

from __future__ import annotations

from typing import Any

from nightowl.core.cluster.command import Command
from nightowl.core.cluster.events import Event, Intake
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.cluster.state import Broker, Queue
from nightowl.core.cluster.unseen import unset
from nightowl.core.errors import Refused, Unavailable
from nightowl.flows.examine import Ways, examine
from tests.flows.cluster_parts import Clock, Depth, Fleet, Results

CONF = {"task_send_sent_event": True, "worker_pool_restarts": True, "worker_send_task_events": True}
ANSWERS = {"conf": CONF, "active_queues": [{"name": "celery"}, {"name": "emails"}]}


class Ticking(Clock):
    """A clock that goes on by itself, so that whoever waits comes to an end."""

    def monotonic(self) -> float:
        self.at += 0.05
        return self.at


class Stream:
    """Events of workers that are heard once they were told to send a heartbeat."""

    def __init__(self, fleet: Fleet, *heard: str) -> None:
        self._fleet = fleet
        self._heard = heard
        self.fault = self.silent = ""
        self.closed = False

    def read(self, timeout: float) -> Intake:
        told = any(command.name == "heartbeat" for command in self._fleet.asked)
        events = [Event(type="worker-heartbeat", timestamp=1.0, hostname=name) for name in self._heard if told]
        return Intake(at=0.0, events=events)

    def close(self) -> None:
        self.closed = True


def examined(fleet: Fleet, stream: Stream | None = None, **changed: Any) -> dict[str, tuple[str, str]]:
    settings = ClusterSettings(
        name="shop", broker="redis://", backend="redis://", app="proj:app", **changed.pop("settings", {})
    )
    stream = stream or Stream(fleet, *fleet.workers)
    ways = {"depth": Depth(celery=3), "results": Results(), **changed}
    found = list(examine(Ways(settings=settings, control=fleet, source=lambda: stream, **ways), Ticking(), 1.0))
    return {part.name: (part.health, part.says) for part in found}


def fleet(*workers: str) -> Fleet:
    return Fleet(lambda command, worker: ANSWERS.get(command.name, "ok"), *workers)


def test_a_cluster_of_which_all_can_be_seen() -> None:
    whole = fleet("a@shop", "b@shop")
    stream = Stream(whole, "a@shop", "b@shop")
    assert examined(whole, stream) == {
        "broker": ("works", "Redis at redis://"),
        "remote control": ("works", "2 answered: a@shop, b@shop"),
        "events": ("works", "heard of every worker that answered"),
        "queues": ("works", "3 waiting in celery, emails"),
        "settings": ("works", "nothing is hidden by the settings of workers"),
        "results": ("works", "the result backend answers"),
        "beat": ("works", "entries are read from proj:app"),
    }
    assert stream.closed
    assert {command.name for command in whole.asked} == {"ping", "heartbeat", "active_queues", "conf"}


def test_a_broker_that_is_away_ends_it() -> None:
    class Away(Depth):
        def broker(self) -> Broker:
            raise Unavailable("the broker does not answer")

    assert examined(fleet(), depth=Away()) == {"broker": ("fails", "the broker does not answer")}


def test_a_worker_that_is_not_heard_is_named() -> None:
    whole = fleet("a@shop", "b@shop")
    assert examined(whole, Stream(whole, "a@shop"))["events"] == ("missing", "nothing was heard of b@shop")


def test_events_that_cannot_be_read_fail() -> None:
    whole = fleet("a@shop")
    stream = Stream(whole)
    stream.fault = "the broker refuses us"
    assert examined(whole, stream)["events"] == ("fails", "the broker refuses us")


def test_where_nobody_answers_the_rest_is_tried() -> None:
    found = examined(fleet())
    assert found["remote control"] == ("missing", "no worker answered within 1 s")
    assert found["results"][0] == "works"


def test_a_broker_without_fanout_has_neither_control_nor_events() -> None:
    class Table(Fleet):
        def ask(self, command: Command, timeout: float, expected: Any = ()) -> Any:
            raise Refused("MariaDB as the broker has no remote control")

    found = examined(Table())
    assert (found["remote control"][0], found["events"][0], found["results"][0]) == ("missing", "missing", "works")


def test_what_is_not_configured_is_missing() -> None:
    class Silent(Depth):
        def queues(self, names: Any) -> list[Queue]:
            return [Queue(name=name) for name in names]

    settings = ClusterSettings(name="shop", broker="redis://", control=False)
    whole = fleet("a@shop")
    ways = Ways(settings=settings, control=whole, source=lambda: Stream(whole, "a@shop"), depth=Silent(), results=None)
    found = {part.name: part for part in examine(ways, Ticking(), 1.0)}
    assert {name for name, part in found.items() if part.health == "missing"} == {
        "queues",
        "results",
        "beat",
        "control",
    }
    assert all(part.mend for name, part in found.items() if part.health == "missing" and name != "queues")


def test_a_backend_that_is_away_fails() -> None:
    class Away(Results):
        def get(self, task: str, timeout: float = 0.0) -> Any:
            raise Unavailable("the result backend does not answer")

    assert examined(fleet("a@shop"), results=Away())["results"] == ("fails", "the result backend does not answer")


def test_all_that_the_panel_of_a_cluster_says_of_its_settings_is_listed() -> None:
    bare = ClusterSettings(name="shop", broker="amqp://rabbit//")
    whole = fleet("a@shop")
    ways = Ways(settings=bare, control=whole, source=lambda: Stream(whole, "a@shop"), depth=Depth(), results=None)
    found = {part.name: part for part in examine(ways, Ticking(), 1.0) if part.health == "missing"}
    said = {name: f"{part.says}: {part.mend}.".lower() for name, part in found.items()}
    assert said == {name: sentence.lower() for name, sentence in unset(bare).items()}
    assert said.keys() == {"management", "results", "beat"}
