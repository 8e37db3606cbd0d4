"""The order of tests in a run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from tests.pace import LONG, long_ones_first


def items(*names: str) -> list:
    return [SimpleNamespace(path=Path("tests", name)) for name in names]


def names(found: list) -> list[str]:
    return ["/".join(each.path.parts[1:]) for each in found]


def test_half_of_the_stretches_begin_with_long_tests_the_longest_first() -> None:
    shorts = [f"core/test_{n}.py" for n in range(6)]
    found = names(long_ones_first(items(*shorts, LONG[1], LONG[0]), 4))
    assert found == [LONG[0], shorts[0], LONG[1], *shorts[1:]]


@given(st.lists(st.sampled_from([*LONG, *(f"core/test_{n}.py" for n in range(40))])), st.integers(1, 8))
def test_every_test_is_run_once(collected: list[str], workers: int) -> None:
    assert Counter(names(long_ones_first(items(*collected), workers))) == Counter(collected)
