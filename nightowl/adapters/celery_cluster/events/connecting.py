"""Connect in a thread of its own, as looking a host up and a handshake may take longer than a read may."""

from __future__ import annotations

import threading

from nightowl.adapters.celery_cluster.events.stream import Connect, Stream


class Connecting:
    """One attempt to connect. Its thread ends by itself."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._stream: Stream | None = None
        self._error: Exception | None = None
        self._unwanted = False
        threading.Thread(target=self._run, name="connecting to a cluster", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Whether it has come to an end, after waiting for as long at most."""
        return self._ended.wait(seconds)

    def result(self) -> Stream:
        """The stream, once it has ended. Raises what connecting did."""
        if self._error:
            raise self._error
        assert self._stream is not None
        return self._stream

    def abandon(self) -> None:
        """Close what it has connected, or will."""
        with self._lock:
            self._unwanted = True
            stream, self._stream = self._stream, None
        if stream:
            stream.close()

    def _run(self) -> None:
        try:
            self._keep(self._connect())
        except Exception as error:  # noqa: BLE001 - whatever a driver raises is told by the thread that reads
            self._error = error
        self._ended.set()

    def _keep(self, stream: Stream) -> None:
        with self._lock:
            if not self._unwanted:
                self._stream = stream
                return
        stream.close()
