"""A small server for ``/health`` and ``/metrics``: for roles without pages, and for metrics elsewhere."""

from __future__ import annotations

import resource
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote

from nightowl.core.errors import ConfigurationError, Mistake, NotFound, Unavailable
from nightowl.core.exposition import MEDIA_TYPE, exposition
from nightowl.core.values import Sample
from nightowl.roles.gathering import Role
from nightowl.web.exposition import gives
from nightowl.web.handlers import ClusterMetrics

OF_CLUSTER = "/metrics/cluster/"
"""What the path of one cluster's metrics begins with."""

_NO_HEADERS: Mapping[str, str] = {}


class ListeningRole:
    """Answers ``/health`` with ``fault``, ``/metrics`` with ``metrics("")`` and ``/metrics/cluster/NAME`` with its own.

    With ``?flower=1`` the last has Flower's families, too. ``account`` is the ``user:password`` that readers of metrics
    must give (empty: none). Raises ``ConfigurationError`` where the address cannot be listened on; ``key`` is what the
    user gave it as.
    """

    name = "listener"
    fault = ""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        key: str,
        fault: Callable[[], str],
        metrics: ClusterMetrics,
        account: str = "",
    ) -> None:
        try:
            self._server = _Server((host, port), _handler(fault, metrics, account))
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


class _Server(ThreadingHTTPServer):
    """Says nothing of readers that went away before their answer, as they do where they wait no longer."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell what failed, but for that."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def role_metrics(role: Role, figures: Sequence[Sample]) -> str:
    """Return the metrics of a role's process, and what it counts itself."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    process = [
        Sample("nightowl_role_up", (("role", role.name),), 0.0, float(not role.fault)),
        Sample("process_cpu_seconds_total", (), 0.0, usage.ru_utime + usage.ru_stime),
        Sample("process_max_resident_memory_bytes", (), 0.0, usage.ru_maxrss * 1024.0),
    ]
    return exposition([], [*process, *figures])


def _handler(fault: Callable[[], str], metrics: ClusterMetrics, account: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """A few paths."""

        wbufsize = -1  # an answer goes out at once: each write would wait for the interpreter again

        def do_GET(self) -> None:
            """Answer /health (503 with the fault where there is one) and metrics."""
            path, _, query = self.path.partition("?")
            cluster = _cluster(path)
            if path in ("/health", "/healthcheck"):
                said = fault()
                self._answer(503 if said else 200, said or "OK")
            elif cluster is None:
                self._answer(404, "there are /health and /metrics")
            elif account and not gives(self.headers.get("Authorization", ""), account):
                self._answer(401, "these metrics ask for a user and a password", {"WWW-Authenticate": "Basic"})
            else:
                status, text = _written(metrics, cluster, query)
                self._answer(status, text, {"Content-Type": MEDIA_TYPE} if status == 200 else _NO_HEADERS)

        def _answer(self, status: int, text: str, headers: Mapping[str, str] = _NO_HEADERS) -> None:
            body = text.encode()
            self.send_response(status)
            for name, value in {"Content-Type": "text/plain; charset=utf-8", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Say nothing: health checks come every few seconds."""

    return Handler


def _written(metrics: ClusterMetrics, cluster: str, query: str) -> tuple[int, str]:
    """A status, and the metrics or why there are none."""
    try:
        return 200, metrics(cluster, flower=parse_qs(query).get("flower") == ["1"])
    except NotFound as error:
        return 404, str(error)
    except Unavailable as error:
        return 503, str(error)


def _cluster(path: str) -> str | None:
    """The cluster whose metrics are at a path (empty: all; None: there are none)."""
    if path == "/metrics":
        return ""
    return unquote(path.removeprefix(OF_CLUSTER)) if path.startswith(OF_CLUSTER) else None
