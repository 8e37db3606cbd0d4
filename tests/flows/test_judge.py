"""What an evaluator does with a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nightowl.core.limits import Limit
from nightowl.core.points import Points
from nightowl.core.portions import Portion, PortionBatch, PortionResult
from nightowl.core.reading import Got, Need
from nightowl.core.rule import Rule
from nightowl.core.series import Series
from nightowl.flows.judge import DEFECT, UNKNOWN_RULE, Judge

AT = 1_700_000_000.0
HOT = Got({Series("m", (("device", "a"),)): Points([AT], [9.0])})
RULES = {
    "each": Rule(name="each", source="s", metric="m", limits=(Limit("above", 5.0),), identifiers=("a", "b")),
    "all": Rule(name="all", source="s", metric="m", limits=(Limit("above", 5.0),)),
    "other": Rule(name="other", source="t", metric="m", limits=(Limit("above", 5.0),)),
    "own": Rule(name="own", metric="m", limits=(Limit("above", 5.0),)),
}


class Scripted:
    """A source that answers as told, and keeps what it was asked."""

    def __init__(self, answer: Callable[[Need, str], Got]) -> None:
        self.answer = answer
        self.asked: list[Need] = []

    def read(self, needs: Sequence[Need], seconds: float) -> list[dict[str, Got]]:
        self.asked += needs
        return [{each: self.answer(need, each) for each in need.identifiers} for need in needs]


def judged(source: Scripted, *portions: Portion, judge: Judge | None = None, at: float = AT) -> list[PortionResult]:
    batch = PortionBatch(id="1", source="s", epoch=1, at=at, issued=at, expires=at + 10, portions=portions)
    return (judge or made(source)).judge(batch, 5.0)


def made(source: Scripted) -> Judge:
    return Judge(lambda: RULES, lambda: {"s": source})


def test_a_source_is_asked_once_for_all_identifiers_of_a_rule_and_each_has_a_result():
    source = Scripted(lambda _, identifier: HOT if identifier != "b" else Got(fault="no such device"))
    found = judged(source, Portion("each", "a"), Portion("each", "b"), Portion("all"))
    assert [need.identifiers for need in source.asked] == [("a", "b"), ("",)]
    assert source.asked[0].windows == ((AT - 50, AT),)
    first, second, third = found
    [series] = first.series
    assert (series.series, series.truth) == (Series("m", (("device", "a"), ("id", "a"))), "true")
    assert second == PortionResult("each", "b", "no such device")
    assert third.series[0].sentence == "9 > 5"


def test_a_rule_that_is_not_there_or_not_on_that_source_has_a_fault():
    found = judged(Scripted(lambda *_: HOT), Portion("gone"), Portion("own"), Portion("other"))
    assert {each.fault for each in found} == {UNKNOWN_RULE}


def test_a_source_from_which_nothing_comes_is_not_asked_again_at_that_instant():
    source = Scripted(lambda *_: Got(fault="no answer within 5 s", away=True))
    judge = made(source)
    for _ in range(2):
        [found] = judged(source, Portion("all"), judge=judge)
        assert found.fault == "no answer within 5 s"
    assert len(source.asked) == 1
    judged(source, Portion("all"), judge=judge, at=AT + 10)
    assert len(source.asked) == 2


def test_a_query_that_is_refused_keeps_nobody_from_asking():
    source = Scripted(lambda *_: Got(fault="the source answered 400"))
    judge = made(source)
    for _ in range(2):
        judged(source, Portion("all"), judge=judge)
    assert len(source.asked) == 2


def test_a_source_of_a_plugin_that_raises_is_a_fault():
    def fail(*_: object) -> Got:
        raise RuntimeError("a plug-in's own")

    [found] = judged(Scripted(fail), Portion("all"))
    assert found.fault == DEFECT
