"""Every list of tasks is read by an index in the order that it has, whatever is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import event

from nightowl.adapters.store_sql.tasks import SqlTasks, open_tasks
from nightowl.core.cluster.events import Gap
from nightowl.core.cluster.task import Task, TaskFilter

Read = Callable[[SqlTasks], object]

PARTS: dict[str, dict[str, Any]] = {
    "name": {"names": ("a",)},
    "names": {"names": ("a", "b")},
    "state": {"states": ("FAILURE",)},
    "worker": {"workers": ("w",)},
    "queue": {"queues": ("q",)},
    "exception": {"exception": "E"},
    "place": {"place": "p"},
    "root": {"root": "r"},
    "parent": {"parent": "r"},
    "words": {"words": ("alpha",)},
    "start": {"start": 1.0},
}

ASKED = [
    {key: value for part in parts for key, value in PARTS[part].items()}
    for many in (0, 1, 2, 3)
    for parts in combinations(PARTS, many)
]

READS: dict[str, Read] = {
    "state of a cluster": lambda tasks: tasks.state("shop"),
    "gaps": lambda tasks: tasks.gaps("shop", 1.0, 2.0),
    "get": lambda tasks: tasks.get("shop", ["1", "2"]),
    "unfinished": lambda tasks: tasks.unfinished("shop", 1.0, 5),
    "family": lambda tasks: tasks.family("shop", "r", 5),
    "names": lambda tasks: tasks.names("shop"),
}


@pytest.fixture(scope="module")
def tasks() -> Iterator[SqlTasks]:
    store = open_tasks("sqlite://")
    store.write(
        "shop",
        [
            Task(
                uuid=str(number),
                name="ab"[number % 2],
                state="FAILURE",
                worker="w",
                queue="q",
                exception="E",
                place="p",
                root="r",
                parent="r",
                args="alpha",
                seen=2.0,
            )
            for number in range(4)
        ],
        gaps=[Gap(1.0, 2.0, "dropped")],
    )
    yield store
    store.close()


def plans(tasks: SqlTasks, read: Read) -> list[str]:
    """SQLite's plan of every statement that ``read`` runs."""
    found: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        rows = connection.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters[0] if many else parameters)
        found.extend(row[3] for row in rows)

    for engine in tasks._engines:
        event.listen(engine, "before_cursor_execute", explain)
    try:
        tasks._known.__init__()  # type: ignore[misc]  # so that names are looked up, too
        read(tasks)
    finally:
        for engine in tasks._engines:
            event.remove(engine, "before_cursor_execute", explain)
    assert found
    return found


def assert_indexed(steps: list[str], *, sorts: bool = False) -> None:
    for step in steps:
        assert not re.search(r"SCAN (?!CONSTANT|anon_|\(subquery|task_words VIRTUAL TABLE INDEX \d+:.*M)", step), steps
        assert "AUTOMATIC" not in step, steps
        assert sorts or "TEMP B-TREE" not in step, steps


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: "+".join(asked) or "all")
def test_a_page_is_read_by_an_index_and_not_sorted(tasks: SqlTasks, asked: dict[str, Any]) -> None:
    wanted = TaskFilter(**asked)
    assert_indexed(plans(tasks, lambda tasks: tasks.page("shop", wanted, after=None, limit=3)))
    assert_indexed(plans(tasks, lambda tasks: tasks.count("shop", wanted, 3)))


@pytest.mark.parametrize("name", READS)
def test_what_else_is_read_is_read_by_an_index(tasks: SqlTasks, name: str) -> None:
    assert_indexed(plans(tasks, READS[name]), sorts=name == "gaps")


def test_failures_are_counted_off_an_index(tasks: SqlTasks) -> None:
    steps = plans(tasks, lambda tasks: tasks.failures("shop", 1.0, 5))
    assert_indexed(steps, sorts=True)
    assert any("COVERING INDEX tasks_by_failure (fault=? AND failed>?)" in step for step in steps), steps


def test_writing_and_forgetting_search_by_indexes(tasks: SqlTasks) -> None:
    task = Task(uuid="9", name="a", state="FAILURE", exception="E", seen=3.0, args="beta")
    for _ in range(2):
        assert_indexed(plans(tasks, lambda tasks: tasks.write("shop", [task], gaps=[Gap(1.0, 2.0, "dropped")])))
    steps = plans(tasks, lambda tasks: tasks.prune(1.0, 4, 5))
    assert_indexed([step for step in steps if step != "SCAN task_clusters"], sorts=True)
