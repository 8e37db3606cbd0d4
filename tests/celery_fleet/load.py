"""The scripted load: every case once or more, and the events that must come of it.

What must come is known from what each task does and from what Celery says of it, not from looking at results. 5.7 tells
failures that 5.4 to 5.6 do not, and 5.4 cannot end what runs in a greenlet.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from celery import Celery, chain, chord, group

from tests.celery_fleet import names
from tests.celery_fleet.app import make_app, node, queue
from tests.celery_fleet.capture import Event
from tests.celery_fleet.fleet import Fleet

Expected = Counter[tuple[str, str]]

UNLOCKING = "celery.chord_unlock"
"""How often it is retried is a matter of time, so nothing is said of it."""

_QUICK = 20
_HUGE = 100_000
_HOSTILE = "<script>alert(1)</script>'\"&\u2028☠ größe"


class Load:
    """All cases for the worker with one pool.

    ``expected`` is what must come of what was sent so far, by task name and type of event; ``doubled`` is what of it is
    a second telling of the same failure. A task that is refused before it is received has no name but in ``task-sent``.
    """

    def __init__(self, fleet: Fleet, pool: str) -> None:
        self.expected: Expected = Counter()
        self.doubled: Expected = Counter()
        self._pool = pool
        self._capture = fleet.capture
        self._app: Celery = make_app(fleet.place, pool)
        self._sent_events = fleet.place.sent_events
        self._version = _minor(fleet.celery)

    def send(self) -> None:
        """Send every case that this pool can play."""
        self._revoked_before()
        self._quick()
        self._due_later()
        self._failures()
        self._tried_again()
        self._refused()
        self._workflows()
        self._revoked_in_vain()
        if self._pool in ("prefork", "gevent"):
            self._hard_limit()
        if self._pool == "prefork" or (self._pool == "gevent" and self._version >= (5, 5)):
            self._terminated()
        if self._pool == "prefork":
            self._one("fleet.soft_limit", end="failed")
            self._lost_processes()

    def close(self) -> None:
        """Give the client's connections back."""
        self._app.close()

    def _quick(self) -> None:
        for number in range(_QUICK):
            self._one("fleet.add", number, y=1)
        self._one("fleet.echo", "x" * _HUGE, blob=["y" * 100] * 100)
        self._one("fleet.echo", _HOSTILE, password="hunter2", nested={_HOSTILE: [_HOSTILE]})
        self._one(names.SCRIPT, _HOSTILE)
        self._one(names.UNICODE, "日本語")
        self._one("fleet.progress", 3)
        self._expect("fleet.progress", "progress", 3)

    def _due_later(self) -> None:
        self._one("fleet.add", 1, options={"countdown": 1})
        self._one("fleet.add", 1, options={"eta": datetime.now(UTC) + timedelta(seconds=1.5)})
        self._one("fleet.sleep", 0, end="revoked", stages=("received",), options={"countdown": 6, "expires": 5})

    def _failures(self) -> None:
        for number in range(3):
            self._one("fleet.fail", f"plain {number}", end="failed")
        for name in ("dotted", "wordless", "silent", "hostile", "in_lines"):
            self._one(f"fleet.fail_{name}", end="failed")
        self._app.send_task(names.UNKNOWN, args=(_HOSTILE,))
        self._expect(names.UNKNOWN, "sent")
        self._expect(names.UNKNOWN if self._sent_events else "", "failed")

    def _tried_again(self) -> None:
        for name, retries, end in (
            ("fleet.retry_once", 1, "succeeded"),
            ("fleet.retry_in_vain", 2, "failed"),
            ("fleet.retry_reasonless", 1, "failed"),
        ):
            self._one(name, end=end)
            for stage in ("sent", "received", "started", "retried"):
                self._expect(name, stage, retries)

    def _refused(self) -> None:
        self._one("fleet.reject", end="rejected")
        if self._version >= (5, 7):
            self._expect("fleet.reject", "failed")
        self._one("fleet.reject_once")
        for stage in ("received", "started", "rejected"):
            self._expect("fleet.reject_once", stage)
        self._one("fleet.ignore", end="")

    def _workflows(self) -> None:
        def add(*args: int) -> Any:
            return self._app.signature("fleet.add", args=args)

        chain(add(1, 1), add(1), add(1)).apply_async()
        group([add(number, 1) for number in range(4)], app=self._app).apply_async()
        chain(add(1, 1), group([add(1), add(2)]), self._app.signature("fleet.total"), app=self._app).apply_async()
        chord([add(number, 1) for number in range(3)], app=self._app)(self._app.signature("fleet.total"))
        for stage in ("sent", "received", "started", "succeeded"):
            self._expect("fleet.add", stage, 3 + 4 + 3 + 3)
            self._expect("fleet.total", stage, 2)

    def _revoked_before(self) -> None:
        id_ = str(uuid.uuid4())
        assert self._app.control.revoke(id_, reply=True, timeout=30, limit=1, destination=[node(self._pool)])
        self._app.send_task("fleet.sleep", args=(0,), task_id=id_)
        self._expect("fleet.sleep", "sent")
        self._expect("fleet.sleep" if self._sent_events else "", "revoked")

    def _revoked_in_vain(self) -> None:
        """Without being terminated a task that runs goes on."""
        id_ = self._one("fleet.sleep", 0.5)
        self._wait(id_, "task-started")
        self._app.control.revoke(id_, destination=[node(self._pool)])

    def _hard_limit(self) -> None:
        """Of a process that is lost by it the pool tells, and Celery 5.7 tells of any limit beside."""
        told = (self._pool == "prefork") + (self._version >= (5, 7))
        self._one("fleet.hard_limit", end="")
        if told:
            self._expect("fleet.hard_limit", "failed", told)
        if told > 1:
            self.doubled["fleet.hard_limit", "task-failed"] += told - 1

    def _lost_processes(self) -> None:
        """One after the other: what else a process has goes with it."""
        for name in ("fleet.exit", "fleet.kill"):
            self._wait_until_idle()
            self._one(name, end="failed")

    def _terminated(self) -> None:
        """The process goes with it, so there is nothing beside."""
        self._wait_until_idle()
        id_ = self._one("fleet.sleep", 60, end="revoked")
        if self._pool == "gevent":
            self._expect("fleet.sleep", "succeeded")  # Celery tells both
        self._wait(id_, "task-started")
        self._app.control.revoke(id_, terminate=True, signal="SIGKILL", destination=[node(self._pool)])

    def _one(
        self,
        name: str,
        *args: Any,
        stages: Sequence[str] = ("received", "started"),
        end: str = "succeeded",
        options: Any = None,
        **kwargs: Any,
    ) -> str:
        """Send a task; it is expected to be sent, to pass these stages, and to end so (empty: silently)."""
        for stage in filter(None, ("sent", *stages, end)):
            self._expect(name, stage)
        return str(self._app.send_task(name, args=args, kwargs=kwargs, **options or {}).id)

    def _expect(self, name: str, stage: str, times: int = 1) -> None:
        if stage != "sent" or self._sent_events:
            self.expected[name, f"task-{stage}"] += times

    def _wait(self, id_: str, type_: str) -> None:
        self._capture.wait(
            lambda events: any(each["type"] == type_ and each["uuid"] == id_ for each in events if "uuid" in each),
            what=f"{type_} of {id_} did not come",
        )

    def _wait_until_idle(self) -> None:
        self._capture.wait(self.is_done, what=self.missing)

    def is_done(self, events: list[Event]) -> bool:
        """Whether all that must come has come."""
        return not self.expected - self._seen(events)

    def missing(self) -> str:
        """What must still come, in words."""
        return f"{self._pool}: these events did not come: {dict(self.expected - self._seen(self._capture.events))}"

    def _seen(self, events: Iterable[Event]) -> Expected:
        return seen(events, self._pool)


