"""The file of an SQLite database that is deleted or replaced under open connections."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nightowl.adapters.store_sql import SqlStore, open_store
from nightowl.adapters.store_sql.tasks import SqlTasks, open_tasks
from nightowl.core.cluster.task import Task, TaskFilter
from nightowl.core.errors import StoreUnavailable

GONE = r"owl\.(\w+\.)?db: the file was deleted or replaced while it was in use; put it back, or stop all .*"


def read(store: SqlStore) -> None:
    with store.read() as unit:
        unit.checks.all()


def write(store: SqlStore) -> None:
    with store.transaction() as unit:
        unit.leases.acquire("director", "me", 5.0)


@pytest.mark.parametrize("use", [read, write, SqlStore.ping])
def test_a_deleted_store_is_missed_and_one_that_is_put_back_used_again(
    tmp_path: Path, use: Callable[[SqlStore], None]
) -> None:
    path = tmp_path / "owl.db"
    store = open_store(f"sqlite:///{path}", migrate=True)
    path.rename(tmp_path / "moved")
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=GONE):
            use(store)
    assert not path.exists()
    (tmp_path / "moved").rename(path)
    use(store)
    store.close()


def test_connections_that_are_opened_later_make_no_new_file(tmp_path: Path) -> None:
    path = tmp_path / "owl.db"
    store = open_store(f"sqlite:///{path}", migrate=True)
    store.close()
    path.unlink()
    with pytest.raises(StoreUnavailable, match=GONE):
        store.ping()
    assert not path.exists()


def test_another_file_in_its_place_is_not_taken_for_it(tmp_path: Path) -> None:
    path, other = tmp_path / "owl.db", tmp_path / "other.db"
    open_store(f"sqlite:///{other}", migrate=True).close()
    store = open_store(f"sqlite:///{path}", migrate=True)
    other.replace(path)
    with pytest.raises(StoreUnavailable, match=GONE):
        store.ping()
    store.close()


def by_tasks(store: SqlTasks) -> None:
    store.write("shop", [Task(uuid="lost", seen=2e9)])


def by_page(store: SqlTasks) -> None:
    store.count("shop", TaskFilter(), 5)


def by_figures(store: SqlTasks) -> None:
    store.save_figures("shop", b"1")


@pytest.mark.parametrize(
    ("name", "use"),
    [("tasks", by_tasks), ("tasks", by_page), ("tasks", SqlTasks.ping), ("figures", by_figures)],
)
def test_deleted_tasks_and_figures_are_missed(tmp_path: Path, name: str, use: Callable[[SqlTasks], None]) -> None:
    store = open_tasks(f"sqlite:///{tmp_path}/owl.db")
    (tmp_path / f"owl.{name}.db").unlink()
    with pytest.raises(StoreUnavailable, match=GONE):
        use(store)
    store.close()
