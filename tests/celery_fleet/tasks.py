"""The tasks of the acceptance fleet: one for each way in which a task can go, named for it."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from celery.exceptions import Ignore, Reject

from tests.celery_fleet.app import Place, make_app
from tests.celery_fleet.names import SCRIPT, UNICODE


class Dotted(Exception):
    """Its repr has the module."""

    def __repr__(self) -> str:
        return f"some.package.{type(self).__name__}({self.args[0]!r})"


class Wordless(Exception):
    """Its repr has no parentheses."""

    def __repr__(self) -> str:
        return "it went wrong: <b>badly</b> ☠"


class Silent(Exception):
    """Its repr is empty."""

    def __repr__(self) -> str:
        return ""


class Hostile(Exception):
    """It has no repr."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


app = make_app(Place.of_environment(), os.environ["FLEET_POOL"])


@app.task(name="fleet.add")
def add(x: int, y: int = 0) -> int:
    return x + y


@app.task(name="fleet.total")
def total(numbers: list[int]) -> int:
    return sum(numbers)


@app.task(name="fleet.echo", ignore_result=True)
def echo(*args: Any, **kwargs: Any) -> Any:
    return [args, kwargs]


@app.task(name=SCRIPT, ignore_result=True)
def scripted(text: str) -> str:
    return text


@app.task(name=UNICODE, ignore_result=True)
def worldly(text: str) -> str:
    return text


@app.task(name="fleet.sleep", ignore_result=True)
def sleep(seconds: float) -> None:
    time.sleep(seconds)


@app.task(name="fleet.progress", bind=True, ignore_result=True)
def progress(self: Any, total: int) -> None:
    for current in range(1, total + 1):
        self.send_event("task-progress", current=current, total=total)


@app.task(name="fleet.fail")
def fail(text: str) -> None:
    raise ValueError(text)


@app.task(name="fleet.fail_dotted")
def fail_dotted() -> None:
    raise Dotted("x")


@app.task(name="fleet.fail_wordless")
def fail_wordless() -> None:
    raise Wordless("y")


@app.task(name="fleet.fail_silent")
def fail_silent() -> None:
    raise Silent


@app.task(name="fleet.fail_hostile")
def fail_hostile() -> None:
    raise Hostile("z")


@app.task(name="fleet.fail_in_lines")
def fail_in_lines() -> None:
    raise RuntimeError("first\nKeyError: second\n  third")


@app.task(name="fleet.retry_once", bind=True)
def retry_once(self: Any) -> int:
    if not self.request.retries:
        raise self.retry(exc=ValueError("not yet"), countdown=0)
    return 1


@app.task(name="fleet.retry_in_vain", bind=True, max_retries=2)
def retry_in_vain(self: Any) -> None:
    raise self.retry(exc=Dotted("never"), countdown=0)


@app.task(name="fleet.retry_reasonless", bind=True, max_retries=1)
def retry_reasonless(self: Any) -> None:
    raise self.retry(countdown=0)


@app.task(name="fleet.reject", acks_late=True)
def reject() -> None:
    raise Reject("no", requeue=False)


@app.task(name="fleet.reject_once", bind=True, acks_late=True)
def reject_once(self: Any) -> None:
    if not self.request.delivery_info.get("redelivered"):
        raise Reject("later", requeue=True)


@app.task(name="fleet.ignore")
def ignore() -> None:
    raise Ignore


@app.task(name="fleet.soft_limit", soft_time_limit=0.5)
def soft_limit() -> None:
    time.sleep(60)


@app.task(name="fleet.hard_limit", time_limit=1)
def hard_limit() -> None:
    time.sleep(60)


@app.task(name="fleet.exit")
def exit_() -> None:
    os._exit(3)


@app.task(name="fleet.kill")
def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