def tell_all(pools: Sequence[str], celery: str) -> list[str]:
    """Those of these pools whose workers, with this version of Celery, tell all that happens.

    With threads, Celery before 5.7 loses events: ``EventDispatcher.flush`` empties the buffer after it has sent it, and
    with it what other threads have put there meanwhile.
    """
    return [pool for pool in pools if pool != "threads" or _minor(celery) >= (5, 7)]


def _minor(celery: str) -> tuple[int, ...]:
    return tuple(map(int, celery.split(".")[:2]))


def run(fleet: Fleet) -> dict[str, Load]:
    """Send all cases to all workers at once, wait until all has come that must, and stop the fleet."""
    loads = {pool: Load(fleet, pool) for pool in fleet.pools}
    with ThreadPoolExecutor(len(loads)) as senders:
        list(senders.map(Load.send, loads.values()))
    for load in loads.values():
        fleet.capture.wait(load.is_done, what=lambda load=load: f"{load.missing()}\n{fleet.logs()}")
        load.close()
    fleet.stop()
    return loads


def seen(events: Iterable[Event], pool: str) -> Expected:
    """How many events of each type came of the tasks of the worker with this pool, by their names."""
    listed = [event for event in events if "uuid" in event]
    own = [event for event in listed if event["hostname"] == node(pool) or event.get("queue") == queue(pool)]
    tasks = {event["uuid"]: event["name"] for event in own if event.get("name")}
    found = Counter((tasks.get(event["uuid"], ""), event["type"]) for event in own)
    return Counter({key: count for key, count in found.items() if key[0] != UNLOCKING})
