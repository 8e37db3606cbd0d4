"""A small server for ``/health`` and ``/metrics``: for roles without pages, and for metrics elsewhere."""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from nightowl.core.errors import ConfigurationError, Mistake, Unavailable
from nightowl.core.exposition import MEDIA_TYPE, exposition
from nightowl.core.values import Sample
from nightowl.roles.gathering import Role


class ListeningRole:
    """Answers ``/health`` with ``fault`` and ``/metrics`` with ``metrics``.

    Raises ``ConfigurationError`` where the address cannot be listened on; ``key`` is what the user gave it as.
    """

    name = "listener"
    fault = ""

    def __init__(self, host: str, port: int, *, key: str, fault: Callable[[], str], metrics: Callable[[], str]) -> None:
        try:
            self._server = ThreadingHTTPServer((host, port), _handler(fault, metrics))
        except (OSError, OverflowError) as error:
            found = f'"{host}:{port}" ({error})'
            raise ConfigurationError(
                [Mistake(file="", key=key, found=found, allowed="a free HOST:PORT of this machine")]
            ) from None

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    def run(self, stop: threading.Event) -> None:
        """Answer until ``stop``."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True)
        thread.start()
        stop.wait()
        self._server.shutdown()
        thread.join()
        self._server.server_close()


def role_metrics(role: Role, figures: Sequence[Sample]) -> str:
    """Return the metrics of a role's process, and what it counts itself."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    process = [
        Sample("nightowl_role_up", (("role", role.name),), 0.0, float(not role.fault)),
        Sample("process_cpu_seconds_total", (), 0.0, usage.ru_utime + usage.ru_stime),
        Sample("process_max_resident_memory_bytes", (), 0.0, usage.ru_maxrss * 1024.0),
    ]
    return exposition([], [*process, *figures])


def _handler(fault: Callable[[], str], metrics: Callable[[], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Two paths."""

        def do_GET(self) -> None:
            """Answer /health (503 with the fault where there is one) and /metrics."""
            if self.path in ("/health", "/healthcheck"):
                said = fault()
                self._answer(503 if said else 200, said or "OK", "text/plain; charset=utf-8")
            elif self.path == "/metrics":
                self._metrics()
            else:
                self._answer(404, "there are /health and /metrics", "text/plain; charset=utf-8")

        def _metrics(self) -> None:
            try:
                self._answer(200, metrics(), MEDIA_TYPE)
            except Unavailable as error:
                self._answer(503, str(error), "text/plain; charset=utf-8")

        def _answer(self, status: int, text: str, media_type: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Say nothing: health checks come every few seconds."""

    return Handler
