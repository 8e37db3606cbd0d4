"""One test run: its folder, its lifeline, and the servers that its processes share."""

from __future__ import annotations

import fcntl
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.alertmanager_server import Alertmanager
from tests.servers.graphite_server import Graphite
from tests.servers.mariadb_server import MariaDB
from tests.servers.postgresql_server import PostgreSQL
from tests.servers.prometheus_server import Prometheus
from tests.servers.rabbitmq_server import RabbitMQ
from tests.servers.redis_server import Redis
from tests.servers.server import POLL, STOP_TIMEOUT, Server
from tests.servers.statsd_server import Statsd
from tests.servers.victoria_metrics_server import VictoriaMetrics

KINDS: dict[str, type[Server]] = {
    kind.kind: kind
    for kind in (
        Redis,
        RabbitMQ,
        MariaDB,
        PostgreSQL,
        Prometheus,
        Graphite,
        Alertmanager,
        Statsd,
        VictoriaMetrics,
    )
}


class Run:
    """The owner of a run's folder: as long as it lives, so may its servers."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="nightowl-tests-"))
        self.folder.chmod(0o755)  # PostgreSQL may be another user
        self._lifeline = (self.folder / "lifeline").open("wb")
        fcntl.lockf(self._lifeline, fcntl.LOCK_EX)

    def end(self) -> None:
        """Let every server go, and wait until their keepers have removed the folder."""
        kept = any(entry.is_dir() for entry in self.folder.iterdir())
        self._lifeline.close()
        deadline = time.monotonic() + STOP_TIMEOUT
        while kept and self.folder.exists() and time.monotonic() < deadline:
            time.sleep(POLL)
        shutil.rmtree(self.folder, ignore_errors=True)


def shared(run: Path, kind: str) -> Server:
    """The run's one server of a kind, started by whichever process asks first."""
    ports = run / f"{kind}.json"
    with _locked(run / f"{kind}.lock"):
        if ports.exists():
            return KINDS[kind](run, kind, json.loads(ports.read_text()))
        server = KINDS[kind](run, kind)
        server.start()
        ports.write_text(json.dumps(server.ports))
        return server


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
