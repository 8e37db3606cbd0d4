"""Serves the newest snapshot at an address of its own, for Prometheus to scrape."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import time
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec

from nightowl.core.errors import DeliveryFailed
from nightowl.core.known import FRESH
from nightowl.core.sinks.beginnings import Beginnings, begun
from nightowl.core.sinks.scraped import OPEN_METRICS, TEXT, text, wants_open_metrics
from nightowl.core.sinks.selection import relabelled
from nightowl.core.sinks.settings import SinkSettings
from nightowl.core.values import Sample
from nightowl.ports import Dropped

PATIENCE = 10.0
"""Seconds that a reader may take to ask, and for each part of its answer."""


class Prometheus:
    """See ``ports.Sink``. What was not scraped before the next snapshot is gone."""

    newest: ClassVar = True

    def __init__(self, settings: SinkSettings) -> None:
        """Listen. Raises ``DeliveryFailed`` where the address cannot be listened at."""
        self._labels = settings.labels
        self._prefix = settings.prefix
        self._beginnings = Beginnings(settings.labels, settings.every)
        self._shown = _Shown()
        parts = urlsplit(f"//{settings.address}")
        try:
            self._server = _Server((parts.hostname or "", parts.port or 0), _handler(self.page))
        except OSError as error:
            said = (error.strerror or "unknown error").lower()
            raise DeliveryFailed(f"the address cannot be listened at: {said}") from None
        self.port = self._server.server_port
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="sink page", daemon=True
        ).start()

    def emit(self, samples: Sequence[Sample], at: float) -> Dropped:
        """Let this be what is served; counters that are new are 0 until they have been scraped once."""
        if self._shown.scraped:
            self._beginnings.taken(self._shown.given, self._shown.at)
        named = begun(relabelled(samples, self._labels), self._beginnings.of(samples, at))
        self._shown = _Shown(samples, named, at)
        return {}

    def page(self, accept: str) -> tuple[int, str, str]:
        """Return status, media type and text for somebody who accepts what ``accept`` says."""
        shown = self._shown
        if abs(time() - shown.at) > FRESH:
            return 503, "text/plain; charset=utf-8", "there is no snapshot of the last minutes\n"
        open_metrics = wants_open_metrics(accept)
        body = text(shown.named, self._prefix, open_metrics=open_metrics)
        shown.scraped = True
        return 200, OPEN_METRICS if open_metrics else TEXT, body

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()


class _Shown(msgspec.Struct):
    """A snapshot as it was given and as it is served, and whether somebody has read it."""

    given: Sequence[Sample] = ()
    named: Sequence[Sample] = ()
    at: float = 0.0
    scraped: bool = False


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell what failed, but for readers that went away before their answer."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def _handler(page: Callable[[str], tuple[int, str, str]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One path."""

        timeout = PATIENCE

        def do_GET(self) -> None:
            """Answer /metrics."""
            if self.path.partition("?")[0] == "/metrics":
                status, kind, said = page(self.headers.get("Accept", ""))
            else:
                status, kind, said = 404, "text/plain; charset=utf-8", "there is /metrics\n"
            body = said.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Say nothing: scrapes come every few seconds."""

    return Handler
