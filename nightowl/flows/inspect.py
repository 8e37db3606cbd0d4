"""Inspect: ask a cluster's broker how full its queues are, and its workers how they are, on a timer of its own.

Never during a scrape: whoever asks gets what was last seen. Workers that do not send task events are told to, where
that is wished: those not known to send them every few seconds, all others now and then, as anyone may switch them off.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from nightowl.core.cluster.command import Answer, Command
from nightowl.core.cluster.inspection import consumers, inspected, merged, missing
from nightowl.core.cluster.rates import QueueRates
from nightowl.core.cluster.state import Broker, Queue, Worker
from nightowl.core.errors import Unavailable
from nightowl.ports.clusters import ClusterControl, ClusterDepth

QUEUES = 5.0
EVENTS = 5.0
BROKER = 15.0
WORKERS = 30.0
NEWCOMERS = 2.0
"""Seconds between two looks at queues, at whether workers send events, at the broker, at workers, and at those of them
that began a moment ago and have not answered since."""

TIMEOUT = 1.0
"""Seconds that workers are given to answer."""

MOST_QUEUES = 2000
MOST_WORKERS = 5000

_LOOKS = ("stats", "active_queues", "registered", "conf")
_ENABLE = Command(name="enable_events")


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was last seen of a cluster; ``workers`` by name. ``faults`` say what could not be asked, and why.

    ``missing`` says what its settings hide, and what would mend it.
    """

    queues: tuple[Queue, ...] = ()
    broker: Broker | None = None
    workers: Mapping[str, Worker] = {}
    faults: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def applied(self, heard: Iterable[Worker]) -> tuple[Worker, ...]:
        """Return the workers that are heard of by events with what was seen of them, and those that only answered."""
        known = [merged(worker, self.workers.get(worker.name)) for worker in heard]
        names = {worker.name for worker in known}
        return (*known, *(worker for name, worker in self.workers.items() if name not in names))


