"""A small load that is over in seconds, for tests of what becomes of counts."""

from __future__ import annotations

from tests.celery_fleet.app import make_app
from tests.celery_fleet.fleet import Fleet

_ENDS = {"task-succeeded", "task-failed", "task-revoked", "task-rejected"}


def wave(fleet: Fleet, pool: str) -> None:
    """Send the worker with this pool tasks that go in each way that a counter tells, and wait until they have."""
    ids: list[str] = []
    with make_app(fleet.place, pool) as app:
        for name in ("fleet.add", "fleet.fail", "fleet.retry_once", "fleet.reject"):
            args = {"fleet.add": (1,), "fleet.fail": ("no",)}.get(name, ())
            ids += [app.send_task(name, args).id for _ in range(3)]
        ids += [app.send_task("fleet.sleep", (0.1,)).id, app.send_task("fleet.add", (1,), countdown=2, expires=1).id]
    fleet.capture.wait(lambda events: set(ids) <= {each["uuid"] for each in events if each["type"] in _ENDS})
