"""Forgetting, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

from nightowl.flows.retain import BATCH, CATCH_BREATH, Retainer
from nightowl.ports import Lease

NOW = 1_000_000.0
KEPT = {"attempts": 100.0, "outcomes": 1000.0}


class Shelves:
    """A store that only counts what is older than asked for."""

    def __init__(self, size: int = 0, **ages: list[float]) -> None:
        self.ages = ages
        self.bytes = size
        self.asked: list[tuple[str, float]] = []

    def prune(self, kind: str, before: float, limit: int) -> int:
        self.asked.append((kind, NOW - before))
        old = [age for age in self.ages.get(kind, []) if age > NOW - before][:limit]
        for age in old:
            self.ages[kind].remove(age)
        return len(old)

    def size(self) -> int:
        return self.bytes

    @contextmanager
    def transaction(self, lease: Lease | None = None) -> Iterator[SimpleNamespace]:
        assert lease is not None
        yield SimpleNamespace(retention=self)

    @contextmanager
    def read(self) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(retention=self)


def retainer(shelves: Shelves) -> Retainer:
    return Retainer(shelves, Lease(name="director", holder="me", epoch=1))  # type: ignore[arg-type]


def test_each_kind_is_kept_for_its_own_time() -> None:
    shelves = Shelves(attempts=[50.0, 150.0], outcomes=[150.0, 1500.0])
    working = retainer(shelves)
    for _ in KEPT:
        working.step(KEPT, None, NOW)
    assert shelves.ages == {"attempts": [50.0], "outcomes": [150.0]}


def test_much_goes_in_bounded_batches_and_then_it_rests() -> None:
    shelves = Shelves(attempts=[500.0] * (2 * BATCH + 1))
    working = retainer(shelves)
    for _ in range(10):
        working.step(KEPT, None, NOW)
    assert shelves.ages["attempts"] == []
    steps = len(shelves.asked)
    assert steps == 4
    working.step(KEPT, None, NOW + CATCH_BREATH - 1)
    assert len(shelves.asked) == steps
    working.step(KEPT, None, NOW + CATCH_BREATH)
    assert len(shelves.asked) == steps + 1


def test_a_store_that_is_too_large_keeps_everything_for_less_long() -> None:
    shelves = Shelves(size=2000, attempts=[])
    working = retainer(shelves)
    for _ in range(40):
        working.step(KEPT, 1000, NOW)
    spans = [span for kind, span in shelves.asked if kind == "attempts"]
    assert spans == sorted(spans, reverse=True)
    assert spans[-1] < 50.0


def test_a_store_that_has_room_again_keeps_for_longer_again() -> None:
    shelves = Shelves(size=2000, attempts=[])
    working = retainer(shelves)
    for _ in range(20):
        working.step(KEPT, 1000, NOW)
    shelves.bytes = 500
    for _ in range(100):
        working.step(KEPT, 1000, NOW)
    assert max(span for kind, span in shelves.asked[-4:] if kind == "attempts") == 100.0


def test_nothing_is_asked_where_nothing_is_to_be_kept() -> None:
    shelves = Shelves()
    retainer(shelves).step({}, None, NOW)
    assert shelves.asked == []
