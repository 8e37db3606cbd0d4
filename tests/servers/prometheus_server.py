"""A private Prometheus that scrapes itself only where a test says so; samples come in by hand."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.servers.http_server import HttpServer
from tests.servers.programs import program


class Prometheus(HttpServer):
    """prometheus; ``targets`` of ``scrape`` are scraped each second from then on."""

    kind = "prometheus"
    health = "/-/ready"
    interval = "1s"

    def prepare(self) -> None:
        """A configuration that finds its targets in a file, and looks at it often."""
        (self.folder / "prometheus.yml").write_text(
            f"global: {{ scrape_interval: {self.interval}, scrape_timeout: {self.interval} }}\n"
            "scrape_configs:\n"
            "  - job_name: tests\n"
            "    file_sd_configs: [{ files: [targets.json], refresh_interval: 1s }]\n"
        )

    def command(self) -> list[str]:
        """Everything in the server's folder."""
        return [
            program("prometheus"),
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--log.level=warn",
        ]

    def load(self, lines: Iterable[str]) -> None:
        """Put samples into blocks (OpenMetrics: name, labels, value, Unix seconds), before it is started."""
        if not self.folder.exists():
            self.folder.mkdir()
            self.prepare()
        text = self.folder / "samples.txt"
        text.write_text("\n".join([*lines, "# EOF", ""]))
        subprocess.run(
            [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(text), str(self.folder / "data")],
            check=True,
            capture_output=True,
        )

    def scrape(self, *ports: int) -> None:
        """Scrape these ports of this machine, and no others."""
        part = Path(self.folder, "targets.part")
        part.write_text(f'[{{"targets": [{", ".join(f"{chr(34)}127.0.0.1:{port}{chr(34)}" for port in ports)}]}}]')
        part.replace(self.folder / "targets.json")
