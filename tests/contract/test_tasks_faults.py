"""A database of tasks that is locked, full, broken, old or out of reach: one clear error, and nothing half written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, select, text

from nightowl.adapters.store_sql import migrate, versions
from nightowl.adapters.store_sql.tasks import LINE, SqlTasks, migrate_tasks, open_tasks
from nightowl.adapters.store_sql.tasks.schema import CLUSTERS, METADATA
from nightowl.core.cluster.events import Gap
from nightowl.core.cluster.state import ClusterState
from nightowl.core.cluster.task import Task, TaskFilter
from nightowl.core.errors import SchemaOutdated, StoreUnavailable, Unavailable

ALL = TaskFilter()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "owl.tasks.db"


@pytest.fixture
def of_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlTasks]:
    monkeypatch.setattr("nightowl.adapters.store_sql.engines._PATIENCE", 0.2)
    store = open_tasks(f"sqlite:///{path.parent}/owl.db")
    store.write("shop", [Task(uuid="before", seen=2e9, args="alpha")])
    yield store
    store.close()


def assert_as_before(store: SqlTasks) -> None:
    assert [task.uuid for task in store.each("shop", ALL)] == ["before"]
    assert store.count("shop", TaskFilter(words=("alpha",)), 5) == 1
    assert store.names("shop") == store.gaps("shop", 0.0, 9e9) == store.states() == []


def test_only_its_owner_reads_the_file(of_file: SqlTasks, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_locked_database_is_unavailable_and_then_not(of_file: SqlTasks, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match=r"owl\.tasks\.db: .*locked"):
        of_file.write("shop", [Task(uuid="lost", name="a", seen=2e9)])
    assert_as_before(of_file)
    other.execute("ROLLBACK")
    other.close()
    of_file.write("shop", [Task(uuid="after", name="a", seen=2e9 + 1)])
    assert [task.uuid for task in of_file.each("shop", ALL)] == ["after", "before"]


def test_what_was_counted_is_stored_while_tasks_are_written(lasting_url: str) -> None:
    store = open_tasks(lasting_url)
    store.write("shop", [])
    engine = create_engine(store._url)
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.execute(select(CLUSTERS).with_for_update())
        store.save_figures("shop", b"1")
        store.save_figures("shop", b"2")
    assert store.figures("shop") == b"2"
    store.close()
    engine.dispose()


def test_a_full_disk_is_unavailable_and_nothing_is_half_written(of_file: SqlTasks) -> None:
    def bound(pages: int) -> None:
        with of_file._engines.writer.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    bound(1)  # which SQLite takes for "no more than there are"
    many = [Task(uuid=f"{number}", name="a", seen=2e9, args="alpha " * 200, exception="E") for number in range(500)]
    state = ClusterState(name="shop", at=1.0, since=1.0)
    with pytest.raises(StoreUnavailable, match="full"):
        of_file.write("shop", many, state=state, gaps=[Gap(1.0, 2.0, "away")])
    assert_as_before(of_file)
    bound(1 << 30)
    of_file.write("shop", many, state=state, gaps=[Gap(1.0, 2.0, "away")])
    assert of_file.count("shop", ALL, 1000) == 501
    assert of_file.count("shop", TaskFilter(exception="E", names=("a",)), 1000) == 500


def test_a_file_that_is_no_database_is_unavailable(path: Path) -> None:
    path.write_bytes(b"garbage" * 1000)
    with pytest.raises(Unavailable, match="not a database"):
        open_tasks(f"sqlite:///{path.parent}/owl.db")


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"missing/owl\.tasks\.db"):
        open_tasks(f"sqlite:///{tmp_path}/missing/owl.db")


def test_a_server_out_of_reach_is_one_sentence_without_a_password() -> None:
    with pytest.raises(StoreUnavailable) as caught:
        open_tasks("postgresql://owl:geheim@127.0.0.1:1/owl")
    assert "geheim" not in str(caught.value)


def test_the_tables_are_those_that_the_code_knows_beside_the_store(lasting_url: str) -> None:
    migrate(lasting_url)
    store = open_tasks(lasting_url)
    store.close()
    engine = create_engine(store._url)
    found = inspect(engine)
    assert {*METADATA.tables, "task_words", "tasks_version"} <= set(found.get_table_names())
    for table in METADATA.tables.values():
        assert [column["name"] for column in found.get_columns(table.name)] == [column.name for column in table.columns]
        assert {index.name for index in table.indexes} <= {index["name"] for index in found.get_indexes(table.name)}
    engine.dispose()


def test_another_schema_is_refused_with_what_helps(lasting_url: str) -> None:
    migrate_tasks(lasting_url)  # where there are none, none are made
    store = open_tasks(lasting_url)
    store.close()
    migrate_tasks(lasting_url)
    engine = create_engine(store._url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE tasks_version SET version_num = '9999'"))
    engine.dispose()
    for opened in (open_tasks, migrate_tasks):
        with pytest.raises(SchemaOutdated, match="newer NightOwl"):
            opened(lasting_url)
    assert versions.known(LINE) == ["0001", "0002"]


def test_what_goes_wrong_half_way_leaves_nothing(lasting_url: str) -> None:
    store = open_tasks(lasting_url)
    engine = create_engine(store._url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE task_words"))
    with pytest.raises(StoreUnavailable, match="task_words"):
        store.write("shop", [Task(uuid="lost", name="a", args="alpha", seen=2e9)], gaps=[Gap(2e9, 3e9, "away")])
    assert (store.count("shop", ALL, 5), store.names("shop"), store.gaps("shop", 0.0, 9e9)) == (0, [], [])
    store.write("shop", [Task(uuid="kept", name="a", seen=2e9)])
    assert store.names("shop") == ["a"]
    store.close()
    engine.dispose()
