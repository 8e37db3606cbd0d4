"""The engine: thousands of attempts at once on one owner.

::

    submit (any thread) -> arrivals -> http, https -> Transfers: one libcurl multi handle -> done
                                    -> other kinds -> Workers: one blocking probe each    -> done

The owner is one thread or one greenlet, whichever runs ``run``; what differs between the two is behind ``Loop``
and ``Workers``. Each turn does a bounded amount of work. A sweep ends every attempt that outlived its
timeout, whatever went wrong with it, so that ``done`` always comes, once.
"""

from __future__ import annotations

import logging
import resource
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic, time

import msgspec

from nightowl.adapters.probes.agenda import Agenda, call
from nightowl.adapters.probes.connect import connector
from nightowl.adapters.probes.exchange import Exchange
from nightowl.adapters.probes.failure import BUSY, FAULT, OVERDUE, STOPPED, Failure, failed, state_of
from nightowl.adapters.probes.guard import guard
from nightowl.adapters.probes.lookups import AddressInfo, Family, Lookups
from nightowl.adapters.probes.loop import Loop, Workers
from nightowl.adapters.probes.names import lookup_failure
from nightowl.adapters.probes.plan import Plan
from nightowl.adapters.probes.protocols import Protocols
from nightowl.adapters.probes.redaction import redacted, redactor
from nightowl.adapters.probes.transfers import Transfers
from nightowl.core.values import Attempt, Policy, State, Target
from nightowl.ports import Probe

log = logging.getLogger(__name__)

Done = Callable[[Attempt], None]

MAX_IN_FLIGHT = 4096
"""Attempts under way at once; more wait, and end as ``own.busy`` where their time passes meanwhile."""
_STOPPED = "NightOwl was stopped before the attempt ended"
_ALLOWANCE = 0.25
"""The part of its timeout that an attempt may lose by waiting for us: later on, a healthy target could look down."""
_TURN = 16
_SWEEP = 0.2
_IDLE = 60.0
_GRACE = 0.2
_KEY = msgspec.msgpack.Encoder()
"""Makes a target, which holds dictionaries, a key."""
_FILES_KEPT = 256


class Flight:
    """An attempt from its submission to its end."""

    __slots__ = ("allowance", "asked", "deadline", "done", "exchange", "policy", "started", "submitted", "target")

    def __init__(self, target: Target, policy: Policy, timeout: float, done: Done) -> None:
        self.target = target
        self.policy = policy
        self.done = done
        self.submitted = monotonic()
        self.deadline = self.submitted + timeout
        self.allowance = timeout * _ALLOWANCE
        self.started = 0.0
        self.exchange: Exchange | None = None
        self.asked = 0.0
        """When the look-up that it waits for began (monotonic; 0: it waits for none)."""


