"""A Celery app whose tasks end in every way; ``SHOP_BROKER`` is its broker."""

from __future__ import annotations

import os
import signal
import time

from celery import Celery
from celery.exceptions import Ignore, Reject

app = Celery("shop", broker=os.environ.get("SHOP_BROKER", "memory://"))
app.conf.update(
    task_send_sent_event=True,
    worker_send_task_events=True,
    broker_connection_retry_on_startup=True,
    task_default_queue="orders",
)


class Refused(Exception):
    """A failure of the shop's own."""


@app.task
def pay(amount: int) -> int:
    return amount


@app.task
def refuse(amount: int) -> None:
    raise Refused(amount)


@app.task(bind=True, max_retries=3)
def insist(self) -> str:
    if self.request.retries < 2:
        raise self.retry(countdown=0, exc=Refused("again"))
    return "at last"


@app.task(acks_late=True)
def reject() -> None:
    raise Reject("no", requeue=False)


@app.task
def ignore() -> None:
    raise Ignore


@app.task(time_limit=1)
def hang() -> None:
    time.sleep(60)


@app.task
def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
