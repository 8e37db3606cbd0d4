"""The store of tasks, in every database."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

import pytest

from nightowl.adapters.store_sql.tasks import SqlTasks, sorting
from nightowl.core.cluster.events import Gap
from nightowl.core.cluster.state import ClusterState, Queue, Worker
from nightowl.core.cluster.task import ORDERS, Failures, Order, Task, TaskFilter

NOW = 1_790_000_000.0
ALL = TaskFilter()


def made(number: int, **fields: Any) -> Task:
    fields = {"name": "shop.charge", "state": "SUCCESS", "seen": NOW + number, "updated": NOW + number} | fields
    return Task(uuid=str(uuid.UUID(int=number)), **fields)


def full(number: int) -> Task:
    """A task of which everything is known."""
    return made(
        number,
        state="FAILURE",
        worker="celery@wörker",
        client="gen1@web",
        queue="mail/ü&<script>",
        exchange="x",
        routing_key="rk",
        args="('🦉',)",
        kwargs="{'a': 1}",
        result="None",
        exception="requests.exceptions.Timeout",
        error="Timeout('no answer')",
        place="shop/tasks.py:31 in charge",
        traceback="Traceback ...",
        retries=2,
        executions=3,
        root=str(uuid.UUID(int=1000)),
        parent=str(uuid.UUID(int=1001)),
        group="a group",
        eta=NOW + 0.1,
        expires=NOW + 0.2,
        sent=NOW + 0.3,
        received=NOW + 0.4,
        started=NOW + 0.5,
        succeeded=NOW + 0.6,
        failed=NOW + 0.7,
        retried=NOW + 0.8,
        revoked=NOW + 0.9,
        rejected=NOW + 1.0,
        runtime=0.123456789,
        wait=1e-9,
        clock=2**40,
        current=1.0,
        total=3.0,
    )


def uuids(found: Iterable[Task]) -> list[int]:
    return [uuid.UUID(task.uuid).int for task in found]


def listed(tasks: SqlTasks, wanted: TaskFilter, limit: int = 50) -> list[int]:
    return uuids(tasks.page("shop", wanted, after=None, limit=limit).tasks)


def test_a_task_comes_back_as_it_was_written(tasks: SqlTasks) -> None:
    written = [full(1), made(2), Task(uuid="not a uuid", seen=NOW, root="not a uuid", parent="Äb")]
    tasks.write("shop", written)
    assert tasks.get("shop", [task.uuid for task in written] + ["unheard of"]) == {task.uuid: task for task in written}
    assert tasks.get("other", [written[0].uuid]) == {}


def test_a_task_that_is_written_again_is_replaced_with_its_words(tasks: SqlTasks) -> None:
    tasks.write("shop", [made(1, state="STARTED", args="(alpha,)"), made(2)])
    tasks.write("shop", [made(1, args="(alpha,)", result="beta")])
    tasks.write("shop", [made(1, args="(alpha,)", result="gamma"), made(1, result="delta")])
    assert tasks.get("shop", [made(1).uuid])[made(1).uuid] == made(1, result="delta")
    assert [listed(tasks, TaskFilter(words=(word,))) for word in ("alpha", "beta", "gamma", "delta")] == [
        [],
        [],
        [],
        [1],
    ]
    assert tasks.count("shop", ALL, 10) == 2
    assert listed(tasks, TaskFilter(states=("STARTED",))) == []


def test_a_task_that_was_seen_earlier_after_all_moves(tasks: SqlTasks) -> None:
    tasks.write("shop", [made(1), made(2), made(3)])
    tasks.write("shop", [made(3, seen=NOW)])
    assert listed(tasks, ALL) == [2, 1, 3]


def test_clusters_do_not_mix(tasks: SqlTasks) -> None:
    tasks.write("shop", [made(1, args="alpha", exception="E", root="r", parent="p", worker="w", state="FAILURE")])
    tasks.write("mail", [made(1, args="alpha", exception="E", root="r", parent="p", worker="w", state="FAILURE")])
    for wanted in (
        ALL,
        TaskFilter(words=("alpha",)),
        TaskFilter(exception="E"),
        TaskFilter(root="r"),
        TaskFilter(parent="p"),
        TaskFilter(workers=("w",)),
        TaskFilter(names=("shop.charge",)),
        TaskFilter(states=("FAILURE",)),
    ):
        assert tasks.count("shop", wanted, 10) == 1, wanted
        assert listed(tasks, wanted) == [1]
    assert [each.count for each in tasks.failures("shop", 0.0, 10)] == [1]
    assert tasks.names("nobody") == []
    assert tasks.page("nobody", ALL, after=None, limit=5).tasks == []


def test_pages_follow_one_another(tasks: SqlTasks) -> None:
    tasks.write("shop", [made(number, seen=NOW + number // 3) for number in range(10)])
    found: list[int] = []
    after: str | None = None
    while True:
        page = tasks.page("shop", ALL, after=after, limit=3)
        found += uuids(page.tasks)
        after = page.after
        if after is None:
            break
        assert len(page.tasks) == 3
    assert found == sorted(range(10), reverse=True)


@pytest.mark.parametrize("after", ["", "x", "-1", "9" * 30, "१"])
def test_a_place_that_no_page_gave_is_refused(tasks: SqlTasks, after: str) -> None:
    with pytest.raises(ValueError, match="no page"):
        tasks.page("shop", ALL, after=after, limit=5)


def test_words_are_found_alike_everywhere(tasks: SqlTasks) -> None:
    texts = {
        1: "{'order_id': 4711, 'city': 'London'}",
        2: "the a i of und",
        3: "naïve café straße ПРИВЕТ 東京 🦉 Ⅷ x²",
        4: "x" * 100,
        5: "user@example.com http://shop.example/a?b=c&d <script>alert(1)</script>",
        6: "Timeout('no answer')",
        7: "under__score _lead 0x1F 3.14",
        8: "don't o'clock",
        9: "y" * 40 + " " + "z" * 39,
        10: "é" + "w" * 60 + " " + "v" * 41,
    }
    tasks.write("shop", [made(number, args=text) for number, text in texts.items()])
    asked = {
        ("LONDON",): [1],
        ("london", "4711"): [1],
        ("london", "4712"): [],
        ("order_id",): [1],
        ("order",): [],
        ("orde*",): [1],
        ("the",): [2],
        ("a",): [5, 2],
        ("of", "I"): [2],
        ("NAÏVE",): [3],
        ("naive",): [],
        ("naï*",): [3],
        ("привет",): [3],
        ("東京",): [3],
        ("東京都*",): [],
        ("x" * 100,): [4],
        ("x" * 99,): [4],
        ("xxx*",): [4],
        ("user@example.com",): [5],
        ("example.com/user",): [5],
        ("shop.example", "scr*"): [5],
        ("timeout", "no", "ans*"): [6],
        ("under__score",): [7],
        ("_lead",): [7],
        ("0x1f",): [7],
        ("3.14",): [7],
        ("don't",): [8],
        ("t",): [8],
        ("y" * 40,): [9],
        ("y" * 41,): [9],
        ("y" * 39,): [],
        ("z" * 39,): [9],
        ("z" * 40,): [],
        ("é" + "w" * 38,): [10],
        ("é" + "w" * 99, "v" * 50): [10],
        ("é" + "w" * 37,): [],
        ("wrong*", "london"): [],
        ("  ", "🦉", "*"): [10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
    }
    assert {words: listed(tasks, TaskFilter(words=words)) for words in asked} == asked


@pytest.mark.parametrize(
    "word",
    [
        '"',
        "'",
        "a OR",
        "NEAR(",
        "+a -b",
        "*",
        "a*b",
        "\\",
        "(",
        "%",
        "_",
        ":*",
        "a:b",
        "\x00",
        "\ud800",
        "-",
        "^a",
        "{",
    ],
)
def test_no_word_is_a_mistake(tasks: SqlTasks, word: str) -> None:
    tasks.write("shop", [made(1, args="a")])
    tasks.count("shop", TaskFilter(words=(word,)), 5)
    tasks.count("shop", TaskFilter(words=("a", word)), 5)


def test_hostile_texts_are_bounded_and_raise_nothing(tasks: SqlTasks) -> None:
    hostile = [
        "\x00",
        "\ud800 lone",
        "x" * 100_000,
        "🦉" * 300,
        " trailing ",
        "'; DROP TABLE tasks; --",
        "\\N\t\n",
        "é",
    ]
    written = [
        Task(
            uuid=f"{number} {text}",
            name=text,
            state=text,
            worker=text,
            client=text,
            queue=text,
            exchange=text,
            routing_key=text,
            args=text,
            kwargs=text,
            result=text,
            exception=text,
            error=text,
            place=text,
            traceback=text,
            root=text,
            parent=text,
            group=text,
            seen=NOW + number,
            clock=10**30,
            retries=-(10**30),
        )
        for number, text in enumerate(hostile)
    ]
    tasks.write("shop", written)
    found = tasks.page("shop", ALL, after=None, limit=50).tasks
    assert len(found) == len(hostile)
    assert all(len(value) <= 65_536 for task in found for value in (task.args, task.traceback, task.name) if value)
    for task in written:
        assert len(tasks.get("shop", [task.uuid])) == 1
        for wanted in (
            TaskFilter(names=(task.name,)),
            TaskFilter(workers=(task.worker,)),
            TaskFilter(exception=task.exception, place=task.place),
            TaskFilter(root=task.root),
            TaskFilter(parent=task.parent),
        ):
            assert tasks.count("shop", wanted, 5) == 1
    assert len(tasks.names("shop")) == len(hostile)


@pytest.mark.parametrize("seen", [0.0, -1.0, float("nan"), float("inf"), 1e18])
def test_a_clock_gone_wrong_raises_nothing(tasks: SqlTasks, seen: float) -> None:
    written = [
        made(number, seen=seen, updated=seen, failed=seen, received=seen, state="FAILURE") for number in range(3)
    ]
    tasks.write("shop", written)
    tasks.write("shop", written)
    assert sorted(listed(tasks, ALL)) == [0, 1, 2]
    tasks.page("shop", TaskFilter(start=seen, end=seen), after=None, limit=5)
    tasks.failures("shop", seen, 5)
    tasks.prune(seen, None, 5)


def test_more_tasks_than_fit_into_a_millisecond_are_kept_in_order(
    tasks: SqlTasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nightowl.adapters.store_sql.tasks.places.MILLISECOND", 4)
    tasks.write("shop", [made(number, seen=NOW) for number in range(6)])
    tasks.write("shop", [made(number, seen=NOW) for number in range(6, 9)])
    assert sorted(listed(tasks, TaskFilter(start=NOW - 1, end=NOW))) == [*range(9)]


def test_unfinished_tasks_come_oldest_first(tasks: SqlTasks) -> None:
    states = ["STARTED", "SUCCESS", "PENDING", "RETRY", "RECEIVED", "LOST", "REVOKED", "STARTED"]
    tasks.write("shop", [made(number, state=state) for number, state in enumerate(states)])
    assert uuids(tasks.unfinished("shop", NOW - 1, 50)) == [0, 2, 3, 4, 7]
    assert uuids(tasks.unfinished("shop", NOW, 2)) == [2, 3]


def test_a_workflow_is_found_by_its_root_with_the_root_itself(tasks: SqlTasks) -> None:
    root = made(1).uuid
    tasks.write("shop", [made(1, root=root), made(2, root=root, parent=root), made(3, root=root, parent=made(2).uuid)])
    tasks.write("shop", [made(4, root=made(4).uuid)])
    assert uuids(tasks.family("shop", root, 50)) == [1, 2, 3]
    assert uuids(tasks.family("shop", root, 2)) == [1, 2]
    assert listed(tasks, TaskFilter(parent=root)) == [2]
    assert listed(tasks, TaskFilter(root=root, states=("FAILURE",))) == []


def test_failures_are_grouped_and_counted(tasks: SqlTasks) -> None:
    def failed(number: int, **fields: Any) -> Task:
        return made(
            number, **{"state": "FAILURE", "failed": NOW + number, "exception": "E", "place": "a.py:1"} | fields
        )

    tasks.write(
        "shop", [failed(1), failed(2), failed(3, place="b.py:2"), failed(4, name="other"), failed(5, state="RETRY")]
    )
    tasks.write("shop", [made(6), failed(7, exception="", place="", failed=None)])
    found = tasks.failures("shop", NOW, 10)
    assert found[0] == Failures(
        name="shop.charge", exception="E", place="a.py:1", count=2, first=NOW + 1, last=NOW + 2, uuid=made(2).uuid
    )
    assert [(each.name, each.place, each.count, each.last) for each in found[1:]] == [
        ("shop.charge", "", 1, NOW + 7),
        ("other", "a.py:1", 1, NOW + 4),
        ("shop.charge", "b.py:2", 1, NOW + 3),
    ]
    assert [each.count for each in tasks.failures("shop", NOW + 1, 1)] == [1]
    tasks.write("shop", [made(3), made(4)])
    assert len(tasks.failures("shop", NOW, 10)) == 2
    assert listed(tasks, TaskFilter(exception="E")) == [5, 2, 1]


def test_tasks_are_sorted_by_what_is_asked_for(tasks: SqlTasks) -> None:
    tasks.write("shop", [made(1, runtime=2.0, name="b"), made(2, name="a"), made(3, runtime=3.0, name="c")])

    def by(order: str, *, descending: bool = False, offset: int = 0) -> list[int]:
        found = tasks.sorted_page("shop", ALL, by=order, descending=descending, offset=offset, limit=5)
        return uuids(found)

    assert by("runtime") == [1, 3, 2]
    assert by("runtime", descending=True) == [3, 1, 2]
    assert by("name", offset=1) == [1, 3]
    assert by("updated") == [1, 2, 3]
    assert by("state") == by("received") == [3, 2, 1]
    with pytest.raises(ValueError, match="args"):
        by("args")


@pytest.mark.parametrize("by", ORDERS)
@pytest.mark.parametrize("descending", [False, True])
def test_pages_of_another_order_follow_one_another(tasks: SqlTasks, by: str, descending: bool) -> None:
    values = [None, 2.0, 0.5, 2.0, None, 0.25, 7.0]
    numbers = {"received", "started", "runtime", "wait"} & {by}
    tasks.write(
        "shop",
        [
            made(number, name=f"task {value}", state="SUCCESS" if value else "STARTED", **dict.fromkeys(numbers, value))
            for number, value in enumerate(values)
        ],
    )
    found: list[Task] = []
    after: str | None = None
    for page in range(4):
        told = tasks.page("shop", ALL, after=after, limit=2, order=Order(by, descending))
        found += told.tasks
        after = told.after
        tasks.write("shop", [made(100 + page, name="task 1.0", **dict.fromkeys(numbers, 1.0))])
    assert after is None
    whole = tasks.sorted_page("shop", TaskFilter(end=NOW + 50), by=by, descending=descending, offset=0, limit=50)
    assert uuids(found) == uuids(whole)
    known = [getattr(task, by) for task in found if getattr(task, by) is not None]
    assert known == sorted(known, reverse=descending)
    assert len(known) == (5 if numbers else 7)


def test_a_place_of_another_order_is_refused(tasks: SqlTasks) -> None:
    tasks.write("shop", [made(number, runtime=float(number)) for number in range(3)])

    def page(after: str | None, *order: Any) -> str:
        return str(tasks.page("shop", ALL, after=after, limit=1, order=Order(*order) if order else None).after)

    by_runtime = page(None, "runtime")
    assert page(by_runtime, "runtime") != by_runtime
    forged = sorting.Place("runtime", False, 2**70 % 2**63, "text", 1).told()
    for after, order in (
        (by_runtime, ("runtime", True)),
        (by_runtime, ("name",)),
        (by_runtime, ()),
        (page(None), ("runtime",)),
        (forged, ("runtime",)),
        ("é", ("runtime",)),
        ("", ("runtime",)),
    ):
        with pytest.raises(ValueError, match="no page"):
            page(after, *order)
    with pytest.raises(ValueError, match="args"):
        page(None, "args")


def test_of_very_many_the_newest_are_sorted(tasks: SqlTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightowl.adapters.store_sql.tasks.sorting.SORTED", 3)
    tasks.write("shop", [made(number, runtime=10.0 - number) for number in range(6)])
    slowest = tasks.page("shop", ALL, after=None, limit=2, order=Order("runtime", descending=True))
    assert uuids(slowest.tasks) == [3, 4]
    rest = tasks.page("shop", ALL, after=slowest.after, limit=2, order=Order("runtime", descending=True))
    assert (uuids(rest.tasks), rest.after) == ([5], None)


def test_forgetting_goes_by_age_and_by_count_in_bounded_batches(tasks: SqlTasks) -> None:
    tasks.write("shop", [made(number, args=f"word{number}", exception="E") for number in range(10)])
    tasks.write("mail", [made(20)])
    assert tasks.prune(NOW + 5, None, 3) == 3
    assert tasks.prune(NOW + 5, None, 100) == 2
    assert tasks.prune(NOW + 5, 3, 100) == 2
    assert tasks.prune(NOW + 5, 3, 100) == 0
    assert listed(tasks, ALL) == [9, 8, 7]
    assert [listed(tasks, TaskFilter(words=(f"word{number}",))) for number in (1, 6, 7)] == [[], [], [7]]
    assert tasks.prune(NOW + 100, None, 100) == 4
    assert tasks.count("shop", ALL, 10) == tasks.count("mail", ALL, 10) == 0
    tasks.write("shop", [made(1, exception="E")])
    assert listed(tasks, TaskFilter(exception="E")) == [1]


def test_how_clusters_stand(tasks: SqlTasks) -> None:
    shop = ClusterState(
        name="shop",
        at=NOW,
        since=NOW,
        workers=(Worker(name="w\ud7ff🦉", up=True, heard=NOW, since=NOW),),
        queues=(Queue(name="q"),),
    )
    mail = ClusterState(name="mail", at=NOW, since=NOW, fault="connection refused")
    assert (tasks.state("shop"), tasks.figures("shop"), tasks.states()) == (None, None, [])
    tasks.write("shop", [], state=shop)
    tasks.save_figures("shop", b"\x00\xff")
    tasks.write("mail", [made(1)], state=mail)
    tasks.write("new", [])
    assert (tasks.state("shop"), tasks.figures("shop"), tasks.figures("mail")) == (shop, b"\x00\xff", None)
    assert tasks.states() == [mail, shop]
    tasks.save_figures("shop", b"2")
    assert (tasks.state("shop"), tasks.figures("shop")) == (shop, b"2")


def test_gaps_that_touch_a_time(tasks: SqlTasks) -> None:
    first, long, last = Gap(NOW, NOW + 1, "dropped", 7), Gap(NOW, NOW + 50, "away"), Gap(NOW + 10, NOW + 11, "restart")
    tasks.write("shop", [], gaps=[last, long])
    tasks.write("shop", [], gaps=[first, last])
    tasks.write("mail", [], gaps=[first])
    assert tasks.gaps("shop", 0.0, NOW + 99) == [first, long, last]
    assert tasks.gaps("shop", NOW + 1, NOW + 5) == [first, long]
    assert tasks.gaps("shop", NOW + 60, NOW + 99) == []
    tasks.prune(NOW + 11, None, 10)
    assert tasks.gaps("shop", 0.0, NOW + 99) == [long, last]


def test_names_are_in_order_and_never_taken_for_one_another(tasks: SqlTasks) -> None:
    names = ["a", "A", "a ", "á", "b"]
    tasks.write("shop", [made(number, name=name) for number, name in enumerate(names)])
    assert tasks.names("shop") == sorted(names)
    assert [listed(tasks, TaskFilter(names=(name,))) for name in names] == [[0], [1], [2], [3], [4]]


def test_each_reads_all_in_portions(tasks: SqlTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightowl.adapters.store_sql.tasks.store._PORTION", 3)
    tasks.write("shop", [made(number) for number in range(10)])
    assert uuids(tasks.each("shop", TaskFilter(end=NOW + 8))) == [*range(8, -1, -1)]


def test_what_no_index_answers_is_tried_in_bounded_portions(tasks: SqlTasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nightowl.adapters.store_sql.tasks.scanning.TRIED", 4)
    tasks.write(
        "shop", [made(number, queue="rare" if number in (1, 18) else "celery", args="alpha") for number in range(20)]
    )
    for wanted in (TaskFilter(queues=("rare",)), TaskFilter(queues=("rare",), words=("alpha",))):
        page = tasks.page("shop", wanted, after=None, limit=5)
        assert uuids(page.tasks) == [18]
        assert page.after is not None
        assert uuids(tasks.each("shop", wanted)) == [18, 1]
        assert tasks.count("shop", wanted, 5) == 2


def test_its_size_and_that_it_answers(tasks: SqlTasks) -> None:
    tasks.ping()
    assert tasks.size() > 0


def test_children_are_told_of_each_parent_oldest_first(tasks: SqlTasks) -> None:
    one, two = (str(uuid.UUID(int=number)) for number in (1, 2))
    rows = [made(1), made(2), made(3, parent=one), made(4, parent=two), made(5, parent=one)]
    tasks.write("shop", [*rows, Task(uuid="a name", parent=one, seen=NOW + 6)])
    tasks.write("other", [made(7, parent=one)])
    three, four, five = (str(uuid.UUID(int=number)) for number in (3, 4, 5))
    assert tasks.children("shop", [one, two, three]) == {one: [three, five, "a name"], two: [four]}
    assert tasks.children("nobody", [one]) == {}
