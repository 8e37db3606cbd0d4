"""Who sends events: workers with their presence, clients, and by how much the clock of each is off.

Presence goes by the watcher's clock alone: a worker is heard when an event of it is taken in, whatever time that event
tells. A worker is its node name, so two on one host are two.

An event says when it was sent by the sender's clock and is taken in later by the watcher's. The greatest difference
lately is the error of the sender's clock less the shortest delivery. A sender all of whose events lately came from the
future by more than ``TOLERANCE`` is fast; a single one is odd and taken as of now. One that is slow looks like events
that had piled up, so it is believed after ``SETTLE`` seconds, or at once when it is off by more than ``PILED_UP``.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

import msgspec

from nightowl.core.cluster.events import Event
from nightowl.core.cluster.state import Start, Worker
from nightowl.core.lately import Greatest

TOLERANCE = 2.0
"""Seconds by which a clock may be off before times of it are corrected."""

STEADY = 1.0
"""Seconds that a correction may be wrong before it is changed."""

SETTLE = 5.0
PILED_UP = 60.0
"""Seconds for which events may well have waited unread."""

ABSURD = 86_400.0
"""Seconds off beyond which a time is none of a clock, be it a wrong one."""

EVERY = 1.0
"""Seconds between two looks at a sender's clock."""

HEARING = 10.0
"""Seconds after a restart in which nobody is found silent: whoever was up before may well be heard again."""

MOST_STARTS = 32
"""Times that a worker began anew which are remembered until what they mean is known; beyond that the first ones are."""

MOST_PIDS = 8
"""Processes of one name that are remembered."""

MOST_SENDERS = 20_000
FORGET = 600.0
"""Seconds after which a client that was not heard is forgotten."""


class Sender:
    """One node. ``fast`` is by how many seconds its times are corrected; ``look`` when its clock is looked at next.

    ``pids`` has when a heartbeat of each process of that name was taken in last, since this watcher began.
    """

    __slots__ = ("_ahead", "_behind", "_first", "fast", "goodbye", "heard", "look", "name", "offline", "pids", "worker")

    def __init__(self, name: str, now: float) -> None:
        self.name = name
        self.fast = 0.0
        self.heard = now
        self.look = now
        self.worker: Presence | None = None
        self.offline: float | None = None
        self.goodbye = False
        self.pids: dict[int, float] = {}
        self._first = now
        self._ahead = Greatest()
        self._behind = Greatest()

    @property
    def skew(self) -> float | None:
        """Seconds by which its clock is fast; None as long as that is not known."""
        skew = self._ahead.value
        return self.fast or (skew if abs(skew) <= TOLERANCE else None)

    def corrected(self, timestamp: float, now: float) -> float:
        """Learn from an event's time and return it by the watcher's clock; ``now`` where it cannot be a true one."""
        ahead = timestamp - now
        if not -ABSURD < ahead < ABSURD:
            return now
        self.look = now + EVERY
        self._ahead.hear(ahead, now)
        self._behind.hear(-ahead, now)
        fast, least = self._ahead.value, -self._behind.value
        slow = fast < -PILED_UP or (fast < -TOLERANCE and now - self._first >= SETTLE)
        error = fast if slow or least > TOLERANCE else 0.0
        # A correction that followed every estimate would put events of one sender into another order.
        if abs(error - self.fast) > STEADY:
            self.fast = error
        stamp = timestamp - self.fast
        return stamp if stamp - now <= TOLERANCE else now


class Presence(msgspec.Struct):
    """What a worker's own events told of it last. Moments are Unix seconds by the watcher's clock."""

    since: float
    freq: float = 2.0
    active: int = 0
    processed: int = 0
    loadavg: tuple[float, ...] = ()
    software: str = ""
    version: str = ""
    system: str = ""
    pid: int | None = None


