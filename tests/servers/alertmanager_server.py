"""A private Alertmanager that notifies nobody."""

from __future__ import annotations

from tests.servers.http_server import HttpServer
from tests.servers.programs import program

_CONFIGURATION = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


class Alertmanager(HttpServer):
    """prometheus-alertmanager, alone. Alerts stay until they end, so tests tell theirs apart by their subjects."""

    kind = "alertmanager"
    health = "/-/ready"

    def prepare(self) -> None:
        """Write a configuration: it has no default."""
        (self.folder / "alertmanager.yml").write_text(_CONFIGURATION)

    def command(self) -> list[str]:
        """Everything else by arguments; it looks for no other members."""
        return [
            program("prometheus-alertmanager"),
            *("--config.file", "alertmanager.yml", "--storage.path", str(self.folder / "data")),
            *("--web.listen-address", f"127.0.0.1:{self.port}", "--cluster.listen-address", ""),
        ]
