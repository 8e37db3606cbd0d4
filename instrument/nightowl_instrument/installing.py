"""Puts the parts together, once in each process and its children."""

from __future__ import annotations

import logging
from typing import Any

from celery import signals

from nightowl_instrument.address import address
from nightowl_instrument.courier import Courier
from nightowl_instrument.dispatcher import Put, are_pushed, push_events
from nightowl_instrument.gauges import WorkerGauges
from nightowl_instrument.metering import Metering
from nightowl_instrument.push import Pushing, destination
from nightowl_instrument.queues import QueueNames
from nightowl_instrument.stages import Stages

log = logging.getLogger(__name__)

ITEMS = 50_000
"""Measurements that wait at most."""

EVENTS = 10_000
"""Events that wait at most while NightOwl cannot be reached."""

_BY_PUSH = "push='https://HOST' with token and cluster"
_BY_ENVIRONMENT = "NIGHTOWL_PUSH with NIGHTOWL_TOKEN and NIGHTOWL_CLUSTER"
_NO_PUSH = (
    "install() pushes no events, as it was given token or cluster without push: "
    f"give it {_BY_PUSH}, or set {_BY_ENVIRONMENT} and import nightowl_instrument.auto"
)
_NOBODY = (
    f"install() does nothing, as it was given neither statsd nor push: give it statsd='udp://HOST:PORT' or {_BY_PUSH}, "
    f"or set NIGHTOWL_STATSD or {_BY_ENVIRONMENT} and import nightowl_instrument.auto"
)

_couriers: dict[str, tuple[object, Courier]] = {}


def install(
    app: Any,
    statsd: str = "",
    *,
    tags: str | None = None,
    prefix: str | None = None,
    push: str = "",
    token: str = "",
    cluster: str = "",
) -> None:
    """Let a Celery app tell StatsD, or NightOwl, or both, what its tasks do.

    Args:
        app: The Celery app. StatsD is told of all apps in this process, as Celery's signals are.
        statsd: Where StatsD listens: ``udp://HOST[:PORT]``, ``tcp://HOST[:PORT]`` (8125) or ``unix:///PATH``.
        tags: How labels are told: ``none`` (in the name; the default), ``dogstatsd``, ``influx`` or ``graphite``.
        prefix: What all names begin with; ``celery.`` unless told otherwise.
        push: Where NightOwl is: ``https://owl.example``.
        token: A token of NightOwl's with the role operator.
        cluster: The name of the cluster in NightOwl's configuration.

    Raises ``ValueError`` for what cannot be meant. What is installed first stays. That nobody is told, as neither this
    nor an earlier call nor the environment says whom, is a warning in the log.
    """
    if statsd:
        measure(statsd, tags, prefix, app)
    if push:
        push_events(app, pusher(push, token, cluster))
    pushed = are_pushed(app)
    if (token or cluster) and not pushed:
        log.warning("nightowl_instrument: %s", _NO_PUSH)
    elif not pushed and "statsd" not in _couriers:
        log.warning("nightowl_instrument: %s", _NOBODY)


def measure(statsd: str, tags: str | None = None, prefix: str | None = None, app: Any = None) -> None:
    """Tell StatsD of all apps in this process; ``app`` is the one whose queues have names. Raises ``ValueError``."""
    to = address(statsd, tags, prefix)
    if _is_there("statsd", to):
        return
    metering = Metering(to)
    courier = Courier(metering, ITEMS, "nightowl-statsd")
    _couriers["statsd"] = to, courier
    Stages(courier.put, QueueNames(app)).connect()

    def ready(sender: Any, **_: Any) -> None:
        metering.gauges = WorkerGauges(sender)
        courier.begin()

    def ends(**_: Any) -> None:
        if isinstance(metering.gauges, WorkerGauges):
            for item in metering.gauges.ended():
                courier.put(item)
        courier.flush()

    signals.worker_ready.connect(ready, weak=False, dispatch_uid="nightowl-gauges")
    _flush_at_the_end(courier, "statsd")
    signals.worker_shutdown.connect(ends, weak=False, dispatch_uid="nightowl-ends")


def pusher(push: str, token: str, cluster: str) -> Put:
    """Return what takes events that are to be pushed. Raises ``ValueError``."""
    to = destination(push, token, cluster)
    if not _is_there("push", to):
        pushing = Pushing(to)
        courier = Courier(pushing, EVENTS, "nightowl-push")
        _couriers["push"] = to, courier
        signals.worker_process_init.connect(lambda **_: pushing.be_quiet(), weak=False, dispatch_uid="nightowl-quiet")
        _flush_at_the_end(courier, "push")
    return _couriers["push"][1].put


def _is_there(what: str, to: object) -> bool:
    if what not in _couriers:
        return False
    if _couriers[what][0] != to:
        log.warning("nightowl_instrument: %s is installed already, and goes where it was told first", what)
    return True


def _flush_at_the_end(courier: Courier, what: str) -> None:
    """A process of a pool ends without what Python does at exit; a worker is to tell that it ended."""
    for name, signal in (("process", signals.worker_process_shutdown), ("worker", signals.worker_shutdown)):
        signal.connect(lambda **_: courier.flush(), weak=False, dispatch_uid=f"nightowl-{what}-{name}")
