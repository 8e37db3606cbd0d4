"""Whether the store answers: one question at a time, for all who ask, and none of them waits for long."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from time import monotonic

from nightowl.core.errors import Unavailable
from nightowl.ports import Store

PATIENCE = 5.0
"""Seconds that the store is given to answer. A server that was frozen keeps its connections, and says nothing."""


class StoreLook:
    """Asks a store, which may take minutes to return.

    Whoever asks while a question is under way shares it: at most one thread and one connection wait for a store that
    does not answer.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._asked = 0.0
        self._question: Future[str] | None = None

    def fault(self) -> str:
        """Return why the store cannot be used now (empty: it can), after ``PATIENCE`` seconds at most."""
        question = self._shared()
        try:
            return question.result(self._left())
        except TimeoutError:
            return self._silent()

    async def fault_soon(self) -> str:
        """Return the same without holding a thread."""
        question = asyncio.wrap_future(self._shared())
        answered, _ = await asyncio.wait([question], timeout=self._left())
        return question.result() if answered else self._silent()

    def _shared(self) -> Future[str]:
        with self._lock:
            if self._question is None or self._question.done():
                self._asked, self._question = monotonic(), Future()
                self._question.set_running_or_notify_cancel()  # who goes away must not take it from the others
                threading.Thread(target=self._ask, args=(self._question,), name="store look", daemon=True).start()
            return self._question

    def _ask(self, question: Future[str]) -> None:
        try:
            self._store.ping()
        except Unavailable as error:
            question.set_result(str(error))
        except BaseException as error:  # noqa: BLE001 - it is raised by those who wait
            question.set_exception(error)
        else:
            question.set_result("")

    def _left(self) -> float:
        return max(0.0, self._asked + PATIENCE - monotonic())

    def _silent(self) -> str:
        return f"the store does not answer: it was asked {monotonic() - self._asked:.0f} s ago"
