"""A private StatsD (etsy's), with a back end that writes down what StatsD has made of what came."""

from __future__ import annotations

import json
import socket
from collections import defaultdict

from tests.servers.programs import program
from tests.servers.server import Server

BACKEND = """
const fs = require("fs");
exports.init = (_, config, events) => {
  events.on("flush", (_, found) => fs.appendFileSync(config.written, JSON.stringify(
    { counters: found.counters, gauges: found.gauges, timers: found.timer_data }) + "\\n"));
  return true;
};
"""


class Statsd(Server):
    """statsd; ``ports`` are those of datagrams, of its management, and of lines over TCP."""

    kind = "statsd"
    port_count = 3

    def prepare(self) -> None:
        """A configuration of two servers, for datagrams and for a stream, and the back end."""
        (self.folder / "written.js").write_text(BACKEND)
        (self.folder / "written.jsonl").touch()
        (self.folder / "config.js").write_text(
            "{ servers: ["
            f'{{ server: "./servers/udp", address: "127.0.0.1", port: {self.port} }}, '
            f'{{ server: "./servers/tcp", address: "127.0.0.1", port: {self.ports[2]} }}], '
            f'mgmt_address: "127.0.0.1", mgmt_port: {self.ports[1]}, flushInterval: 200, '
            f'backends: ["{self.folder}/written.js"], written: "{self.folder}/written.jsonl" }}'
        )

    def command(self) -> list[str]:
        """Node with the configuration."""
        return [program("node"), program("statsd/stats.js"), str(self.folder / "config.js")]

    def answers(self) -> bool:
        """Whether the management does; the other ports are open by then."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.ports[1])) == 0

    def counters(self) -> dict[str, float]:
        """What was counted, so far."""
        found: defaultdict[str, float] = defaultdict(float)
        for flush in self._flushes():
            for name, count in flush["counters"].items():
                found[name] += count
        return dict(found)

    def gauges(self) -> dict[str, float]:
        """The newest values."""
        return {name: value for flush in self._flushes() for name, value in flush["gauges"].items()}

    def timers(self) -> dict[str, tuple[float, float]]:
        """How many durations there were so far, and the sum of them in milliseconds by the means of StatsD."""
        found: defaultdict[str, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
        for flush in self._flushes():
            for name, data in flush["timers"].items():
                if data.get("count"):
                    count, total = found[name]
                    found[name] = (count + data["count"], total + data["count"] * data["mean"])
        return dict(found)

    def _flushes(self) -> list[dict[str, dict]]:
        lines = (self.folder / "written.jsonl").read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def fresh_url(self) -> str:
        """The one there is: tests take names of their own."""
        return f"udp://127.0.0.1:{self.port}"

    def drop(self, url: str) -> None:
        """Nothing: what is in it burdens nobody."""
