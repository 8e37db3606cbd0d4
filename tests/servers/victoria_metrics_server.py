"""A private VictoriaMetrics, which takes remote writes and answers queries of Prometheus."""

from __future__ import annotations

from urllib.error import URLError
from urllib.request import urlopen

from tests.servers.programs import program
from tests.servers.server import Server


class VictoriaMetrics(Server):
    """victoria-metrics, which shows samples as soon as they are in."""

    kind = "victoria_metrics"

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

    def answers(self) -> bool:
        """Whether it is healthy."""
        try:
            with urlopen(f"{self.url}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, ConnectionError, TimeoutError):
            return False

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.port}"

    def fresh_url(self) -> str:
        """The one there is: tests take names of their own."""
        return self.url

    def drop(self, url: str) -> None:
        """Nothing: what is in it burdens nobody."""
