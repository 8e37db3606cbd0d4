"""Faults that are no death: a store that is locked, a disk that is full, a network that is silent or cut."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from tests.end_to_end.proxy import Proxy

Fault = Callable[[], AbstractContextManager[None]]
"""Begins a fault, which ends with the block."""

LOCKS = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "LOCK TABLE rounds IN ACCESS EXCLUSIVE MODE",
    "mysql": "LOCK TABLES rounds WRITE",
}
DISK = 24 * 1024 * 1024
"""Bytes of a small disk."""


def of_network(proxies: dict[str, Proxy]) -> dict[str, Fault]:
    """The faults of the lines to servers, by name."""
    silent: dict[str, Fault] = {f"silent {name}": proxy.silent for name, proxy in proxies.items()}
    return silent | {f"cut {name}": proxy.cut for name, proxy in proxies.items()}


def locked(store_url: str) -> Fault:
    """Another client of the database holds a lock that every round needs."""
    url = make_url(store_url)

    @contextmanager
    def fault() -> Iterator[None]:
        engine = create_engine(url)
        try:
            with engine.connect() as connection:
                connection.execute(text(LOCKS[url.get_backend_name()]))
                yield
                with suppress(DBAPIError):  # the database may have been killed meanwhile, and the lock with it
                    connection.rollback()
        finally:
            engine.dispose()

    return fault


def full(disk: Path) -> Fault:
    """Something else fills the disk."""

    @contextmanager
    def fault() -> Iterator[None]:
        ballast = disk / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(b"x" * 4096):
                pass
        yield
        ballast.unlink()

    return fault


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of its own in memory, which only root may have.

    Raises:
        OSError: it could not be mounted.
    """
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OSError(f"no small disk can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
