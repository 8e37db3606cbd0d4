"""One sink, and the thread that sends to it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from nightowl.core.errors import DeliveryFailed
from nightowl.core.redaction import hiding
from nightowl.core.sinks.selection import Selection
from nightowl.core.sinks.settings import SinkSettings
from nightowl.core.values import Sample
from nightowl.flows.sink_queue import FAULT, REFUSED, SinkQueue, Snapshot
from nightowl.ports import Sink
from nightowl.wire.clock import CLOCK
from nightowl.wire.sinks import make_sink

log = logging.getLogger(__name__)

VAIN = 60.0
"""Seconds without one sample that a sink has chosen after which this is told."""


class SinkThread:
    """Takes snapshots without ever waiting, and sends what the sink has chosen of them."""

    def __init__(self, settings: SinkSettings) -> None:
        self.settings = settings
        self._select = Selection(settings.metrics)
        self._vain: float | None = None
        self._told_vain = False
        self._hide = hiding(settings.secrets)
        self._called = f"{settings.name} at {self._hide(settings.receiver)}" if settings.receiver else settings.name
        self._sink: Sink | None = None
        self._queue = SinkQueue(settings.name, CLOCK)
        self._changed = threading.Condition()
        self._ending = self._over = False
        self._thread = threading.Thread(target=self._work, name=f"sink {settings.name}", daemon=True)
        self._thread.start()

    def offer(self, samples: Sequence[Sample], at: float) -> None:
        """Let a snapshot of ``at`` (Unix seconds) wait for its turn."""
        snapshot = Snapshot(self._select(samples), at)
        self._watch(samples, snapshot)
        with self._changed:
            self._queue.offer(snapshot)
            self._changed.notify()

    def _watch(self, samples: Sequence[Sample], chosen: Snapshot) -> None:
        """Tell once that no sample is chosen; a start needs a while until all kinds are there."""
        if chosen.samples or not samples:
            self._vain, self._told_vain = None, False
            return
        self._vain = chosen.at if self._vain is None else self._vain
        if chosen.at - self._vain >= VAIN and not self._told_vain:
            self._told_vain = True
            log.warning(
                "sink %s: nothing to send: no metric is like %s", self._called, ", ".join(self.settings.metrics)
            )

    @property
    def up(self) -> bool | None:
        """Whether the receiver took the last snapshot (None: there was none with samples)."""
        with self._changed:
            return self._queue.up

    def figures(self, now: float) -> list[Sample]:
        """What was counted."""
        with self._changed:
            return list(self._queue.samples(now))

    def ask_to_end(self) -> None:
        """Let it end once nothing waits."""
        with self._changed:
            self._ending = True
            self._changed.notify()

    def end(self, patience: float) -> None:
        """Wait for the end, which comes within ``patience`` seconds but for what is being sent."""
        self.ask_to_end()
        self._thread.join(patience)
        with self._changed:
            self._over = True
            lost = self._queue.abandon()
            self._changed.notify()
        if lost:
            log.warning("sink %s: %d samples were not sent before the end", self.settings.name, lost)

    def _work(self) -> None:
        while (snapshot := self._next()) is not None:
            try:
                sink = self._made()
                dropped = sink.emit(snapshot.samples, snapshot.at)
            except DeliveryFailed as error:
                self._failed(snapshot, error)
            except Exception:
                log.exception("sink %s: a snapshot could not be sent", self.settings.name)
                self._failed(snapshot, DeliveryFailed("a fault of NightOwl or of a plug-in", permanent=True), FAULT)
            else:
                with self._changed:
                    again = self._queue.delivered(snapshot, dropped)
                if again:
                    log.info("sink %s: the receiver takes samples again", self._called)
        if self._sink is not None:
            self._sink.close()

    def _made(self) -> Sink:
        if self._sink is None:
            self._sink = make_sink(self.settings)
            with self._changed:
                self._queue.newest = bool(getattr(type(self._sink), "newest", False))
        return self._sink

    def _next(self) -> Snapshot | None:
        """Wait for a snapshot that is to be sent; None: it is over."""
        with self._changed:
            while not self._over:
                snapshot = self._queue.next()
                if snapshot is not None:
                    return snapshot
                if self._ending and not len(self._queue):
                    return None
                self._changed.wait(self._queue.rest())
        return None

    def _failed(self, snapshot: Snapshot, error: DeliveryFailed, reason: str = REFUSED) -> None:
        with self._changed:
            news = self._queue.failed(snapshot, error, reason)
        if news:
            said = self._hide(str(error))
            log.warning("sink %s: %s: %s", self._called, "refused" if error.permanent else "trying again", said)