class Workers:
    """All senders of one cluster, of which some are workers.

    ``timeout`` is the seconds without an event after which a worker is away, ``purge`` those after which one that is
    away is forgotten; 0: never. ``starts`` has when workers began anew, the oldest first, until ``settle`` forgets it;
    ``idle`` when each said last, since it began, that it runs nothing, by the watcher's clock.
    """

    def __init__(self, timeout: float = 300.0, purge: float = 600.0) -> None:
        self.senders: dict[str, Sender] = {}
        self.starts: dict[str, list[Start]] = {}
        self.idle: dict[str, float] = {}
        self._timeout = timeout or inf
        self._purge = purge or inf
        self._next_sweep = -inf
        self._hears: float | None = -inf

    def sender(self, name: str, now: float) -> Sender:
        """Return a sender; a new one is a client until an event shows that it is a worker."""
        found = self.senders.get(name)
        if found is None:
            if len(self.senders) >= MOST_SENDERS:
                return Sender(name, now)
            found = self.senders[name] = Sender(name, now)
        return found

    def restore(self, workers: Iterable[Worker]) -> None:
        """Know workers from before a restart; one that was up is away unless it is heard in time."""
        self._hears = None
        for worker in workers:
            sender = self.senders[worker.name] = Sender(worker.name, worker.heard)
            sender.offline, sender.goodbye = worker.offline, worker.goodbye
            if worker.idle is not None:
                self.idle[worker.name] = worker.idle
            if worker.starts:
                self.starts[worker.name] = [*worker.starts]
            sender.worker = Presence(
                since=worker.since, freq=worker.freq, active=worker.active, processed=worker.processed,
                loadavg=worker.loadavg, software=worker.software, version=worker.version, system=worker.system,
                pid=worker.pid,
            )  # fmt: skip

    def works(self, sender: Sender, now: float) -> Presence:
        """Note that a sender did what only workers do."""
        if sender.offline is not None or sender.worker is None:
            sender.offline, sender.goodbye = None, False
            if sender.worker is None:
                sender.worker = Presence(since=now)
        return sender.worker

    def tell(self, sender: Sender, event: Event, now: float) -> None:
        """Take in worker-online, worker-heartbeat or worker-offline."""
        if event.type == "worker-offline":
            if sender.worker is None:
                sender.worker = Presence(since=now)
            sender.offline = now if sender.offline is None else sender.offline
            sender.goodbye = True
            sender.worker.active = 0
            return
        presence = self.works(sender, now)
        stamp = min(now, event.timestamp - sender.fast)
        if event.type == "worker-online":
            presence.since = now
            self._begins(sender.name, stamp, None if presence.pid == event.pid else presence.pid)
        else:
            self._beats(sender, event, stamp, now)
        presence.freq = event.freq or presence.freq
        presence.active = event.active or 0
        presence.processed = event.processed or 0
        presence.loadavg = tuple(event.loadavg or ())
        presence.software = event.sw_ident or presence.software
        presence.version = event.sw_ver or presence.version
        presence.system = event.sw_sys or presence.system
        presence.pid = presence.pid if event.pid is None else event.pid

    def _begins(self, name: str, stamp: float, before: int | None) -> None:
        """Note that a worker began anew; ``before`` is the process that it was before, where that is another one."""
        starts, idle = self.starts.setdefault(name, []), self.idle.pop(name, None)
        if len(starts) < MOST_STARTS:
            starts.append(Start(stamp, idle, before))

    def _beats(self, sender: Sender, event: Event, stamp: float, now: float) -> None:
        if event.active == 0 and sender.name in self.senders:
            self.idle[sender.name] = stamp
        if event.pid is not None:
            sender.pids[event.pid] = now
            if len(sender.pids) > MOST_PIDS:
                del sender.pids[min(sender.pids, key=sender.pids.__getitem__)]

    def sweep(self, now: float) -> list[str]:
        """Find who fell silent, and forget who was away for long; return the workers that were forgotten."""
        if now < self._next_sweep:
            return []
        self._next_sweep = now + 1.0
        if self._hears is None:
            self._hears = now + HEARING
        forgotten = []
        for name, sender in list(self.senders.items()):
            if sender.worker is None:
                if now - sender.heard > FORGET:
                    del self.senders[name]
                continue
            if sender.offline is None and now >= self._hears and now - sender.heard > self._timeout:
                sender.offline, sender.goodbye, sender.worker.active = now, False, 0
            if sender.offline is not None and now - sender.heard > self._purge:
                del self.senders[name]
                forgotten.append(name)
        return forgotten

    def away(self, now: float, grace: float, leaving: float) -> list[Sender]:
        """Workers that have been away for more than ``grace`` seconds, or ``leaving`` since they said goodbye."""
        return [
            each
            for each in self.senders.values()
            if each.offline is not None and now - each.offline > (leaving if each.goodbye else grace)
        ]

    def rested(self, name: str, then: float) -> float:
        """When the worker that was there ``then`` said last that it runs nothing (-inf: it did not)."""
        for start in self.starts.get(name, ()):
            if then < start.at:
                return -inf if start.idle is None else start.idle
        return self.idle.get(name, -inf)

    def replaced(self, until: float) -> dict[str, float]:
        """Which workers began anew up to ``until``, and when last, so that what ran before runs no more.

        Two may have one name: where the one before is heard on beside the other, it was not replaced.
        """
        found = {}
        for name, starts in self.starts.items():
            sender = self.senders.get(name)
            heard = sender.pids if sender else {}
            for start in starts:
                if start.at <= until and heard.get(start.pid or 0, -inf) <= start.at + TOLERANCE:
                    found[name] = start.at
        return found

    def settle(self, until: float) -> None:
        """Forget who began anew up to ``until``."""
        for name, starts in list(self.starts.items()):
            self.starts[name] = [start for start in starts if start.at > until]
            if not self.starts[name]:
                del self.starts[name]

    def standing(self) -> tuple[Worker, ...]:
        """All workers as events alone show them, by name. Any thread may ask; others may come meanwhile."""
        found = [self._standing(sender, sender.worker) for sender in list(self.senders.values()) if sender.worker]
        return tuple(sorted(found, key=lambda worker: worker.name))

    def _standing(self, sender: Sender, presence: Presence) -> Worker:
        idle, starts = self.idle.get(sender.name), self.starts.get(sender.name, ())
        return msgspec.structs.replace(_standing(sender, presence), idle=idle, starts=tuple(starts))


def _standing(sender: Sender, presence: Presence) -> Worker:
    return Worker(
        name=sender.name,
        up=sender.offline is None,
        heard=sender.heard,
        since=presence.since,
        offline=sender.offline,
        goodbye=sender.goodbye,
        freq=presence.freq,
        active=presence.active,
        processed=presence.processed,
        loadavg=presence.loadavg,
        software=presence.software,
        version=presence.version,
        system=presence.system,
        skew=None if sender.skew is None else round(sender.skew, 3),
        pid=presence.pid,
    )
