"""The programs that the tests need beside Python: where they are, and what is left out without them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

NEEDS = {
    "redis": ("redis-server", "redis-cli"),
    "rabbitmq": ("rabbitmq-server", "rabbitmqctl", "epmd", "openssl"),
    "mariadb": ("mariadbd", "mariadb-install-db"),
    "postgresql": ("postgres", "initdb"),
    "alertmanager": ("prometheus-alertmanager",),
    "prometheus": ("prometheus", "promtool"),
    "graphite": ("carbon-cache", "graphite-manage"),
    "statsd": ("node", "statsd/stats.js"),
    "victoria_metrics": ("victoria-metrics",),
    "chromium": ("chromium",),
}
"""By the marker of the tests that need them."""

PACKAGES = {
    "redis": "redis-server",
    "rabbitmq": "rabbitmq-server openssl",
    "mariadb": "mariadb-server",
    "postgresql": "postgresql",
    "alertmanager": "prometheus-alertmanager",
    "prometheus": "prometheus",
    "graphite": "graphite-carbon graphite-web",
    "statsd": "nodejs npm",
    "victoria_metrics": "victoria-metrics",
    "chromium": "chromium fonts-dejavu-core",
}
"""The Debian packages by marker."""

MODULES = Path(sys.prefix, "share", "nightowl-tests", "node_modules")
"""Where ``install_servers`` puts what comes from npm."""

OF_NPM = {"statsd": "statsd@0.9.0"}
"""What comes from npm, by marker."""


def find(name: str) -> str | None:
    """The path of a program.

    Debian keeps some off a user's PATH, and puts a wrapper before RabbitMQ's that ordinary users may not run.
    """
    if (module := MODULES / name).is_file():
        return str(module)
    postgresql = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))
    folders = [
        "/usr/lib/rabbitmq/bin",
        *os.environ.get("PATH", os.defpath).split(os.pathsep),
        *("/usr/local/sbin", "/usr/sbin", "/sbin"),
        *map(str, reversed(postgresql)),
    ]
    return shutil.which(name, path=os.pathsep.join(folders))


def program(name: str) -> str:
    """The path of a program that is there.

    Raises:
        FileNotFoundError: it is not.
    """
    path = find(name)
    if path is None:
        raise FileNotFoundError(name)
    return path


def missing(marker: str) -> str:
    """Why tests with this marker cannot run here: a sentence; empty when they can."""
    absent = [name for name in NEEDS[marker] if find(name) is None]
    if not absent:
        return ""
    npm = f"; npm install --ignore-scripts --prefix {MODULES.parent} {OF_NPM[marker]}" if marker in OF_NPM else ""
    return f"needs {', '.join(absent)} (apt-get install {PACKAGES[marker]}{npm})"


def main(arguments: Sequence[str]) -> None:
    """Print what is missing, a line for each marker.

    That is the reason, with ``--packages`` the Debian packages, with ``--npm`` the folder and what belongs into it.
    """
    for marker in NEEDS:
        if not (reason := missing(marker)):
            continue
        if "--packages" in arguments:
            if marker not in OF_NPM or not (find("node") and find("npm")):  # other builds of Node bring npm along
                print(PACKAGES[marker])  # noqa: T201 - its output
        elif "--npm" in arguments and marker in OF_NPM:
            print(MODULES.parent, OF_NPM[marker])  # noqa: T201 - its output
        elif not arguments:
            print(f"  {marker}: {reason}")  # noqa: T201 - its output


if __name__ == "__main__":
    main(sys.argv[1:])
