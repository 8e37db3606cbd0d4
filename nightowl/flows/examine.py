"""Examine: try each way to a cluster once, and say what cannot be seen, and what mends that. No watcher is needed.

Nothing is changed: workers are asked how they are, and told to send a heartbeat, which proves that events arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec

from nightowl.core.cluster.command import Answer, Command
from nightowl.core.cluster.examination import Part, missing_part, settings
from nightowl.core.cluster.selection import listed
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.cluster.unseen import unset
from nightowl.core.errors import Refused, Unavailable
from nightowl.ports import Clock
from nightowl.ports.clusters import ClusterControl, ClusterDepth, ClusterSource, TaskResults

_AGAIN = 1.0
"""Seconds after which workers are told once more to send a heartbeat: the first may come before we listen."""

_FANOUT = "a broker of Redis or RabbitMQ, which can tell all workers something and carry their events"
_NOBODY = "doctor.nightowl"


class Ways(msgspec.Struct, frozen=True, kw_only=True):
    """The ways to a cluster. ``depth`` is None where its broker tells nothing, ``results`` without a backend."""

    settings: ClusterSettings
    control: ClusterControl
    source: Callable[[], ClusterSource]
    depth: ClusterDepth | None
    results: TaskResults | None


def examine(ways: Ways, clock: Clock, timeout: float) -> Iterator[Part]:
    """Yield how each part is, as soon as that is known; workers are given ``timeout`` seconds for each question."""
    broker = _broker(ways)
    yield broker
    if broker.health == "fails":
        return
    lacking = {name: missing_part(name, sentence) for name, sentence in unset(ways.settings).items()}
    if "management" in lacking:
        yield lacking["management"]
    yield from _workers(ways, clock, timeout)
    yield lacking.get("results") or _results(ways)
    yield lacking.get("beat") or _schedule(ways.settings)
    if not ways.settings.control:
        mend = f"leave control away in [cluster.{ways.settings.name}]"
        yield Part(name="control", health="missing", says="it is watched only: control = false", mend=mend)


def _broker(ways: Ways) -> Part:
    if ways.depth is None:
        return Part(name="broker", health="missing", says="this kind of broker does not tell how full its queues are")
    try:
        found = ways.depth.broker()
        return Part(name="broker", health="works", says=f"{f'{found.kind} {found.version}'.strip()} at {found.url}")
    except Unavailable as error:
        mend = f"the address, user and password in broker of [cluster.{ways.settings.name}]"
        return Part(name="broker", health="fails", says=str(error), mend=mend)


def _workers(ways: Ways, clock: Clock, timeout: float) -> Iterator[Part]:
    """Ask who is there; whoever answers is asked for queues and settings, and listened to."""
    try:
        names = _told(ways.control.ask(Command(name="ping"), timeout))
    except Unavailable as error:
        yield Part(name="remote control", health="fails", says=str(error))
        return
    except Refused as error:
        yield Part(name="remote control", health="missing", says=str(error), mend=_FANOUT)
        yield Part(name="events", health="missing", says="without fanout there are none", mend=_FANOUT)
        return
    if not names:
        says = f"no worker answered within {timeout:g} s"
        mend = "start a worker; one that is up answers unless worker_enable_remote_control = False, or it is too busy"
        yield Part(name="remote control", health="missing", says=says, mend=mend)
        return
    says = f"{len(names)} answered: {listed(sorted(names))}"
    yield Part(name="remote control", health="works", says=says)
    yield _events(ways, clock, timeout, set(names))
    yield from _queues(ways, timeout, list(names))
    confs = _told(ways.control.ask(Command(name="conf"), timeout, list(names)))
    yield from settings(confs, ways.settings.enable_events, ways.settings.name)


def _events(ways: Ways, clock: Clock, timeout: float, names: set[str]) -> Part:
    """Listen until each of these workers was heard, or the time is over."""
    source, heard = ways.source(), set[str]()
    end, told = clock.monotonic() + max(timeout, 3 * _AGAIN), 0.0
    source.read(0.2)  # connects
    while heard < names and (left := end - clock.monotonic()) > 0:
        if clock.monotonic() - told >= _AGAIN:
            ways.control.ask(Command(name="heartbeat"), 0.0)
            told = clock.monotonic()
        heard |= {event.hostname for event in source.read(min(0.2, left)).events} & names
    fault, silent = source.fault, source.silent
    source.close()
    if silent:
        return Part(name="events", health="missing", says=silent, mend=_FANOUT)
    if fault:
        return Part(name="events", health="fails", says=fault)
    if unheard := sorted(names - heard):
        mend = "run the worker with -E and without --without-heartbeat"
        return Part(name="events", health="missing", says=f"nothing was heard of {listed(unheard)}", mend=mend)
    return Part(name="events", health="works", says="heard of every worker that answered")


def _queues(ways: Ways, timeout: float, names: Sequence[str]) -> Iterator[Part]:
    told = _told(ways.control.ask(Command(name="active_queues"), timeout, names))
    consumed = sorted({str(queue.get("name")) for queue in _listed(told.values()) if isinstance(queue, dict)})
    wanted = list(dict.fromkeys([*ways.settings.queues, *consumed]))
    if ways.depth is None or not wanted:
        return
    try:
        found = ways.depth.queues(wanted)
    except Unavailable as error:
        yield Part(name="queues", health="fails", says=str(error))
        return
    unknown = [queue.name for queue in found if queue.ready is None]
    if unknown:
        yield Part(name="queues", health="missing", says=f"how full they are is not told: {listed(unknown)}")
    else:
        waiting = sum(queue.ready or 0 for queue in found)
        yield Part(name="queues", health="works", says=f"{waiting:,} waiting in {listed(wanted)}")


def _results(ways: Ways) -> Part:
    assert ways.results is not None, "there is a backend"
    try:
        ways.results.get(_NOBODY)
    except Refused as error:
        return Part(name="results", health="missing", says=str(error))
    except Unavailable as error:
        mend = f"backend in [cluster.{ways.settings.name}]"
        return Part(name="results", health="fails", says=str(error), mend=mend)
    return Part(name="results", health="works", says="the result backend answers")


def _schedule(found: ClusterSettings) -> Part:
    return Part(name="beat", health="works", says=f"entries are read from {found.app or 'the database'}")


def _listed(values: Iterable[Any]) -> Iterator[Any]:
    return chain.from_iterable(value for value in values if isinstance(value, list))


def _told(answers: Sequence[Answer]) -> dict[str, Any]:
    return {answer.worker: answer.value for answer in answers if not (answer.silent or answer.error)}
