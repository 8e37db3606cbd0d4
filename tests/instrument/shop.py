"""A shop's Celery app that knows nothing of any monitor: what is told of it comes by its environment alone."""

from __future__ import annotations

import os
import time

from celery import Celery
from celery.exceptions import Reject
from kombu.transport import TRANSPORT_ALIASES

# kombu's own folder lets a worker take a message that is not written yet, and loses it
TRANSPORT_ALIASES["filesystem"] = "nightowl.adapters.celery_bus.folder_transport:Transport"

app = Celery("shop", broker=os.environ["SHOP_BROKER"], set_as_current=True)
app.conf.update(
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    task_ignore_result=True,
)
if folder := os.environ.get("SHOP_FOLDER"):
    app.conf.broker_transport_options = {
        "data_folder_in": f"{folder}/queue",
        "data_folder_out": f"{folder}/queue",
        "control_folder": f"{folder}/control",
        "polling_interval": 0.05,
    }


@app.task
def add(one: int, two: int) -> int:
    return one + two


@app.task
def doze(seconds: float) -> None:
    time.sleep(seconds)


@app.task
def boom() -> None:
    raise ValueError("no")


@app.task
def refuse() -> None:
    raise Reject("no", requeue=False)


@app.task(bind=True, max_retries=2)
def again(self) -> None:
    raise self.retry(countdown=0.01)


def load(queue: str, count: int = 20, late: int = 1) -> None:
    """Send what every case comes of: ``count`` that succeed, one that fails, one retried twice, some that are late."""
    for number in range(count):
        add.apply_async((number, 1), queue=queue)
    boom.apply_async(queue=queue)
    again.apply_async(queue=queue)
    for _ in range(late):
        add.apply_async((1, 1), queue=queue, expires=-1)
