"""What a failure was and where, from the texts of real workers."""

from __future__ import annotations

import pytest

from nightowl.core.cluster.failure import bare, exception_class, place, unregistered

PLAIN = """Traceback (most recent call last):
  File "/srv/venv/lib/python3.11/site-packages/celery/app/trace.py", line 479, in trace_task
    R = retval = fun(*args, **kwargs)
                 ^^^^^^^^^^^^^^^^^^^^
  File "/srv/shop/billing/tasks.py", line 31, in charge
    bank.pay(card)
  File "/srv/venv/lib/python3.11/site-packages/requests/api.py", line 73, in get
    raise Timeout(what)
requests.exceptions.Timeout: the bank
is slow
"""
LOST = """Traceback (most recent call last):
  File "/srv/venv/lib/python3.11/site-packages/billiard/pool.py", line 1264, in mark_as_worker_lost
    raise WorkerLostError(
billiard.exceptions.WorkerLostError: Worker exited prematurely: signal 9 (SIGKILL) Job: 0.
"""
ARGUMENTS = """Traceback (most recent call last):
  File "/srv/venv/lib/python3.11/site-packages/celery/app/trace.py", line 582, in trace_task
    R = retval = fun(*args, **kwargs)
                 ^^^^^^^^^^^^^^^^^^^^
  File "/srv/venv/lib/python3.11/site-packages/celery/app/trace.py", line 883, in __protected_call__
    return self.run(*args, **kwargs)
           ^^^^^^^^^^^^^^^^^^^^^^^^^
TypeError: charge() missing 1 required positional argument: 'card'
"""
"""A task that was called with wrong arguments: its code has not begun."""
CHECKOUT = ARGUMENTS.replace("/srv/venv/lib/python3.11/site-packages/", "/srv/checkouts/celery/")
INSTALLED = ARGUMENTS.replace(
    "TypeError",
    """  File "/srv/venv/lib/python3.11/site-packages/shop/tasks.py", line 9, in charge
    bank.pay()
TypeError""",
)
NAMESAKE = ARGUMENTS.replace(
    "TypeError",
    """  File "/srv/celery/tasks.py", line 9, in charge
    bank.pay()
TypeError""",
)
CHAINED = f"""{PLAIN}
During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "C:\\shop\\tasks.py", line 8, in refund
    raise Boom
shop.errors.Boom
"""


@pytest.mark.parametrize(
    ("said", "traceback", "named"),
    [
        ("ValueError('x')", None, "ValueError"),
        ("ValueError('x')", LOST, "ValueError"),
        ("pkg.Boom('x')", None, "pkg.Boom"),
        ("some.where.Timeout('x')", PLAIN, "requests.exceptions.Timeout"),
        ("Timeout('the bank\\nis slow')", PLAIN, "requests.exceptions.Timeout"),
        ("ExceptionWithTraceback()", LOST, "billiard.exceptions.WorkerLostError"),
        ("ExceptionWithTraceback()", None, "UnknownException"),
        ("reject requeue=False: no", PLAIN, "Reject"),
        ("NotRegistered('shop.gone')", None, "NotRegistered"),
        ("it went wrong", CHAINED, "shop.errors.Boom"),
        ("<Boom: x>", None, "Boom"),
        ("<pkg.Boom object at 0x7f>", None, "pkg.Boom"),
        ("it went wrong", "no traceback at all", "no"),
        ("it went wrong", None, "UnknownException"),
        (None, None, "UnknownException"),
        ("A" * 9999 + "()", None, "A" * 200),
    ],
)
def test_the_class_is_named(said, traceback, named):
    expected = "UnknownException" if named == "no" else named
    assert exception_class(said, traceback) == expected


@pytest.mark.parametrize(
    ("traceback", "where"),
    [
        (PLAIN, "billing/tasks.py:31 in charge"),
        (LOST, ""),
        (ARGUMENTS, ""),
        (CHECKOUT, ""),
        (INSTALLED, "shop/tasks.py:9 in charge"),
        (NAMESAKE, "celery/tasks.py:9 in charge"),
        (CHAINED, "shop/tasks.py:8 in refund"),
        ("nothing of the kind", ""),
        (None, ""),
    ],
)
def test_the_place_is_the_last_frame_of_own_code(traceback, where):
    assert place(traceback) == where


def test_dashboards_see_the_class_without_its_module():
    assert [bare(each) for each in ("ValueError", "pkg.sub.Boom", "odd.")] == ["ValueError", "Boom", "odd."]


def test_the_name_of_an_unregistered_task_is_in_its_error():
    assert [unregistered(each) for each in ("NotRegistered('a.b')", "ValueError('a')", None)] == ["a.b", "", ""]
