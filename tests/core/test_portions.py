"""Rules on sources: judged piece by piece, and what goes out and comes back."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightowl.core.evaluation import Evaluation, spans_of
from nightowl.core.limits import Limit
from nightowl.core.points import points
from nightowl.core.portion_results import MOST_SERIES, findings, portions, result, settled
from nightowl.core.portions import Portion, PortionBatch, PortionReport, PortionResult, batches, reports
from nightowl.core.reading import Got, fill_patterns, joined, need, tagged
from nightowl.core.replay import instants
from nightowl.core.rule import Rule
from nightowl.core.rule_state import Phase
from nightowl.core.series import Series
from nightowl.core.strategies import BUILT_IN
from nightowl.core.sweep import Sweep
from tests.core.rule_histories import STEP, histories, rules

M = Series("m")
UNTIL = 400.0


def by_head(rule, samples):
    """The phases of a rule over the head, which forgets what no window reaches any more."""
    evaluation, known, span = Evaluation(rule, STEP), points(samples), spans_of([rule])["m"]
    phases = []
    for at in instants(0, UNTIL, STEP):
        kept = known.window(at - span, UNTIL)
        found = list(evaluation.at(at, {M: kept} if len(kept) else {}))
        evaluation.settle(found)
        phases.append(next((each.after.phase for each in found), Phase.OK))
    return phases


def by_source(rule, samples):
    """The phases of the same rule over a source that is asked for the windows alone."""
    strategy, known, states = BUILT_IN[rule.strategy], points(samples), {}
    phases = []
    for at in instants(0, UNTIL, STEP):
        windows = need(rule, strategy, [""], at).windows
        read = [pair for window in windows for each in [known.window(*window)]
                for pair in zip(each.times, each.values, strict=True)]  # fmt: skip
        [portion] = portions(rule, states)
        said = result(rule, strategy, portion, Got({M: points(read)} if read else {}), at)
        states = settled(findings(rule, strategy, said, states, at))
        phases.append(states[M].phase if M in states else Phase.OK)
    return phases


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_rule_on_a_source_is_judged_as_one_over_the_head(data):
    rule = data.draw(rules())
    samples = data.draw(histories(counter=rule.counter))
    assert by_source(rule, samples) == by_head(rule, samples)


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 500)), min_size=1, max_size=8), st.integers(0, 300))
def test_joined_windows_cover_what_they_are_made_of_and_lie_apart(drawn, near):
    windows = [(float(start), float(start + length)) for start, length in drawn]
    made = joined(windows, near)
    assert all(any(start <= first and last <= end for start, end in made) for first, last in windows)
    assert all(after[0] - before[1] > near for before, after in pairwise(made))


def test_an_identifier_in_a_pattern_stands_for_itself():
    assert fill_patterns({"a": "x-$id-*"}, "[*?") == {"a": "x-[[][*][?]-*"}


def test_too_many_series_and_too_long_names_are_a_fault():
    rule = Rule(name="r", source="p", metric="m", limits=(Limit("above", 5.0),))
    one = points([(1.0, 2.0)])
    many = Got({Series("m", (("n", str(n)),)): one for n in range(MOST_SERIES + 1)})
    long = Got({Series("m", (("n", "x" * 600_000),)): one})
    for got, said in ((many, "the rule finds 2001 series, and may find 2000"), (long, "are too long")):
        assert said in result(rule, BUILT_IN["fixed"], Portion("r"), got, 5.0).fault


RULE = Rule(name="r", source="p", metric="m", identifiers=tuple(f"{number:036}" for number in range(450)))


def numbered():
    number = iter(range(1000))
    return lambda: str(next(number))


def sent(sweep, now=100.0):
    made = list(batches("p", portions(RULE, {}), numbered(), epoch=1, at=sweep.at, issued=now, expires=now + 10))
    for batch in made:
        sweep.sent(batch, now)
    return made


def answer(batch: PortionBatch) -> list[PortionReport]:
    return list(reports(batch, [PortionResult(*each.key) for each in batch.portions], "eve", ()))


def test_portions_travel_in_batches_that_every_broker_carries():
    assert [len(each.portions) for each in sent(Sweep(100.0, 1))] == [200, 200, 50]


def test_each_portion_counts_once_and_only_in_its_instant_and_term():
    sweep = Sweep(100.0, 1)
    first, *_ = sent(sweep)
    [report] = answer(first)
    assert len(sweep.take(report)) == 200
    assert sweep.take(report) == []
    assert sweep.missing == 250
    for other in (Sweep(110.0, 1), Sweep(100.0, 2)):
        sent(other)
        assert other.take(report) == []


def test_results_of_what_was_not_asked_do_not_count():
    sweep = Sweep(100.0, 1)
    first, second, _ = sent(sweep)
    forged = PortionReport(
        evaluator="eve",
        batch=first.id,
        epoch=1,
        at=100.0,
        results=tuple(PortionResult(*p.key) for p in second.portions),
    )
    assert sweep.take(forged) == []


@pytest.mark.parametrize(
    ("now", "held", "lost"), [(102.9, (), 0), (103.1, (), 3), (103.1, ("0", "1"), 1), (90.0, (), 3)]
)
def test_what_nobody_holds_or_reports_is_lost_after_a_while(now, held, lost):
    sweep = Sweep(100.0, 1)
    sent(sweep)
    assert len(list(sweep.lost(now, held))) == lost


def test_a_batch_is_lost_until_all_of_it_was_reported():
    sweep = Sweep(100.0, 1)
    first, *_ = sent(sweep)
    half = first.portions[:100]
    sweep.take(
        PortionReport(
            evaluator="e", batch=first.id, epoch=1, at=100.0, results=tuple(PortionResult(*p.key) for p in half)
        )
    )
    assert first in sweep.lost(110.0, ())


def test_a_series_own_label_of_that_name_is_kept_beside_the_identifier():
    named = [tagged(Series("m", (("dev", "x"), ("id", each))), "x") for each in ("a", "b", "x")]
    labels = [dict(series.labels) for series in named]
    assert labels == [
        {"dev": "x", "exported_id": "a", "id": "x"},
        {"dev": "x", "exported_id": "b", "id": "x"},
        {"dev": "x", "id": "x"},
    ]
