"""Posts events of tasks to hooks, by threads of its own: whoever reads events never waits for a receiver."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from copy import copy

import msgspec

from nightowl.core.cluster.hooks import Happening, document, is_wanted
from nightowl.core.cluster.settings import HookSettings
from nightowl.core.cluster.task import Task
from nightowl.core.errors import DeliveryFailed
from nightowl.core.exposition import exposition
from nightowl.flows.hook_queue import HookQueue, Waiting
from nightowl.wire.clock import CLOCK
from nightowl.wire.hooks import deliver

log = logging.getLogger(__name__)

HANDS = 4
"""Requests under way to one hook at most."""

FAREWELL = 5.0
"""Seconds that waiting events get to be delivered when the role ends."""


class Hooks:
    """All hooks of a configuration, which may change while it works. Safe from any thread."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._events: frozenset[str] = frozenset()
        self._base = ""

    def follow(self, hooks: Mapping[str, HookSettings], base: str) -> None:
        """Let these be the hooks from now on. What waits for one that changes waits on; ``base`` begins links."""
        self._base = base
        lines = dict(self._lines)
        for name in lines.keys() - hooks.keys():
            lines.pop(name).end(0.0)
        for name, hook in hooks.items():
            if name in lines:
                lines[name].hook = hook
            else:
                lines[name] = _Line(hook)
        self._lines = lines
        self._events = frozenset(event for hook in hooks.values() for event in hook.on)

    def tell(self, cluster: str, event: str, at: float, task: Task, redact: Callable[[Task], Task]) -> None:
        """Let an event go to the hooks that want it; never waits. ``redact`` hides secrets in a copy of the task."""
        if event not in self._events:
            return
        for line in self._lines.values():
            if is_wanted(line.hook, event, cluster, task.name):
                line.offer(_waiting(Happening(event, at, cluster, copy(task)), redact, self._base))

    def metrics(self) -> str:
        """What was counted, in Prometheus' text format."""
        return exposition([], [sample for line in self._lines.values() for sample in line.queue.samples()])

    def end(self) -> None:
        """Deliver what waits, for some seconds at most."""
        deadline = CLOCK.monotonic() + FAREWELL
        for line in self._lines.values():
            line.end(max(0.0, deadline - CLOCK.monotonic()))
        self._lines = {}


class _Line:
    """One hook, and the threads that post to it."""

    def __init__(self, hook: HookSettings) -> None:
        self.hook = hook
        self.queue = HookQueue(hook.name, CLOCK)
        self._changed = threading.Condition()
        self._ending = self._over = False
        self._hands = [
            threading.Thread(target=self._post, name=f"hook {hook.name} {number}", daemon=True)
            for number in range(HANDS)
        ]
        for hand in self._hands:
            hand.start()

    def offer(self, event: Waiting) -> None:
        with self._changed:
            self.queue.offer(event)
            self._changed.notify()

    def end(self, patience: float) -> None:
        """End once nothing waits, after ``patience`` seconds at the latest."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        deadline = CLOCK.monotonic() + patience
        for hand in self._hands:
            hand.join(max(0.0, deadline - CLOCK.monotonic()))
        with self._changed:
            self._over = True
            lost = self.queue.abandon()
            self._changed.notify_all()
        if lost:
            log.warning("hook %s: %d events were not delivered before the end", self.hook.name, lost)

    def _post(self) -> None:
        while (event := self._next()) is not None:
            try:
                deliver(self.hook, event.key, event.made())
            except DeliveryFailed as error:
                self._failed(event, error)
            except Exception:
                log.exception("hook %s: an event could not be posted", self.hook.name)
                self._failed(event, DeliveryFailed("a fault of NightOwl", permanent=True))
            else:
                with self._changed:
                    again = self.queue.accepted()
                if again:
                    log.info("hook %s: the receiver takes events again", self.hook.name)

    def _next(self) -> Waiting | None:
        """Wait for an event that is to be posted; None: it is over."""
        with self._changed:
            while not self._over:
                event = self.queue.next()
                if event is not None:
                    return event
                if self._ending and not len(self.queue):
                    return None
                self._changed.wait(self.queue.rest())
        return None

    def _failed(self, event: Waiting, error: DeliveryFailed) -> None:
        with self._changed:
            news = self.queue.failed(event, error)
        if news and error.permanent:
            log.warning("hook %s: an event was refused, and others may be: %s", self.hook.name, error)
        elif news:
            log.warning("hook %s: trying again: %s", self.hook.name, error)


def _waiting(happening: Happening, redact: Callable[[Task], Task], base: str) -> Waiting:
    def body() -> bytes:
        redact(happening.task)
        return msgspec.json.encode(document(happening, base))

    return Waiting(key=happening.key, size=happening.size, make=body)
