"""Every back end of the store, each time empty."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, delete, table
from sqlalchemy.pool import NullPool

from nightowl.adapters.store_sql import SqlStore, migrate, open_store
from nightowl.adapters.store_sql.tasks import SqlTasks, open_tasks
from nightowl.adapters.store_sql.tasks.schema import METADATA as TASKS_METADATA
from nightowl.testing.store import memory_store, memory_tasks
from tests.conftest import fresh_url
from tests.contract.emptied import Emptied

BACK_ENDS = [
    "file",
    "memory",
    pytest.param("postgresql", marks=pytest.mark.postgresql),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
]


@pytest.fixture(params=[back_end for back_end in BACK_ENDS if back_end != "memory"])
def lasting_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, without tables, of every kind that outlives its process."""
    if request.param == "file":
        return f"sqlite:///{tmp_path / 'nightowl.db'}"
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def emptied(pytestconfig: pytest.Config) -> Iterator[Callable[[str], str]]:
    """The URL of a database of a server: for each kind one, emptied each time."""
    made: dict[str, Emptied] = {}
    with ExitStack() as stack:

        def again(kind: str) -> str:
            if kind not in made:
                made[kind] = Emptied(stack.enter_context(contextmanager(fresh_url)(pytestconfig, kind)))
            return made[kind].again()

        yield again


@pytest.fixture(scope="session")
def emptied_tasks(emptied: Callable[[str], str]) -> Callable[[str], str]:
    """The same with the tables of tasks, which are made once and emptied each time."""
    engines: dict[str, Engine] = {}

    def again(kind: str) -> str:
        url = emptied(kind)
        if url not in engines:
            open_tasks(url).close()
            engines[url] = create_engine(url, poolclass=NullPool)
        with engines[url].begin() as connection:
            for each in (*TASKS_METADATA.sorted_tables, table("task_words")):
                connection.execute(delete(each))
        return url

    return again


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of SQLite with all tables."""
    path = tmp_path_factory.mktemp("migrated") / "nightowl.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=BACK_ENDS)
def store(
    request: pytest.FixtureRequest, tmp_path: Path, migrated_file: Path, emptied: Callable[[str], str]
) -> Iterator[SqlStore]:
    """An empty store of every kind."""
    if request.param == "memory":
        store = memory_store()
    elif request.param == "file":
        store = open_store(f"sqlite:///{shutil.copy(migrated_file, tmp_path)}")
    else:
        store = open_store(emptied(request.param))
    yield store
    store.close()


@pytest.fixture(scope="session")
def migrated_tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of SQLite that hold tasks, with all tables."""
    folder = tmp_path_factory.mktemp("migrated-tasks")
    open_tasks(f"sqlite:///{folder / 'nightowl.db'}").close()
    return folder


@pytest.fixture(params=BACK_ENDS)
def tasks(
    request: pytest.FixtureRequest, tmp_path: Path, migrated_tasks: Path, emptied_tasks: Callable[[str], str]
) -> Iterator[SqlTasks]:
    """An empty store of tasks of every kind."""
    if request.param == "memory":
        store = memory_tasks()
    elif request.param == "file":
        shutil.copytree(migrated_tasks, tmp_path, dirs_exist_ok=True)
        store = open_tasks(f"sqlite:///{tmp_path / 'nightowl.db'}")
    else:
        store = open_tasks(emptied_tasks(request.param))
    yield store
    store.close()
