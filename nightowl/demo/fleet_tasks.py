"""The tasks of the sample shop: quick and slow ones, and each way in which a task can go wrong.

They only pretend to work; what is wrong with each stands in its arguments, so that its page explains itself.
"""

from __future__ import annotations

import random
import time
from typing import Any

from celery.exceptions import Reject

from nightowl.demo.fleet_app import app


class CardDeclined(Exception):
    """The bank says no."""


class MailboxUnavailable(Exception):
    """The customer's mail server says no."""


class WarehouseBusy(Exception):
    """Stock is being counted; to be asked again."""


@app.task(name="shop.charge")
def charge(*, order: int, amount: float, card: str, card_token: str, bank_password: str) -> str:  # noqa: ARG001
    """Take the money for an order; ``card_token`` and ``bank_password`` are what nobody should read on a page."""
    _work(0.02, 0.2)
    if card == "expired":
        raise CardDeclined(f"the bank declined {amount:.2f} EUR for order {order}: card expired")
    return f"order {order} paid"


@app.task(name="shop.send_receipt", bind=True, max_retries=2, acks_late=True)
def send_receipt(self: Any, order: int, to: str) -> str:
    """Mail a receipt; tries again where the mailbox is full, and refuses what has no address."""
    _work(0.05, 0.3)
    if not to:
        raise Reject(f"order {order} has no address", requeue=False)
    if to.startswith("full@"):
        raise self.retry(exc=MailboxUnavailable(f"452 mailbox of {to} is full"), countdown=2)
    return f"receipt of order {order} sent"


@app.task(name="shop.resize_image")
def resize_image(name: str, width: int) -> str:
    """Make a smaller picture; what the backlog is made of."""
    _work(0.4, 0.7)
    return f"{name}@{width}"


@app.task(name="shop.sync_stock", bind=True)
def sync_stock(self: Any, warehouse: str) -> str:
    """Count a warehouse, which succeeds when asked again."""
    _work(0.05, 0.15)
    if self.request.retries == 0:
        raise self.retry(exc=WarehouseBusy(f"warehouse {warehouse} is counting"), countdown=1)
    return f"{warehouse}: 1204 lamps"


@app.task(name="shop.rebuild_index")
def rebuild_index(*, full: bool = False) -> str:
    """Index the shop for its search: usually at once, in full for much longer than usual."""
    _work(*((40.0, 45.0) if full else (0.2, 0.5)))
    return "3 lamps"


@app.task(name="shop.build_catalogue", bind=True)
def build_catalogue(self: Any, pages: int) -> str:
    """Print a catalogue, and tell after each page how far it is."""
    for page in range(pages):
        self.send_event("task-progress", current=page, total=pages)
        _work(0.9, 1.1)
    self.send_event("task-progress", current=pages, total=pages)
    return f"{pages} pages"


@app.task(name="shop.sales_report")
def sales_report() -> str:
    """Sum up the last minute."""
    _work(0.3, 0.6)
    return "17 lamps sold"


@app.task(name="shop.export_ledger")
def export_ledger() -> None:
    """Hand the books over; no worker takes them."""


@app.task(name="shop.collect_orders", ignore_result=False)
def collect_orders(day: str) -> str:
    """Begin the parcels of a day."""
    _work(0.1, 0.3)
    return day


@app.task(name="shop.pack_parcel", ignore_result=False)
def pack_parcel(day: str, parcel: int) -> str:
    """Pack one of its parcels."""
    _work(0.2, 0.8)
    return f"{day}/{parcel}"


@app.task(name="shop.print_labels", ignore_result=False)
def print_labels(parcels: list[str]) -> int:
    """Print the labels of all of them."""
    _work(0.1, 0.3)
    return len(parcels)


@app.task(name="shop.call_courier", ignore_result=False)
def call_courier(labels: int) -> str:
    """Have them fetched."""
    _work(0.05, 0.1)
    return f"{labels} parcels to fetch"


def _work(least: float, most: float) -> None:
    time.sleep(random.uniform(least, most))  # noqa: S311 - jitter, not a secret
