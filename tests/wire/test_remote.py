"""The control of each cluster lives as long as its settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from nightowl.core.cluster.commands import Unconfirmed
from nightowl.core.cluster.person import Person
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.errors import NotFound, Refused
from nightowl.core.values import Author
from nightowl.testing.store import memory_store, memory_tasks
from nightowl.wire.clock import CLOCK
from nightowl.wire.remote import Remotes

ADMIN = Person(Author("user", "ada"), "admin")


@pytest.fixture
def clusters(tmp_path: Path) -> dict[str, ClusterSettings]:
    folders = {f"data_folder_{way}": str(tmp_path) for way in ("in", "out")}
    folder = ClusterSettings(name="folder", broker="filesystem://", transport_options=folders)
    table = ClusterSettings(name="table", broker=f"sqla+sqlite:///{tmp_path}/broker.db")
    return {"folder": folder, "table": table}


@pytest.fixture
def remotes(clusters: dict[str, ClusterSettings]) -> Iterator[Remotes]:
    with closing(memory_store()) as store, closing(memory_tasks()) as tasks:
        made = Remotes(lambda: clusters, store, tasks, CLOCK)
        yield made
        made.close()


def test_a_control_is_made_once_and_anew_when_its_settings_change(
    remotes: Remotes, clusters: dict[str, ClusterSettings]
) -> None:
    first, other = remotes("folder"), remotes("table")
    assert remotes("folder") is first
    clusters["folder"] = replace(clusters["folder"], control=False)
    assert remotes("folder") is not first
    assert remotes("table") is other
    with pytest.raises(Refused, match=r"control = false in \[cluster.folder\]"):
        remotes("folder").command(ADMIN, "ping", {})
    del clusters["folder"]
    with pytest.raises(NotFound):
        remotes("folder")


def test_a_purge_tells_what_waits(remotes: Remotes) -> None:
    folder = remotes("folder")
    for number in range(3):
        folder.send(ADMIN, "shop.add", [number], {}, {"queue": "backlog"})
    with pytest.raises(Unconfirmed, match="the queue backlog: 3 messages") as error:
        folder.purge(ADMIN, "backlog", confirmed=False)
    assert error.value.count == 3
    assert folder.purge(ADMIN, "backlog", confirmed=True) == 3


def test_a_broker_without_remote_control_says_so_and_takes_tasks(remotes: Remotes) -> None:
    table = remotes("table")
    with pytest.raises(Refused, match="SQLite as the broker has no remote control"):
        table.command(ADMIN, "ping", {})
    assert table.send(ADMIN, "shop.add", [1], {}, {"queue": "backlog"})


def test_without_a_backend_nothing_is_aborted(remotes: Remotes) -> None:
    with pytest.raises(Refused, match="set backend in"):
        remotes("folder").abort(ADMIN, "x")
