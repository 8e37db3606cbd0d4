"""The director's side of the bus, over one broker or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from celery import Celery

from nightowl.adapters.celery_bus.app import CHECK, EVALUATE, BrokerSettings, check_queue, make_app, queue, report_queue
from nightowl.adapters.celery_bus.link import Link
from nightowl.adapters.celery_bus.packing import pack_batch
from nightowl.adapters.celery_bus.portion_packing import pack_portions
from nightowl.adapters.celery_bus.receiver import Received, Receiver
from nightowl.adapters.celery_bus.sealing import Keyring
from nightowl.adapters.celery_bus.sender import Message, Sender
from nightowl.core.errors import BusUnavailable
from nightowl.core.portions import EVALUATORS, PortionBatch, PortionReport
from nightowl.core.values import Batch
from nightowl.ports import Clock


class BrokerBus:
    """The bus over one broker, for the locations on it. It takes reports between ``lead`` and ``stand_by``."""

    def __init__(self, settings: BrokerSettings, locations: Sequence[str], clock: Clock, keyring: Keyring) -> None:
        self._app: Celery = make_app(settings)
        self._clock = clock
        self._keyring = keyring
        self._queues = [check_queue(name) for name in locations]
        self._link = Link(settings)
        made = [report_queue(settings.url), *map(queue, self._queues)]
        self._sender = Sender(self._app, self._link, clock.monotonic, made=made)
        self._sender.start()
        self._receiver: Receiver | None = None

    def lead(self) -> None:
        """Begin to take reports."""
        self._receiver = Receiver(self._app, self._link, self._keyring, self._clock.now, self._queues)
        self._receiver.start()

    def stand_by(self) -> None:
        """Leave reports to another director."""
        if self._receiver is not None:
            self._receiver.stop()
            self._receiver = None

    def close(self) -> None:
        """End all connections."""
        self.stand_by()
        self._sender.stop(timeout=2.0)
        self._app.close()

    @property
    def fault(self) -> str:
        """What is wrong with the broker now, empty: nothing."""
        return self._link.fault

    def dispatch(self, batch: Batch) -> None:
        """Queue a batch for its location; raises ``BusUnavailable`` while the broker does not answer."""
        self._put(check_queue(batch.location), CHECK, pack_batch(batch, self._keyring), batch.expires)

    def ask(self, batch: PortionBatch) -> None:
        """Queue a batch for evaluators; raises ``BusUnavailable`` while the broker does not answer."""
        self._put(EVALUATE, EVALUATE, pack_portions(batch, self._keyring), batch.expires)

    def _put(self, name: str, task: str, data: tuple[bytes, ...], expires: float) -> None:
        self._sender.put(Message(name, task, data, self._clock.monotonic() + expires - self._clock.now()))
        if self._sender.broken:
            raise BusUnavailable(self._link.fault)

    def told(self, limit: int) -> list[PortionReport]:
        """Take up to ``limit`` reports of evaluators; from any thread."""
        receiver = self._receiver
        return receiver.judged(limit) if receiver else []

    def receive(self, limit: int) -> Sequence[Received]:
        """Take up to ``limit`` reports."""
        return self._receiver.take(limit) if self._receiver else []

    def backlog(self, location: str) -> int | None:
        """Messages waiting in the location's queue, as last measured."""
        return self._receiver.lengths.get(check_queue(location)) if self._receiver else None

    def foreign(self, location: str) -> float | None:
        """When a report of the location was last refused for its key."""
        return self._receiver.foreign.get(location) if self._receiver else None


class Bus:
    """The bus over all brokers: ``[location.X] broker`` gives a location one of its own."""

    def __init__(self, settings: BrokerSettings, locations: Mapping[str, str], clock: Clock, keyring: Keyring) -> None:
        """``locations`` maps each location's name to the URL of its own broker (empty: the common one)."""
        urls = sorted({url for url in locations.values() if url})
        common = [name for name, url in locations.items() if not url]
        self._common = BrokerBus(settings, [*common, EVALUATORS], clock, keyring)
        self._own = {
            url: BrokerBus(settings.at(url), [n for n, own in locations.items() if own == url], clock, keyring)
            for url in urls
        }
        self._by_location = {name: self._own[url] if url else self._common for name, url in locations.items()}

    @property
    def brokers(self) -> list[BrokerBus]:
        """All of them, the common one first."""
        return [self._common, *self._own.values()]

    @property
    def fault(self) -> str:
        """The first fault of any broker, empty: none."""
        return next((broker.fault for broker in self.brokers if broker.fault), "")

    def led(self, leading: bool) -> None:
        """Take reports while this process leads."""
        for broker in self.brokers:
            if leading:
                broker.lead()
            else:
                broker.stand_by()

    def close(self) -> None:
        """End all connections."""
        for broker in self.brokers:
            broker.close()

    def dispatch(self, batch: Batch) -> None:
        """Queue a batch for its location."""
        self._by_location.get(batch.location, self._common).dispatch(batch)

    def ask(self, batch: PortionBatch) -> None:
        """Queue a batch for evaluators, who are all on the common broker."""
        self._common.ask(batch)

    def told(self, limit: int) -> Sequence[PortionReport]:
        """Take up to ``limit`` reports of evaluators."""
        return self._common.told(limit)

    def receive(self, limit: int) -> Sequence[Received]:
        """Take reports from every broker, up to ``limit`` from each."""
        return list(chain.from_iterable(broker.receive(limit) for broker in self.brokers))

    def backlog(self, location: str) -> int | None:
        """Messages waiting in the location's queue, as last measured."""
        return self._by_location.get(location, self._common).backlog(location)

    def foreign(self, location: str) -> float | None:
        """When a report of the location was last refused for its key (director time; None: never)."""
        return self._by_location.get(location, self._common).foreign(location)

    def reachable(self, location: str) -> bool:
        """Whether the location's broker answers, as far as is known."""
        return not self._by_location.get(location, self._common).fault
