"""Many tasks are written by a process of their own, which says what came of them, and may be lost at any time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from nightowl.adapters.store_sql.tasks import SqlTasks, open_tasks, writer
from nightowl.adapters.store_sql.tasks.writer import MANY, Writer
from nightowl.core.cluster.events import Gap
from nightowl.core.cluster.state import ClusterState
from nightowl.core.cluster.task import Task, TaskFilter
from nightowl.core.errors import StoreUnavailable

ALL = TaskFilter()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlTasks]:
    found = open_tasks(f"sqlite:///{tmp_path}/owl.db")
    yield found
    found.close()


@pytest.fixture
def writing(store: SqlTasks) -> Iterator[Writer]:
    found = store.writer()
    yield found
    found.close()


def many(first: int, count: int = MANY) -> list[Task]:
    return [
        Task(uuid=f"{number}", name="shop.charge", seen=2e9 + number / 1e3) for number in range(first, first + count)
    ]


def process_of(writing: Writer) -> int:
    """Its process, once that is ready."""
    writing.write("shop", many(0))
    end = time.monotonic() + 30.0
    assert writing._process is not None
    while not writing._process.has_begun():
        assert time.monotonic() < end
        time.sleep(0.02)
    return writing._process._process.pid


def stopping(folder: Path) -> str:
    """A program that lets its process stand still, and prints which one that is."""
    return f"""
import os, signal
from tests.contract.test_task_writer import many, open_tasks, process_of
store = open_tasks("sqlite:///{folder}/owl.db")
writing = store.writer()
process = process_of(writing)
os.kill(process, signal.SIGSTOP)
print(process, flush=True)
"""


def test_few_tasks_need_no_process(store: SqlTasks, writing: Writer) -> None:
    writing.write("shop", many(0, MANY - 1))
    assert writing._process is None
    assert store.count("shop", ALL, MANY * 2) == MANY - 1


def test_all_that_is_given_is_written_by_the_process(lasting_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_tasks(lasting_url)
    writing = store.writer()
    process_of(writing)
    monkeypatch.setattr(store, "write", lambda *_, **__: pytest.fail("written by this process"))
    state, gap = ClusterState(name="shop", at=1.0, since=1.0), Gap(1.0, 2.0, "away")
    told = Task(uuid="told", name="shop.notify", seen=2.1e9, args="('Grüße', 'alpha')", error="ValueError('x')")
    writing.write("shop", [*many(MANY), told], state=state, gaps=[gap])
    assert store.count("shop", ALL, MANY * 3) == 2 * MANY + 1
    assert store.page("shop", TaskFilter(words=("grüße", "alpha")), after=None, limit=2).tasks == [told]
    assert (store.states(), store.gaps("shop", 0.0, 9.0)) == ([state], [gap])
    writing.close()
    store.close()


def test_a_text_that_cannot_be_sent_is_written_all_the_same(store: SqlTasks, writing: Writer) -> None:
    process_of(writing)
    writing.write("shop", [Task(uuid="odd", name="a", seen=2.1e9, args="\ud800")])
    assert store.get("shop", ["odd"])["odd"].args == "\N{REPLACEMENT CHARACTER}"


def test_a_process_that_is_killed_costs_nothing(store: SqlTasks, writing: Writer) -> None:
    os.kill(process_of(writing), signal.SIGKILL)
    writing.write("shop", many(MANY))
    writing.write("shop", many(2 * MANY))
    assert store.count("shop", ALL, MANY * 4) == 3 * MANY
    assert writing._process is None


def test_another_one_begins_in_its_place_after_a_while(writing: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "PAUSE", 0.0)
    first = process_of(writing)
    os.kill(first, signal.SIGKILL)
    writing.write("shop", many(MANY))
    assert process_of(writing) != first


def test_a_process_that_stands_still_is_done_without(store: SqlTasks, writing: Writer) -> None:
    stopped = process_of(writing)
    os.kill(stopped, signal.SIGSTOP)
    assert writing._process is not None
    writing._process._sock.settimeout(0.2)
    writing.write("shop", many(MANY))
    assert store.count("shop", ALL, MANY * 4) == 2 * MANY
    with pytest.raises(ProcessLookupError):
        os.kill(stopped, 0)


def test_what_ends_its_service_leaves_it_to_who_asks_it(store: SqlTasks, writing: Writer) -> None:
    process = process_of(writing)
    os.kill(process, signal.SIGTERM)
    os.kill(process, signal.SIGINT)
    writing.write("shop", many(MANY))
    assert writing._process is not None
    assert store.count("shop", ALL, MANY * 4) == 2 * MANY
    writing.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_one_that_stands_still_ends_with_who_began_it(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", stopping(tmp_path)], check=True, capture_output=True, timeout=30)
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


def test_what_waits_when_the_asking_process_is_killed_is_not_written_later(store: SqlTasks, tmp_path: Path) -> None:
    """Whoever watches next has written what is newer by then."""
    command = [sys.executable, "-c", f'{stopping(tmp_path)}writing.write("shop", many(0))']
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asking:
        assert asking.stdout is not None
        assert asking.stderr is not None
        process = int(asking.stdout.readline())
        time.sleep(0.5)
        asking.kill()
        store.write("shop", [msgspec.structs.replace(task, state="SUCCESS") for task in many(0)])
        os.kill(process, signal.SIGCONT)
        assert asking.stderr.read() == b""  # ends with the last of both processes
    assert store.get("shop", ["1"])["1"].state == "SUCCESS"


def test_a_machine_that_takes_no_more_processes_is_written_by_this_one(
    store: SqlTasks, writing: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    writing.write("shop", many(0))
    assert writing._process is None
    assert store.count("shop", ALL, MANY * 2) == MANY


def test_it_says_why_it_cannot_write(tmp_path: Path) -> None:
    found = open_tasks(f"sqlite:///{tmp_path}/owl.db")
    writing = found.writer()
    process_of(writing)
    for path in tmp_path.glob("owl.tasks.db*"):
        path.unlink()
    with pytest.raises(StoreUnavailable, match=r"owl\.tasks\.db"):
        writing.write("shop", many(MANY))
    assert writing._process is not None
    writing.close()
    found.close()


def test_a_store_that_only_this_process_sees_is_written_by_it() -> None:
    found = open_tasks("sqlite://")
    writing = found.writer()
    writing.write("shop", many(0))
    assert writing._process is None
    writing.close()
    found.close()
