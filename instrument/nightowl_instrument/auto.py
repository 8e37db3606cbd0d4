"""Instruments this process by its environment, when this module is imported.

``NIGHTOWL_STATSD`` is the URL of StatsD; ``NIGHTOWL_PUSH``, ``NIGHTOWL_TOKEN`` and ``NIGHTOWL_CLUSTER`` say where
events are pushed. Without them nothing happens. Celery's command line imports this module by itself, as the package
offers it a command; other programs, which only send tasks, import it before they make their app.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

import click
from celery import _state, signals

from nightowl_instrument.dispatcher import push_events
from nightowl_instrument.installing import measure, pusher

log = logging.getLogger(__name__)


def by_environment(environment: Mapping[str, str]) -> list[str]:
    """Instrument what the environment asks for; return sentences about what that is, or why it is not.

    It never raises: a worker does its work with a mistaken address, too.
    """
    told = []
    if statsd := environment.get("NIGHTOWL_STATSD"):
        try:
            measure(statsd)
            told.append(f"StatsD is told at {statsd}.")
        except ValueError as error:
            told.append(f"StatsD is not told: NIGHTOWL_STATSD: {error}")
    if push := environment.get("NIGHTOWL_PUSH"):
        try:
            _push(push, environment.get("NIGHTOWL_TOKEN", ""), environment.get("NIGHTOWL_CLUSTER", ""))
            told.append(f"Events are pushed to {push}.")
        except ValueError as error:
            told.append(f"Events are not pushed: NIGHTOWL_PUSH, NIGHTOWL_TOKEN, NIGHTOWL_CLUSTER: {error}")
    return told


def _push(push: str, token: str, cluster: str) -> None:
    """Push the events of every app: of one that is made later as soon as it is put to use."""
    put = pusher(push, token, cluster)
    _state.connect_on_app_finalize(lambda app: push_events(app, put))

    def before_a_worker_starts(instance: Any, **_: Any) -> None:
        push_events(instance.app, put)

    signals.celeryd_init.connect(before_a_worker_starts, weak=False, dispatch_uid="nightowl-push-init")


TOLD = by_environment(os.environ)
for each in TOLD:
    if " not " in each:
        log.warning("%s", each)


@click.command()
def instrument() -> None:
    """Say what the environment lets nightowl-instrument do."""
    for sentence in TOLD or ["Nothing: neither NIGHTOWL_STATSD nor NIGHTOWL_PUSH is set."]:
        click.echo(sentence)
