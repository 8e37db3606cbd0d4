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
from celery import Celery, _state

from nightowl_instrument.dispatcher import push_events
from nightowl_instrument.installing import measure, pusher

log = logging.getLogger(__name__)


def by_environment(environment: Mapping[str, str]) -> list[str]:
    """Instrument what the environment asks for; return sentences about what that is, or why it is not.

    It never raises: a worker does its work with a mistaken address, too.
    """
    told = []
    token, cluster = environment.get("NIGHTOWL_TOKEN", ""), environment.get("NIGHTOWL_CLUSTER", "")
    if statsd := environment.get("NIGHTOWL_STATSD"):
        try:
            measure(statsd)
            told.append(f"StatsD is told at {statsd}.")
        except ValueError as error:
            told.append(f"StatsD is not told: NIGHTOWL_STATSD: {error}")
    if push := environment.get("NIGHTOWL_PUSH"):
        try:
            _push(push, token, cluster)
            told.append(f"Events are pushed to {push}.")
        except ValueError as error:
            told.append(f"Events are not pushed: NIGHTOWL_PUSH, NIGHTOWL_TOKEN, NIGHTOWL_CLUSTER: {error}")
    elif token or cluster:
        told.append("Events are not pushed: NIGHTOWL_TOKEN or NIGHTOWL_CLUSTER is set, and NIGHTOWL_PUSH is not.")
    return told


def _push(push: str, token: str, cluster: str) -> None:
    """Push the events of every app: of those that there are, and of each that is made later."""
    put = pusher(push, token, cluster)
    made = Celery.on_init

    def on_init(app: Any) -> None:
        made(app)
        push_events(app, put)

    Celery.on_init = on_init
    for app in list(_state._get_active_apps()):  # noqa: SLF001 - nothing else knows the apps of a process
        push_events(app, put)


TOLD = by_environment(os.environ)
MISTAKES = [each for each in TOLD if " not " in each]
for each in MISTAKES:
    log.warning("%s", each)


@click.command()
def instrument() -> None:
    """Say what the environment lets nightowl-instrument do; leave with 1 where it cannot be meant."""
    for sentence in TOLD or ["Nothing: neither NIGHTOWL_STATSD nor NIGHTOWL_PUSH is set."]:
        if sentence not in MISTAKES:  # those were told when this module was imported
            click.echo(sentence)
    raise SystemExit(1 if MISTAKES else 0)
