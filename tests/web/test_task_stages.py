"""The stages of a task as its page tells them."""

from nightowl.core.cluster.task import Task
from nightowl.web.task_words import stages

AT = 1_790_035_199.5  # half a second before midnight is over in UTC: 2026-09-21 23:59:59.5


def told(**moments):
    return [(stage.word, stage.date, stage.clock) for stage in stages(Task(uuid="a", **moments))]


def test_a_date_is_told_where_it_changes_and_milliseconds_where_stages_are_close():
    assert told(sent=AT, received=AT + 0.25, started=AT + 0.7504, succeeded=AT + 30) == [
        ("sent", "2026-09-21", "23:59:59.500"),
        ("received", "", "23:59:59.750"),
        ("started", "2026-09-22", "00:00:00.250"),
        ("succeeded", "", "00:00:29.500"),
    ]


def test_stages_that_lie_apart_are_told_in_seconds():
    assert [clock for _, _, clock in told(received=AT, started=AT + 40)] == ["23:59:59", "00:00:39"]


def test_when_a_task_was_due_stands_among_its_stages():
    found = stages(Task(uuid="a", sent=AT, received=AT + 0.001, eta=AT + 5, started=AT + 5.003))
    assert [(stage.word, stage.after and round(stage.after, 3)) for stage in found] == [
        ("sent", None),
        ("received", 0.001),
        ("due", 4.999),
        ("started", 0.003),
    ]


def test_a_wait_is_told_from_when_the_task_was_due(watched):
    task = Task(uuid="again", name="shop.charge", state="SUCCESS", sent=AT, eta=AT + 5, started=AT + 5.003, wait=0.003)
    watched.tasks.write("shop", [task])
    page = watched.client().get("/clusters/shop/tasks/again").text
    assert '<dd>3 ms <span class="soft">since it was due</span></dd>' in page
