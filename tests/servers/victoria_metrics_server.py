"""A private VictoriaMetrics, which takes remote writes and answers queries of Prometheus."""

from __future__ import annotations

from tests.servers.http_server import HttpServer
from tests.servers.programs import program


class VictoriaMetrics(HttpServer):
    """victoria-metrics, which shows samples as soon as they are in."""

    kind = "victoria_metrics"
    health = "/health"

    def prepare(self) -> None:
        """Nothing: all that it needs is in its command."""

    def command(self) -> list[str]:
        """Everything in the server's folder."""
        return [
            program("victoria-metrics"),
            f"-storageDataPath={self.folder / 'data'}",
            f"-httpListenAddr=127.0.0.1:{self.port}",
            "-search.latencyOffset=0s",
            "-memory.allowedBytes=64MB",
        ]
