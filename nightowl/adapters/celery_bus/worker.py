"""A Celery worker inside a process that has other things to do as well."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from celery import Celery
from celery.concurrency import get_implementation
from celery.worker import WorkController


def worker(app: Celery, pool: str, consumer: type, *, concurrency: int) -> WorkController:
    """A worker without Celery's command line around it: no banner, no signal handlers, no gossip among workers."""
    return WorkController(
        app=app,
        consumer_cls=consumer,
        pool_cls=_pool(app, pool),
        concurrency=concurrency,
        without_heartbeat=True,
        without_mingle=True,
        without_gossip=True,
        optimization="fair",
        use_eventloop=False,  # the hub does not wake for what pool threads acknowledge, and messages then stand still
    )


def _pool(app: Celery, name: str) -> type:
    """A pool that runs tasks of this app: Celery would look them up in the app that is current in the process."""
    base: type = get_implementation(name)

    def on_apply(self: Any, target: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return base.on_apply(self, partial(target, app=app), *args, **kwargs)  # type: ignore[attr-defined]

    return type("TaskPool", (base,), {"on_apply": on_apply})
