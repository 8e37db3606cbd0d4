"""What is said of a rule that matches nothing."""

from __future__ import annotations

from nightowl.core.rule import Rule
from nightowl.core.rule_matches import matching, missing
from nightowl.core.series import Series, labels

LABELS = [labels({"queue": name, "cluster": "shop"}.items()) for name in ("mail-in", "mail-out", "video")]


def test_series_match_by_patterns() -> None:
    rule = Rule(name="r", metric="depth", where={"queue": "mail*"})
    assert matching(rule, "depth", LABELS) == [Series("depth", each) for each in LABELS[:2]]


def test_a_metric_that_there_is_not_leads_to_the_ones_like_it() -> None:
    known = ["check_up", "celery_queue_length", "celery_worker_up"]
    assert missing("celery_queue_lenght", {}, [], known) == (
        "There is no series of the metric celery_queue_lenght. Names like it: celery_queue_length, celery_worker_up."
    )
    assert missing("zzz", {}, [], known).endswith("There are: check_up, celery_queue_length, celery_worker_up.")
    assert missing("zzz", {}, [], []) == "There is no series of the metric zzz."


def test_a_label_that_there_is_not_leads_to_the_ones_that_there_are() -> None:
    assert missing("depth", {"name": "mail"}, LABELS, []) == (
        "No series of depth has a label name. Their labels: cluster, queue."
    )
    assert missing("depth", {"x": "y"}, [()], []) == "No series of depth has a label x. Their labels: none."


def test_a_value_that_there_is_not_leads_to_the_nearest() -> None:
    assert missing("depth", {"queue": "mail-inn"}, LABELS, []) == (
        "No series of depth has queue = mail-inn. Its values: mail-in, mail-out."
    )
    many = [labels({"q": f"q{number:02}"}.items()) for number in range(20)]
    assert missing("depth", {"q": "zzz"}, many, []).endswith("q05, q06, q07 and 12 more.")


def test_labels_that_never_come_together_are_told_as_that() -> None:
    apart = [labels({"queue": "a"}.items()), labels({"cluster": "b"}.items())]
    assert "no series has all of them at once" in missing("depth", {"queue": "a", "cluster": "b"}, apart, [])
