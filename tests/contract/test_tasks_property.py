"""Whatever is written, written again and forgotten: the store says of tasks what a plain list says."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightowl.adapters.store_sql.tasks import SqlTasks, scanning
from nightowl.core.cluster.task import ENDED, Order, Task, TaskFilter

START = 1_790_000_000.0
NAMES = ("", "a", "b", "c")
STATES = ("RECEIVED", "STARTED", "SUCCESS", "FAILURE", "RETRY")
PLACES = ("", "a.py:1", "b.py:2")
IDS = [f"{number:08x}-0000-4000-8000-{number:012x}" for number in range(12)]
TEXTS = ("", "alpha", "alpha beta", "(4711, 'Beta')", "álpha_4711 ПРИВЕТ")
WORDS = ("alpha", "BETA", "4711", "álp*", "alp*", "bet*", "привет", "none")
SECONDS = st.integers(0, 6).map(lambda seconds: START + seconds)

TASKS = st.builds(
    Task,
    uuid=st.sampled_from(IDS),
    name=st.sampled_from(NAMES),
    state=st.sampled_from(STATES),
    worker=st.sampled_from(NAMES),
    queue=st.sampled_from(NAMES),
    args=st.none() | st.sampled_from(TEXTS),
    error=st.none() | st.sampled_from(TEXTS),
    exception=st.sampled_from(NAMES),
    place=st.sampled_from(PLACES),
    root=st.just("") | st.sampled_from(IDS[:3]),
    parent=st.just("") | st.sampled_from(IDS[:3]),
    failed=st.none() | SECONDS,
    runtime=st.none() | st.floats(0, 10),
    updated=SECONDS,
    seen=SECONDS,
)

FEW = st.lists(st.sampled_from(NAMES), max_size=2).map(tuple)

FILTERS = st.builds(
    TaskFilter,
    names=FEW,
    states=st.lists(st.sampled_from(STATES), max_size=2).map(tuple),
    workers=st.just(()) | FEW,
    queues=st.just(()) | FEW,
    exception=st.just("") | st.sampled_from(NAMES),
    place=st.just("") | st.sampled_from(PLACES),
    root=st.just("") | st.sampled_from(IDS[:3]),
    parent=st.just("") | st.sampled_from(IDS[:3]),
    words=st.lists(st.sampled_from(WORDS), max_size=2).map(tuple),
    start=st.none() | SECONDS,
    end=st.none() | SECONDS,
)


def fits(task: Task, wanted: TaskFilter) -> bool:
    among = (
        (wanted.names, task.name),
        (wanted.states, task.state),
        (wanted.workers, task.worker),
        (wanted.queues, task.queue),
    )
    return (
        all(not several or one in several for several, one in among)
        and (not wanted.exception or task.exception == wanted.exception)
        and (not wanted.place or task.place == wanted.place)
        and (not wanted.root or wanted.root in (task.root, task.uuid))
        and (not wanted.parent or task.parent == wanted.parent)
        and (wanted.start is None or task.seen > wanted.start)
        and (wanted.end is None or task.seen <= wanted.end)
        and all(has(task, word, last=at == len(wanted.words)) for at, word in enumerate(wanted.words, 1))
    )


def has(task: Task, word: str, *, last: bool) -> bool:
    words = re.findall(r"\w+", f"{task.args or ''} {task.error or ''}".lower())
    if word.endswith("*") and last:
        return any(each.startswith(word[:-1].lower()) for each in words)
    return word.removesuffix("*").lower() in words


def paged(tasks: SqlTasks, wanted: TaskFilter, limit: int, order: Order | None = None) -> Iterator[Task]:
    after: str | None = None
    while True:
        page = tasks.page("shop", wanted, after=after, limit=limit, order=order)
        assert len(page.tasks) <= limit
        yield from page.tasks
        after = page.after
        if after is None:
            return


def groups(tasks: list[Task], since: float) -> dict[tuple[str, str, str], list[float]]:
    found: defaultdict[tuple[str, str, str], list[float]] = defaultdict(list)
    for task in tasks:
        failed = task.updated if task.failed is None else task.failed
        if task.state == "FAILURE" and failed > since:
            found[task.name, task.exception, task.place].append(failed)
    return {key: sorted(moments) for key, moments in found.items()}


@given(
    batches=st.lists(st.lists(TASKS, max_size=12), min_size=1, max_size=3),
    before=st.none() | SECONDS,
    wanted=st.lists(FILTERS, min_size=1, max_size=4),
    limit=st.integers(1, 5),
    tried=st.sampled_from([2, 3, 50_000]),
)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_the_store_says_what_a_plain_list_says(
    tasks: SqlTasks, batches: list[list[Task]], before: float | None, wanted: list[TaskFilter], limit: int, tried: int
) -> None:
    tasks.prune(START + 100, None, 1000)
    plain: dict[str, Task] = {}
    for batch in batches:
        tasks.write("shop", batch)
        plain |= {task.uuid: task for task in batch}
    if before is not None:
        gone = [task for task in plain.values() if task.seen < before]
        assert tasks.prune(before, None, 1000) == len(gone)
        plain = {uuid: task for uuid, task in plain.items() if task not in gone}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanning, "TRIED", tried * 32)  # each of up to 32 ranges has its share
        for each in wanted:
            compare(tasks, list(plain.values()), each, limit)
    assert tasks.get("shop", IDS) == plain
    open_ones = [task for task in plain.values() if task.state not in ENDED and task.seen > START + 2]
    assert [task.seen for task in tasks.unfinished("shop", START + 2, 3)] == sorted(task.seen for task in open_ones)[:3]
    found = tasks.failures("shop", START + 1, 100)
    expected = groups(list(plain.values()), START + 1)
    assert {(each.name, each.exception, each.place): (each.count, each.first, each.last) for each in found} == {
        key: (len(moments), moments[0], moments[-1]) for key, moments in expected.items()
    }
    assert [each.count for each in found] == sorted(map(len, expected.values()), reverse=True)


def compare(tasks: SqlTasks, plain: list[Task], wanted: TaskFilter, limit: int) -> None:
    expected = sorted((task for task in plain if fits(task, wanted)), key=lambda task: task.uuid)
    found = list(paged(tasks, wanted, limit))
    assert [task.seen for task in found] == sorted((task.seen for task in found), reverse=True)
    assert sorted(found, key=lambda task: task.uuid) == expected
    assert tasks.count("shop", wanted, limit) == min(len(expected), limit)
    several = tasks.sorted_page("shop", wanted, by="runtime", descending=True, offset=1, limit=limit)
    values = sorted((task.runtime for task in expected if task.runtime is not None), reverse=True)
    assert [task.runtime for task in several if task.runtime is not None] == values[1 : limit + 1]
    slowest = list(paged(tasks, wanted, limit, Order("runtime", descending=True)))
    assert [task.runtime for task in slowest] == values + [None] * (len(expected) - len(values))
    assert sorted(slowest, key=lambda task: task.uuid) == expected
