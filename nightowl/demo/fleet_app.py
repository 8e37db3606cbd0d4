"""The Celery app of the sample shop: its queues and its beat schedule, shared by workers and traffic.

Who imports it without ``FOLDER`` in the environment gets the schedule, and no broker.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.schedules import crontab

FOLDER = "NIGHTOWL_DEMO_FLEET"
"""The environment's name for the folder with the broker and the results."""

POLLING_INTERVAL = 0.1
"""Seconds between two looks into the folder: prompt enough for eyes, and hardly any work."""

LATE = "sales-report"
"""The beat entry that is sent too late."""

app = Celery("shop", include=["nightowl.demo.fleet_tasks"], set_as_current=False)
app.conf.update(
    broker_connection_retry_on_startup=True,
    task_default_queue="orders",
    task_routes={
        "shop.send_receipt": {"queue": "mail"},
        "shop.sales_report": {"queue": "mail"},
        "shop.build_catalogue": {"queue": "mail"},
        "shop.resize_image": {"queue": "images"},
        "shop.export_ledger": {"queue": "accounting"},
    },
    task_ignore_result=True,
    task_send_sent_event=True,
    worker_send_task_events=True,
    worker_prefetch_multiplier=1,
    result_expires=600,
    beat_schedule={
        "stock": {"task": "shop.sync_stock", "schedule": 10.0, "kwargs": {"warehouse": "north"}},
        "search-index": {"task": "shop.rebuild_index", "schedule": 20.0},
        LATE: {"task": "shop.sales_report", "schedule": crontab()},
        "nightly-ledger": {"task": "shop.export_ledger", "schedule": crontab(hour="3", minute="0")},
    },
)


def broker_url(folder: Path) -> str:
    """Return the URL of the broker in a folder."""
    return f"filesystem://localhost{folder / 'broker'}"


def backend_url(folder: Path) -> str:
    """Return the URL of the results in a folder."""
    return f"file://{folder / 'results'}"


def transport_options(folder: Path) -> dict[str, Any]:
    """Return the options of kombu's filesystem transport for a folder."""
    messages, control = str(folder / "broker" / "messages"), str(folder / "broker" / "control")
    return {"data_folder_in": messages, "data_folder_out": messages, "control_folder": control}


def make_folders(folder: Path) -> None:
    """Make what the URLs speak of."""
    for part in ("broker/messages", "broker/control", "results"):
        (folder / part).mkdir(parents=True, exist_ok=True, mode=0o700)


def _connect(folder: Path) -> None:
    app.conf.update(
        broker_url=broker_url(folder),
        broker_transport_options=transport_options(folder) | {"polling_interval": POLLING_INTERVAL},
        result_backend=backend_url(folder),
    )


if _folder := os.environ.get(FOLDER):
    _connect(Path(_folder))
