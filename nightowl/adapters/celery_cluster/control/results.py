"""Results of tasks in the cluster's result backend, and the state by which an abortable task is asked to end.

Only backends that keep JSON under a key: Celery's for databases keeps pickles, and none is ever read here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from celery import Celery
from celery.app.backends import by_url
from celery.backends.base import BaseKeyValueStoreBackend
from celery.contrib.abortable import ABORTED

from nightowl.adapters.celery_cluster.control.broker import (
    ANSWER_TIMEOUT,
    CONNECT_TIMEOUT,
    Broker,
)
from nightowl.core.cluster.result import PENDING, TaskResult, read
from nightowl.core.errors import Refused, Unavailable

LARGEST = 32 * 1024 * 1024
"""Bytes of a result at most."""

_LOOK = 0.05


class Results:
    """A result backend. Any thread may use it."""

    def __init__(self, url: str, transport_options: Mapping[str, Any] | None = None) -> None:
        self._place = Broker(url)
        self._url = url
        self._app = Celery("nightowl-results", set_as_current=False)
        self._app.conf.update(
            result_backend=url,
            result_backend_transport_options=dict(transport_options or {}),
            result_serializer="json",
            result_accept_content=["json"],
            accept_content=["json"],
            result_backend_always_retry=False,
            redis_socket_connect_timeout=CONNECT_TIMEOUT,
            redis_socket_timeout=ANSWER_TIMEOUT,
            redis_retry_on_timeout=False,
        )
        self._made: Any = None
        self._lock = threading.Lock()

    def get(self, task: str, timeout: float = 0.0) -> TaskResult:
        """Return what is known of a task's result, waiting up to ``timeout`` seconds for it to be ready.

        Raises ``Unavailable`` while the backend cannot be reached, ``Refused`` for what cannot be read.
        """
        deadline = time.monotonic() + timeout
        while not (found := self._now(task)).ready and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(_LOOK, left))
        return found

    def abort(self, task: str) -> None:
        """Tell an abortable task that it is to end; it does so when it looks. Raises as ``get``."""
        backend = self._backend()
        with _Telling(self._place):
            backend.store_result(task, None, ABORTED)

    def close(self) -> None:
        """Give connections back."""
        client = getattr(self._made, "client", None)
        if client is not None and hasattr(client, "close"):
            client.close()
        self._app.close()

    def _now(self, task: str) -> TaskResult:
        backend = self._backend()
        with _Telling(self._place):
            data = backend.get(backend.get_key_for_task(task))
        if not data:
            return PENDING
        if len(data) > LARGEST:
            raise Refused(f"The result of {task} is larger than {LARGEST // 1024**2} MiB.")
        try:
            return read(data)
        except ValueError as error:
            raise Refused(f"The result of {task} cannot be read: {error}.") from None

    def _backend(self) -> Any:
        with self._lock:
            if self._made is None:
                made, url = by_url(self._url, self._app.loader)
                if not issubclass(made, BaseKeyValueStoreBackend):
                    raise Refused(
                        f"Results in {self._place.shown} cannot be read, only what is kept as JSON, such as in Redis."
                    )
                with _Telling(self._place):
                    self._made = made(app=self._app, url=url)
            return self._made


class _Telling:
    """Turns what a backend's driver raises into ``Unavailable``."""

    def __init__(self, place: Broker) -> None:
        self._place = place

    def __enter__(self) -> None:
        """Nothing is to be prepared."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, Exception):
            said = str(self._place.unavailable(error)).replace("the broker", "the result backend", 1)
            raise Unavailable(said) from None
