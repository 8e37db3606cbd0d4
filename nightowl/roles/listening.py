"""``--listen``: the ``/health`` and ``/metrics`` of a role that has no pages."""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.core.values import Sample
from nightowl.roles.gathering import Role
from nightowl.web.exposition import MEDIA_TYPE, exposition


class ListeningRole:
    """Answers for another role. Raises ``ConfigurationError`` where the address cannot be listened on.

    ``figures`` are the role's own samples.
    """

    name = "listener"
    fault = ""

    def __init__(self, address: str, role: Role, figures: Callable[[], Sequence[Sample]]) -> None:
        host, _, port = address.rpartition(":")
        handler = _handler(lambda: role.fault, lambda: exposition([], [*_process(role), *figures()]))
        try:
            self._server = ThreadingHTTPServer((host.strip("[]"), int(port)), handler)
        except (OSError, ValueError, OverflowError) as error:
            found = f'"{address}" ({error})'
            raise ConfigurationError(
                [Mistake(file="", key="--listen", found=found, allowed="a free HOST:PORT of this machine")]
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


def _process(role: Role) -> list[Sample]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    labels = (("role", role.name),)
    return [
        Sample("nightowl_role_up", labels, 0.0, float(not role.fault)),
        Sample("process_cpu_seconds_total", (), 0.0, usage.ru_utime + usage.ru_stime),
        Sample("process_max_resident_memory_bytes", (), 0.0, usage.ru_maxrss * 1024.0),
    ]


def _handler(fault: Callable[[], str], metrics: Callable[[], str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Two paths."""

        def do_GET(self) -> None:
            """Answer /health (503 with the fault where there is one) and /metrics."""
            if self.path in ("/health", "/healthcheck"):
                said = fault()
                self._answer(503 if said else 200, said or "OK", "text/plain; charset=utf-8")
            elif self.path == "/metrics":
                self._answer(200, metrics(), MEDIA_TYPE)
            else:
                self._answer(404, "there are /health and /metrics", "text/plain; charset=utf-8")

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
