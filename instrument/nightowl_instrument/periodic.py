"""Periodic tasks that run on one worker at a time, and long ones that go on where they stopped."""

from __future__ import annotations

import functools
import json
import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from celery import current_app

from nightowl_instrument.keepers import Keeper, keeper, place

log = logging.getLogger(__name__)

LONGEST = 65_536
"""Bytes of a checkpoint at most."""

F = TypeVar("F", bound=Callable[..., Any])

_made: dict[str, Keeper] = {}


class once:  # noqa: N801 - it is used as a decorator
    """Let one process at a time do something; the others do not wait, but leave it.

    As a decorator below ``@app.task`` it returns None where another one is at it. As a context manager it gives
    whether this one is to do it::

        with once("sweep", lasts=300) as mine:
            if mine:
                sweep()

    Args:
        name: What is done; all who use the same name in the same place take turns.
        lasts: Seconds after which the lock ends by itself, as when its process was killed. It is prolonged each third
            of that while the work goes on, so that it need only outlast a pause of the process.
        keep: Where locks are kept: the URL of a Redis, of a database, or of a folder (``file:///FOLDER``). Without it:
            the broker of the current app, where that is a Redis or a database.
    """

    def __init__(self, name: str, lasts: float = 60.0, *, keep: str = "") -> None:
        if not 1.0 <= lasts <= 7 * 86400.0:
            raise ValueError(f"once: lasts = {lasts!r}; allowed is a second to a week")
        self._name = name
        self._lasts = lasts
        self._keep = keep
        self._held: list[_Hold] = []

    def __call__(self, function: F) -> F:
        """Decorate a function."""

        @functools.wraps(function)
        def alone(*args: Any, **kwargs: Any) -> Any:
            with once(self._name, self._lasts, keep=self._keep) as mine:
                return function(*args, **kwargs) if mine else None

        return alone  # type: ignore[return-value]  # it is called as the function is

    def __enter__(self) -> bool:
        """Take the lock, if nobody has it. Raises what the place raises where it cannot be reached."""
        hold = _Hold(_keeper(self._keep), self._name, self._lasts)
        self._held.append(hold)
        return hold.take()

    def __exit__(self, *_: object) -> None:
        """Give the lock back."""
        self._held.pop().release()


class _Hold:
    """A lock that is held, and prolonged by a thread meanwhile."""

    def __init__(self, kept_in: Keeper, name: str, lasts: float) -> None:
        self._keeper = kept_in
        self._name = name
        self._lasts = lasts
        self._token = secrets.token_hex(16)
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self) -> bool:
        if not self._keeper.acquire(self._name, self._token, self._lasts):
            return False
        self._thread = threading.Thread(target=self._prolong, name=f"lock {self._name}", daemon=True)
        self._thread.start()
        return True

    def release(self) -> None:
        if self._thread is None:
            return
        self._over.set()
        self._thread.join(self._lasts)
        self._keeper.release(self._name, self._token)

    def _prolong(self) -> None:
        while not self._over.wait(self._lasts / 3):
            try:
                if not self._keeper.acquire(self._name, self._token, self._lasts):
                    log.error("the lock %s was lost: another process has it", self._name)
                    return
            except Exception:  # noqa: PERF203 - one failure must not end it
                log.exception("the lock %s could not be prolonged, trying again", self._name)


class Checkpoint:
    """Where a long job is. ``value`` is what was saved last, by this process or one before (None: nothing)."""

    def __init__(self, kept_in: Keeper, name: str) -> None:
        self._keeper = kept_in
        self._name = name
        found = kept_in.load(name)
        self.value: Any = None if found is None else json.loads(found)

    def save(self, value: Any) -> None:
        """Keep a small value of JSON. Raises ``ValueError`` for one of more than 64 KiB."""
        text = json.dumps(value)
        if len(text.encode()) > LONGEST:
            raise ValueError(f"checkpoint: a value of {len(text)} bytes; allowed are {LONGEST}")
        self._keeper.save(self._name, text)
        self.value = value


@contextmanager
def checkpoint(name: str, *, keep: str = "") -> Iterator[Checkpoint]:
    """Go on where a job of this name stopped; when the block ends without an exception, the job is done and forgotten.

    ``keep`` is where checkpoints are kept, as for ``once``::

        with checkpoint("export") as place:
            for row in rows(after=place.value or 0):
                send(row)
                place.save(row.id)
    """
    kept_in = _keeper(keep)
    yield Checkpoint(kept_in, name)
    kept_in.forget(name)


def _keeper(keep: str) -> Keeper:
    url = place(current_app, keep)
    if url not in _made:
        _made[url] = keeper(url)
    return _made[url]
