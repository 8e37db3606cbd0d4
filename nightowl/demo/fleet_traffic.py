"""What the sample shop's customers and its beat have to do: puts tasks into queues by a timetable."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

from celery import chain, chord, schedules
from celery.beat import ScheduleEntry, Scheduler

from nightowl.demo import fleet_tasks as shop
from nightowl.demo.fleet_app import LATE, app

LATENESS = 20.0
"""Seconds after the full minute at which the late entry is sent."""

_STEP = 0.2
_IMAGES_CYCLE, _IMAGES_RUSH = 60.0, 20.0

_orders = itertools.count(1001)


def run() -> None:
    """Send for ever."""
    scheduler = TardyScheduler(app, lazy=False)
    began = time.monotonic()
    due = {number: each[1] for number, each in enumerate(TIMETABLE)}
    while True:
        pause = scheduler.tick()
        elapsed = time.monotonic() - began
        for number, (every, _, send) in enumerate(TIMETABLE):
            if elapsed >= due[number]:
                due[number] += every
                send(elapsed)
        time.sleep(max(0.0, min(pause, _STEP)))


class TardyScheduler(Scheduler):
    """Celery's own beat, but for one entry, which it sends late; it remembers nothing over a restart."""

    def setup_schedule(self) -> None:
        """Take the app's schedule."""
        self.merge_inplace(self.app.conf.beat_schedule)

    def is_due(self, entry: ScheduleEntry) -> schedules.schedstate:
        """Hold the late entry back."""
        due = entry.is_due()
        early = LATENESS - time.time() % 60
        if entry.name == LATE and due.is_due and early > 0:
            return schedules.schedstate(is_due=False, next=early)
        return due


def _order(_: float, card: str = "visa") -> None:
    order = next(_orders)
    charge = shop.charge.s(
        order=order,
        amount=round(random.uniform(9, 240), 2),  # noqa: S311 - no secret
        card=card,
        card_token=f"tok_live_{order:x}9f3c",
        bank_password="hunter2",  # noqa: S106 - a canary for redaction
    )
    chain(charge, shop.send_receipt.si(order, to=f"customer-{order}@shop.example")).apply_async()


def _declined(elapsed: float) -> None:
    _order(elapsed, card="expired")


def _bounce(_: float) -> None:
    shop.send_receipt.delay(next(_orders), to="full@shop.example")


def _refused(_: float) -> None:
    shop.send_receipt.delay(next(_orders), to="")


def _cancelled(_: float) -> None:
    receipt = shop.send_receipt.apply_async((next(_orders), "cancelled@shop.example"), countdown=5)
    app.control.revoke(receipt.id)


def _outdated(_: float) -> None:
    shop.send_receipt.apply_async((next(_orders), "outdated@shop.example"), countdown=4, expires=2)


def _images(elapsed: float) -> None:
    if elapsed % _IMAGES_CYCLE < _IMAGES_RUSH:
        shop.resize_image.delay(f"lamp-{random.randrange(1000)}.jpg", width=640)  # noqa: S311 - no secret


def _parcels(_: float) -> None:
    day = datetime.now(UTC).date().isoformat()
    packing = chord([shop.pack_parcel.s(number) for number in range(4)], shop.print_labels.s())
    chain(shop.collect_orders.s(day), packing, shop.call_courier.s()).apply_async()


def _catalogue(_: float) -> None:
    shop.build_catalogue.delay(pages=30)


def _stuck(_: float) -> None:
    shop.rebuild_index.delay(full=True)


def _nobody(_: float) -> None:
    shop.export_ledger.delay()


def _unknown(_: float) -> None:
    app.send_task("shop.import_prices", kwargs={"supplier": "Lux & <b>Sons</b>"})


def _tidy(_: float) -> None:
    app.backend.cleanup()


TIMETABLE: tuple[tuple[float, float, Callable[[float], None]], ...] = (
    (1.0, 1.0, _order),
    (0.25, 1.0, _images),
    (15.0, 3.0, _declined),
    (30.0, 4.0, _bounce),
    (25.0, 5.0, _refused),
    (20.0, 1.5, _cancelled),
    (30.0, 7.0, _outdated),
    (60.0, 2.0, _parcels),
    (60.0, 6.0, _catalogue),
    (120.0, 10.0, _stuck),
    (60.0, 2.0, _nobody),
    (90.0, 5.0, _unknown),
    (60.0, 60.0, _tidy),
)
"""Every so many seconds, first after so many, what to send."""
