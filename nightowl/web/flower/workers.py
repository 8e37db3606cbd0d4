"""``/api/workers`` and ``/workers?json=1``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

from nightowl.core.cluster.command import Answer, Command
from nightowl.core.cluster.figures import KINDS, Figures
from nightowl.core.cluster.redact import Redaction
from nightowl.core.cluster.saved import unpacked
from nightowl.core.cluster.state import ClusterState, Worker
from nightowl.core.errors import Refused, Unavailable
from nightowl.web.flower.answers import Failure
from nightowl.web.flower.control import known_worker
from nightowl.web.flower.face import Asked

Data = Mapping[str, Any]

OF_ALL = ("stats", "active_queues", "registered", "conf")
"""What every worker is asked."""

TASK_LISTS = ("active", "scheduled", "reserved", "revoked")
"""What one worker alone is asked, as these lists may be long."""

FRESH = 30.0
"""Seconds for which answers are given again without asking anew."""

_AT_ONCE = 4


class Inspected:
    """What workers answered last, by cluster and worker. Safe for threads.

    Flower asks when it starts and when it is told to; here a worker that came later is asked by itself.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[str, dict[str, dict[str, Any]]] = {}
        self._asked: dict[str, float] = {}

    def of(self, asked: Asked, state: ClusterState | None, *, refresh: bool, worker: str) -> dict[str, dict[str, Any]]:
        """Return what is known of all workers. Raises ``Unavailable``, or ``Refused`` where no worker can be asked."""
        up = [each.name for each in state.workers if each.up] if state else []
        if worker:
            if refresh or worker not in self._of(asked):
                self._ask(asked, (*OF_ALL, *TASK_LISTS), (worker,))
        elif refresh or self._is_old(asked, up):
            self._ask(asked, OF_ALL, (), up)
            with self._lock:
                self._asked[asked.cluster.name] = asked.now
        self._forget(asked, {each.name for each in state.workers} if state else set())
        return self._of(asked)

    def _of(self, asked: Asked) -> dict[str, dict[str, Any]]:
        with self._lock:
            return dict(self._known.get(asked.cluster.name, {}))

    def _is_old(self, asked: Asked, up: Iterable[str]) -> bool:
        known = self._of(asked)
        with self._lock:
            last = self._asked.get(asked.cluster.name, 0.0)
        return asked.now - last >= FRESH or any(name not in known for name in up)

    def _ask(self, asked: Asked, looks: Iterable[str], workers: tuple[str, ...], up: Iterable[str] = ()) -> None:
        expected = tuple(up)

        def look(name: str) -> tuple[str, list[Answer]]:
            return name, asked.remote.look(Command(name=name, workers=workers), asked.patience, expected)

        with ThreadPoolExecutor(_AT_ONCE) as executor:
            answered = [(name, answer) for name, answers in executor.map(look, looks) for answer in answers]
        told = [(name, answer) for name, answer in answered if not answer.silent and not answer.error]
        hides = Redaction(asked.cluster.arguments, asked.cluster.redact)
        with self._lock:
            known = self._known.setdefault(asked.cluster.name, {})
            for name, answer in told:
                held = known.get(answer.worker, {})
                known[answer.worker] = held | {name: _shown(name, answer.value, hides), "timestamp": asked.now}

    def _forget(self, asked: Asked, there: set[str]) -> None:
        """Keep no worker that is neither shown any more nor has just answered."""
        with self._lock:
            known = self._known.get(asked.cluster.name, {})
            for name in [name for name in known if name not in there and known[name]["timestamp"] < asked.now - FRESH]:
                del known[name]


class Workers:
    """The endpoints."""

    def __init__(self) -> None:
        self._inspected = Inspected()

    def api(self, asked: Asked) -> Data:
        """``/api/workers``."""
        refresh, status = asked.arguments.flag("refresh"), asked.arguments.flag("status")
        worker = asked.arguments.text("workername")
        state = asked.state()
        if status and not refresh:
            return _status(state)
        if worker:
            known_worker(asked, worker)
        try:
            known = self._inspected.of(asked, state, refresh=refresh, worker=worker)
        except (Refused, Unavailable) as error:
            raise Failure(503, f"Failed to update workers: {error}") from None
        if status:
            return _status(asked.state())
        if worker and worker not in known:
            raise Failure(404, f"Unknown worker '{worker}'")
        return {worker: known[worker]} if worker else known


def page(asked: Asked) -> Data:
    """``/workers?json=1``: a row for each worker as its heartbeats tell, with a counter for each type of event."""
    state = asked.state()
    counts = _counts(asked.tasks.figures(asked.cluster.name))
    return {"data": [_row(worker, counts.get(worker.name, {})) for worker in (state.workers if state else ())]}


def _row(worker: Worker, counts: Mapping[str, int]) -> dict[str, Any]:
    return {
        **counts,
        "hostname": worker.name,
        "pid": worker.pid,
        "freq": worker.freq,
        "heartbeats": [worker.heard],
        "clock": 0,
        "active": worker.active,
        "processed": worker.processed,
        "loadavg": list(worker.loadavg),
        "sw_ident": worker.software or None,
        "sw_ver": worker.version or None,
        "sw_sys": worker.system or None,
        "status": worker.up,
    }


def _counts(figures: bytes | None) -> dict[str, Counter[str]]:
    """Events of tasks by worker and type (``task-received``)."""
    counted: dict[str, Counter[str]] = {}
    saved = unpacked(figures)
    for cell in Figures.decode(saved.figures).cells.values() if saved else ():
        held = counted.setdefault(cell.worker, Counter())
        held.update({f"task-{kind}": count for kind, count in zip(KINDS, cell.counts, strict=True) if count})
        held.update({"task-failed": sum(failed.count for failed in cell.failed.values())} if cell.failed else {})
    return counted


def _status(state: ClusterState | None) -> Data:
    return {worker.name: worker.up for worker in (state.workers if state else ())}


def _shown(look: str, value: Any, hides: Redaction) -> Any:
    """An answer as it is shown: without a broker's alternates, which hold passwords, and what is not to be kept."""
    if look in TASK_LISTS and isinstance(value, list):
        return [_task_shown(each, hides) for each in value]
    broker = value.get("broker") if look == "stats" and isinstance(value, dict) else None
    if not isinstance(broker, dict):
        return value
    return value | {"broker": {key: each for key, each in broker.items() if key != "alternates"}}


def _task_shown(task: Any, hides: Redaction) -> Any:
    """A task of a worker's list; one that is scheduled stands in its request."""
    if not isinstance(task, dict):
        return task
    hidden = {key: _hidden(task[key], hides) for key in ("args", "kwargs") if key in task}
    request = {"request": _task_shown(task["request"], hides)} if "request" in task else {}
    return task | hidden | request


def _hidden(value: Any, hides: Redaction) -> Any:
    """The value itself where nothing of it is hidden, else what is left of its text."""
    text = value if isinstance(value, str) else repr(value)
    kept = hides.argument(text)
    return value if kept == text else kept