class ProbeEngine:
    """An implementation of ``ports.Engine``; ``run`` is to be called by its owner."""

    def __init__(self, loop: Loop, workers: Workers, probes: Mapping[str, Probe]) -> None:
        """``probes`` has a function for every kind other than http and https."""
        self._loop = loop
        self._agenda = Agenda(loop.wake)
        self._workers = workers
        self._probes = probes
        self._transfers = Transfers(loop.watch, self._hop_ended)
        self._lookups = Lookups(workers.look_up, self.later)
        self._protocols = Protocols()
        self._limit = _room_for_sockets()
        self._arrivals: deque[Flight] = deque()
        self._flights: dict[Flight, None] = {}
        self._by_exchange: dict[Exchange, Flight] = {}
        self._plans: dict[bytes, Plan] = {}
        self._next_sweep = monotonic() + _SWEEP
        self._stopping = self._stopped = False

    # -- from any thread --------------------------------------------------------------------------------------------

    def submit(self, target: Target, policy: Policy, timeout: float, done: Done) -> None:
        """Start an attempt that ends within ``timeout`` seconds, then call ``done`` with it, always."""
        if self._stopped:
            done(Attempt(state=State.UNKNOWN, started=time(), duration=0.0, reason=STOPPED, detail=_STOPPED))
            return
        self._arrivals.append(Flight(target, policy, timeout, done))
        self._agenda.nudge()

    def later(self, delay: float, function: Callable[[], None]) -> None:
        """Call ``function`` on the owner in ``delay`` seconds (0: as soon as it can)."""
        self._agenda.later(delay, function)

    @property
    def in_flight(self) -> int:
        """How many attempts were submitted and have not ended."""
        return len(self._flights) + len(self._arrivals)

    def request_stop(self) -> None:
        """Make ``run`` return; what is under way ends as ``own.stopped``."""
        if not self._stopped:
            self._stopping = True
            self._loop.wake()

    # -- the owner --------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Work until ``request_stop``."""
        ready: list[tuple[int, int]] = []
        while not self._stopping:
            self._turn(ready)
            self._agenda.asleep = True
            ready = self._loop.wait(self._idle_seconds())
            self._agenda.asleep = False
        self._shut()

    def _turn(self, ready: list[tuple[int, int]]) -> None:
        self._agenda.work(_TURN)
        for _ in range(min(len(self._arrivals), _TURN, self._limit - len(self._flights))):
            self._begin(self._arrivals.popleft())
        self._transfers.act(ready)
        now = monotonic()
        if now >= self._next_sweep:
            self._sweep(now)
            self._next_sweep = now + _SWEEP

    def _idle_seconds(self) -> float:
        if self._arrivals and len(self._flights) < self._limit:
            return 0.0
        sweep = self._next_sweep if self._flights or self._arrivals else self._next_sweep + _IDLE
        return max(0.0, min(sweep, self._transfers.due, self._agenda.due()) - monotonic())

    def _begin(self, flight: Flight) -> None:
        self._flights[flight] = None
        flight.started = time()
        try:
            if flight.target.kind in ("http", "https"):
                self._exchange(flight)
            else:
                self._probe(flight)
        except Failure as failure:
            failure.detail = redactor(flight.target)(failure.detail)
            self._end(flight, failed(failure, started=flight.started, duration=0.0))
        except Exception as error:
            log.exception("An attempt could not be started")
            self._fail(flight, FAULT, f"the attempt could not be started: {type(error).__name__}")

    def _exchange(self, flight: Flight) -> None:
        decide = None if flight.policy.reach == "any" else guard(flight.policy)
        exchange = flight.exchange = Exchange(self._plan(flight.target), decide, flight.deadline, self._protocols)
        self._by_exchange[exchange] = flight
        self._hop(flight, exchange)

    def _hop(self, flight: Flight, exchange: Exchange) -> None:
        name = exchange.name
        if name:
            flight.asked = monotonic()
            self._lookups.ask(name, flight.target.family, partial(self._looked_up, flight, exchange))
        else:
            self._launch(flight, exchange)

    def _launch(self, flight: Flight, exchange: Exchange) -> None:
        try:
            self._transfers.start(exchange)
        except Exception as error:
            log.exception("A transfer could not be started")
            self._fail(flight, FAULT, f"the transfer could not be started: {type(error).__name__}")

    def _looked_up(self, flight: Flight, exchange: Exchange, found: AddressInfo | OSError, begun: float) -> None:
        if flight not in self._flights:
            return
        seconds = monotonic() - flight.asked
        late = begun - flight.asked > flight.allowance
        flight.asked = 0.0
        if late:
            exchange.unresolved(_late_lookup(), seconds)
            self._end(flight, _concluded(exchange))
        elif isinstance(found, OSError):
            exchange.unresolved(lookup_failure(exchange.name, found), seconds)
            self._end(flight, _concluded(exchange))
        else:
            exchange.resolved(found, seconds)
            self._launch(flight, exchange)

    def _unresolved(self, flight: Flight, exchange: Exchange, now: float) -> None:
        """End an attempt whose name was not resolved in time."""
        begun = self._lookups.begun(exchange.name, flight.target.family)
        late = begun is None or begun - flight.asked > flight.allowance
        failure = _late_lookup() if late else lookup_failure(exchange.name, TimeoutError())
        exchange.unresolved(failure, now - flight.asked)
        self._end(flight, _concluded(exchange))

    def _plan(self, target: Target) -> Plan:
        """The plan of a target; that of one which was tried lately is at hand."""
        key = _KEY.encode(target)
        plan = self._plans.pop(key, None)
        if plan is None:
            plan = Plan(target)
            if len(self._plans) >= MAX_IN_FLIGHT:
                del self._plans[next(iter(self._plans))]
        self._plans[key] = plan
        return plan

    def _probe(self, flight: Flight) -> None:
        if flight.target.kind not in self._probes:
            raise Failure("own.kind", f"no probe knows the kind {flight.target.kind!r}")
        self._workers.run(partial(self._work, flight))

    def _work(self, flight: Flight) -> None:
        """Run a blocking probe on a worker."""
        if flight not in self._flights:
            return
        if monotonic() - flight.submitted > flight.allowance:
            self.later(0, partial(self._fail, flight, BUSY, "so many probes were at work that this one had to wait"))
            return
        flight.started = time()
        connect = connector(flight.target.family, guard(flight.policy), self._resolve)
        began = monotonic()
        try:
            probe = self._probes[flight.target.kind]  # which imports it, when it is the first of its kind
            attempt = probe(flight.target, flight.deadline, connect)
        except Failure as failure:
            attempt = failed(failure, started=flight.started, duration=monotonic() - began)
        except Exception as error:
            log.exception("The probe %s failed", flight.target.kind)
            fault = Failure(FAULT, f"the probe failed: {type(error).__name__}")
            attempt = failed(fault, started=flight.started, duration=monotonic() - began)
        # a probe may be a plug-in's, and what it forgot to mask came from the target all the same
        self.later(0, partial(self._end, flight, redacted(attempt, redactor(flight.target))))

    def _resolve(self, host: str, family: Family, seconds: float) -> AddressInfo:
        """Wait for the addresses of a host, on a worker."""
        answers: SimpleQueue[AddressInfo | OSError] = SimpleQueue()
        self.later(0, partial(self._lookups.ask, host, family, lambda found, _begun: answers.put(found)))
        try:
            found = answers.get(timeout=seconds)
        except Empty:
            raise (TimeoutError() if self._lookups.begun(host, family) else _late_lookup()) from None
        if isinstance(found, OSError):
            raise found
        return found

    def _hop_ended(self, exchange: Exchange, again: bool) -> None:
        flight = self._by_exchange.get(exchange)
        if flight is None:
            return
        if again:
            self._hop(flight, exchange)
        elif exchange.heavy:
            self._workers.compute(partial(self._compute, flight, exchange))
        else:
            self._end(flight, _concluded(exchange))

    def _compute(self, flight: Flight, exchange: Exchange) -> None:
        """Conclude an exchange on a worker."""
        self.later(0, partial(self._end, flight, _concluded(exchange)))

    def _end(self, flight: Flight, attempt: Attempt) -> None:
        """Report an attempt, unless the sweep has already."""
        if flight not in self._flights:
            return
        del self._flights[flight]
        if flight.exchange is not None:
            self._by_exchange.pop(flight.exchange, None)
        call(partial(flight.done, attempt))

    def _fail(self, flight: Flight, reason: str, detail: str) -> None:
        now = monotonic()
        attempt = Attempt(
            state=state_of(reason),
            started=flight.started or time(),
            duration=now - flight.submitted,
            reason=reason,
            detail=detail,
        )
        self._end(flight, attempt)

    # -- what does not end by itself --------------------------------------------------------------------------------

    def _sweep(self, now: float) -> None:
        for flight in [flight for flight in self._flights if flight.deadline < now]:
            exchange = flight.exchange
            if exchange is not None and flight.asked:
                self._unresolved(flight, exchange, now)
            elif flight.deadline + _GRACE < now:
                if exchange is not None:
                    self._transfers.abandon(exchange)
                self._fail(flight, OVERDUE, "the attempt did not end within its timeout")
        for _ in range(len(self._arrivals)):
            flight = self._arrivals.popleft()
            if now - flight.submitted > flight.allowance:
                self._flights[flight] = None
                self._fail(flight, BUSY, "so many attempts were under way that this one had to wait")
            else:
                self._arrivals.append(flight)

    def _shut(self) -> None:
        self._stopped = True
        self._flights.update(dict.fromkeys(self._arrivals))
        self._arrivals.clear()
        for flight in list(self._flights):
            self._fail(flight, STOPPED, _STOPPED)
        self._transfers.close()
        self._workers.close()
        self._loop.close()


def _late_lookup() -> Failure:
    return Failure(BUSY, "so many names were being looked up that this one had to wait")


def _concluded(exchange: Exchange) -> Attempt:
    """The attempt that an exchange makes, whatever happens while its answer is judged."""
    try:
        return exchange.conclude()
    except Exception as error:
        log.exception("An answer could not be judged")
        exchange.fail(Failure(FAULT, f"the answer could not be judged: {type(error).__name__}"))
        return exchange.conclude()


def _room_for_sockets() -> int:
    """How many attempts fit into the process's open files; the soft limit is raised as far as is needed and allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_IN_FLIGHT + _FILES_KEPT
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MAX_IN_FLIGHT if soft == resource.RLIM_INFINITY else max(64, min(MAX_IN_FLIGHT, soft - _FILES_KEPT))
