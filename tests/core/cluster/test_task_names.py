"""Names of tasks by a part of them, or by a shell pattern."""

import pytest

from nightowl.core.cluster.task_names import meant

NAMES = ("shop.pay", "shop.pay_all", "shop.Resize", "celery.chord_unlock")


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("shop.pay", ("shop.pay",)),
        ("pay", ("shop.pay", "shop.pay_all")),
        ("RESIZE", ("shop.Resize",)),
        ("shop.*", ("shop.pay", "shop.pay_all", "shop.Resize")),
        ("*.pay", ("shop.pay",)),
        ("pay*", ("pay*",)),
        ("shop.pa?", ("shop.pay",)),
        ("refund", ("refund",)),
    ],
)
def test_what_is_typed_finds_what_is_meant(asked, expected):
    assert meant(asked, NAMES) == expected
