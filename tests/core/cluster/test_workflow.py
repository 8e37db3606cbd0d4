"""Trees of tasks."""

from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.cluster.task import Task
from nightowl.core.cluster.workflow import workflow


def task(uuid, parent="", at=0.0, took=1.0):
    return Task(uuid=uuid, parent=parent, root="a", received=at, started=at + 0.1, succeeded=at + took, seen=at)


def test_a_task_stands_below_the_one_that_called_it_in_the_order_of_time():
    flow = workflow([task("c", "a", 2.0), task("a"), task("b", "a", 1.0), task("d", "b", 5.0)])
    assert [(node.task.uuid, node.depth, node.above) for node in flow.nodes] == [
        ("a", 0, None),
        ("b", 1, 0),
        ("d", 2, 1),
        ("c", 1, 0),
    ]
    assert [node.together for node in flow.nodes] == [1, 2, 1, 2]
    assert (flow.start, flow.end) == (0.0, 6.0)


def test_the_task_by_which_celery_waits_for_a_chord_is_not_counted():
    unlock = Task(uuid="u", name="celery.chord_unlock", parent="a", root="a", received=3.0, seen=3.0)
    flow = workflow([task("a"), task("b", "a", 1.0), task("c", "a", 2.0), unlock])
    assert (flow.count, len(flow.nodes)) == (3, 4)
    assert {node.task.uuid: node.together for node in flow.nodes} == {"a": 1, "b": 2, "c": 2, "u": 1}


def test_one_whose_caller_is_not_known_stands_at_the_left():
    flow = workflow([task("x", "gone"), task("self", "self")])
    assert {(node.task.uuid, node.depth) for node in flow.nodes} == {("x", 0), ("self", 0)}


@given(st.lists(st.integers(0, 30), max_size=30))
def test_every_task_has_one_place_whatever_calls_what(parents):
    tasks = [task(str(at), str(parent), float(at)) for at, parent in enumerate(parents)]
    flow = workflow(tasks)
    assert sorted(node.task.uuid for node in flow.nodes) == sorted(each.uuid for each in tasks)
    assert [node.row for node in flow.nodes] == list(range(len(tasks)))
    for node in flow.nodes:
        assert node.above is None or node.above < node.row
