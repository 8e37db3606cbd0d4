"""The ways to a cluster, opened to be tried once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nightowl.adapters.celery_cluster.events import source
from nightowl.core.cluster.command import Command
from nightowl.core.cluster.examination import Part
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.flows.examine import Ways, examine
from nightowl.wire.clock import CLOCK
from nightowl.wire.remote import control_of, results_of
from nightowl.wire.watcher import depth_of, tls_of


@contextmanager
def examining(settings: ClusterSettings, timeout: float) -> Iterator[Iterator[Part]]:
    """Give how each part of a cluster is, one after the other. Raises ``Unavailable``."""
    control, depth, results = control_of(settings), depth_of(settings), results_of(settings)
    ways = Ways(
        settings=settings,
        control=control,
        source=lambda: source(
            settings.broker,
            clock=CLOCK,
            transport_options=settings.transport_options,
            ssl=tls_of(settings),
            accept_content=settings.accept_content,
        ),
        depth=depth,
        results=results,
    )
    try:
        yield examine(ways, CLOCK, timeout)
    finally:
        for each in (control, depth, results):
            if each is not None:
                each.close()


def answers(settings: ClusterSettings, worker: str, timeout: float) -> bool:
    """Whether a worker answers a ping by way of its broker. Raises ``Unavailable`` or ``Refused``."""
    control = control_of(settings)
    try:
        (answer,) = control.ask(Command(name="ping", workers=(worker,)), timeout)
    finally:
        control.close()
    return not (answer.silent or answer.error)
