"""What a fleet stands on: a broker and a store, behind lines that can be cut, on a disk that can be full."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.end_to_end.faults import Fault, full, locked, of_network, small_disk
from tests.end_to_end.proxy import Proxy
from tests.servers.server import Server


@dataclass(frozen=True)
class Ground:
    """The URLs for a fleet, the store's own URL, past the proxy, and the faults by name."""

    broker_url: str
    store_url: str
    direct_url: str
    faults: Mapping[str, Fault]


@contextmanager
def ground(folder: Path, servers: Mapping[str, Server]) -> Iterator[Ground]:
    """Lay it: each server behind a proxy; SQLite and a broker in a folder for those that are not among ``servers``.

    Where there is one of the latter and the user is root, it lies on a small disk of its own.
    """
    with ExitStack() as stack:
        proxies = {name: stack.enter_context(Proxy(server.port)) for name, server in servers.items()}
        urls = {name: server.fresh_url() for name, server in servers.items()}
        through = {name: urls[name].replace(f":{servers[name].port}/", f":{proxies[name].port}/") for name in urls}
        faults = of_network(proxies)
        place = folder
        if len(servers) < 2 and os.geteuid() == 0:
            place = stack.enter_context(small_disk(folder / "disk"))
            faults["full disk"] = full(place)
        sqlite = f"sqlite:///{place}/nightowl.db"
        direct = urls.get("database", sqlite)
        faults["locked database"] = locked(direct)
        broker = through.get("broker", f"filesystem://{place}/bus")
        yield Ground(broker, through.get("database", sqlite), direct, faults)


def fault_names(servers: Mapping[str, Server]) -> list[str]:
    """The names of the faults that the ground over these servers has."""
    names = [f"{what} {server}" for server in servers for what in ("silent", "cut")]
    small = len(servers) < 2 and os.geteuid() == 0
    return [*names, "locked database", *(["full disk"] if small else [])]
