"""A private Alertmanager that notifies nobody."""

from __future__ import annotations

import urllib.error
import urllib.request

from tests.servers.programs import program
from tests.servers.server import Server

_CONFIGURATION = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


class Alertmanager(Server):
    """prometheus-alertmanager, alone. Alerts stay until they end, so tests tell theirs apart by their subjects."""

    kind = "alertmanager"

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

    def answers(self) -> bool:
        """Whether it takes alerts."""
        try:
            with urllib.request.urlopen(f"{self.fresh_url()}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def fresh_url(self) -> str:
        """Where it is: there is one for all."""
        return f"http://127.0.0.1:{self.port}"

    def drop(self, url: str) -> None:
        """Nothing: alerts end by themselves."""