class Inspection:
    """Looks at one cluster, from one thread; ``seen`` may be read by any.

    ``queues`` are names to be looked at besides those that workers consume. ``control`` is None where workers cannot
    be asked.
    """

    def __init__(
        self,
        control: ClusterControl | None,
        depth: ClusterDepth | None,
        *,
        queues: Sequence[str] = (),
        enable_events: bool = True,
    ) -> None:
        self._control = control
        self._depth = depth
        self._wanted = tuple(queues)
        self._enable = enable_events
        self._rates = QueueRates()
        self._due: dict[str, float] = {}
        self._faults: dict[str, str] = {}
        self._sending: dict[str, float] = {}
        self._everyone = 0.0
        self.seen = Seen()

    def step(
        self, heard: Sequence[Worker], now: float, *, queues: Collection[str] = (), received: Mapping[str, int] = {}
    ) -> float:
        """Do what is due at ``now`` (Unix seconds); return when to come again.

        ``heard`` are the workers by their events; ``queues`` names that events told, ``received`` how many tasks of
        each workers have ever received.
        """
        if self._control is not None:
            control = self._control
            self._turn("events", EVENTS, now, lambda: self._switch_on(control, heard, now))
            self._turn("workers", WORKERS, now, lambda: self._look_at_workers(control, heard, now))
            self._turn("newcomers", NEWCOMERS, now, lambda: self._look_at_newcomers(control, heard, now))
        if self._depth is not None:
            depth = self._depth
            self._turn("queues", QUEUES, now, lambda: self._look_at_queues(depth, heard, now, queues, received))
            self._turn("broker", BROKER, now, lambda: self._look_at_broker(depth))
        self.seen = replace(self.seen, faults=tuple(dict.fromkeys(self._faults.values())))
        return min(self._due.values(), default=now + QUEUES)

    def _turn(self, part: str, every: float, now: float, act: Callable[[], None]) -> None:
        if now < self._due.get(part, 0.0):
            return
        self._due[part] = now + every
        try:
            act()
        except Unavailable as error:
            self._faults[part] = str(error)
        else:
            self._faults.pop(part, None)

    def _switch_on(self, control: ClusterControl, heard: Sequence[Worker], now: float) -> None:
        """Tell workers that are not known to send task events to do so; now and then, tell all that listen.

        One that began anew after it was told is not known to.
        """
        up = {worker.name: worker for worker in heard if worker.up}
        everyone = now >= self._everyone
        silent = [name for name, worker in up.items() if self._sending.get(name, -1.0) < worker.since]
        if not self._enable or not (everyone or silent):
            return
        if everyone:
            self._everyone = now + WORKERS
            silent = []
        for answer in control.ask(replace(_ENABLE, workers=tuple(silent[:MOST_WORKERS])), TIMEOUT):
            if _is_told(answer):
                self._sending[answer.worker] = now
        self._sending = {name: at for name, at in self._sending.items() if name in up or at > now - 2 * WORKERS}

    def _look_at_workers(self, control: ClusterControl, heard: Sequence[Worker], now: float) -> None:
        """Ask all that listen."""
        looks = self._looks(control, ())
        hidden = dict.fromkeys(sentence for each in looks.values() for sentence in missing(each.get("conf")))
        busy = (worker.name for worker in heard if worker.up and worker.name not in looks)
        kept = {name: self.seen.workers[name] for name in busy if name in self.seen.workers}
        self.seen = replace(self.seen, workers=kept | self._seen(looks, now), missing=tuple(hidden))

    def _look_at_newcomers(self, control: ClusterControl, heard: Sequence[Worker], now: float) -> None:
        """Ask those that began a moment ago: a worker says that it is there before it listens."""
        known = self.seen.workers
        answered = {name: worker.inspected for name, worker in known.items() if worker.inspected is not None}
        young = (worker for worker in heard if worker.up and now - worker.since < WORKERS)
        new = [worker.name for worker in young if answered.get(worker.name, -1.0) < worker.since]
        if new:
            looks = self._looks(control, tuple(new[:MOST_WORKERS]))
            self.seen = replace(self.seen, workers={**known, **self._seen(looks, now)})

    def _looks(self, control: ClusterControl, workers: tuple[str, ...]) -> dict[str, dict[str, object]]:
        """What these workers (none: all) answer; whoever answers the first question is waited for at the others."""
        looks: dict[str, dict[str, object]] = {}
        for name in _LOOKS:
            for answer in control.ask(Command(name=name, workers=workers), TIMEOUT, list(looks)):
                if _is_told(answer) and (answer.worker in looks or len(looks) < MOST_WORKERS):
                    looks.setdefault(answer.worker, {})[name] = answer.value
            if not looks:
                break
        return looks

    def _seen(self, looks: Mapping[str, Mapping[str, object]], now: float) -> dict[str, Worker]:
        return {name: inspected(self._before(name, now), each, now) for name, each in looks.items()}

    def _before(self, name: str, now: float) -> Worker:
        before = self.seen.workers.get(name)
        events_on = True if name in self._sending else None
        if before is None:
            return Worker(name=name, up=True, heard=now, since=now, events_on=events_on)
        return replace(before, heard=now, events_on=events_on)

    def _look_at_queues(
        self,
        depth: ClusterDepth,
        heard: Sequence[Worker],
        now: float,
        told: Collection[str],
        received: Mapping[str, int],
    ) -> None:
        workers = self.seen.applied(heard)
        consumed = (name for worker in workers for name in worker.queues if name)
        names = list(dict.fromkeys([*self._wanted, *consumed, *sorted(told)]))[:MOST_QUEUES]
        found = tuple(depth.queues(names)) if names else ()
        queues = self._rates.told(found, dict(received), now)
        self.seen = replace(self.seen, queues=tuple(consumers(queue, workers) for queue in queues))

    def _look_at_broker(self, depth: ClusterDepth) -> None:
        self.seen = replace(self.seen, broker=depth.broker())


def _is_told(answer: Answer) -> bool:
    return not answer.silent and not answer.error
