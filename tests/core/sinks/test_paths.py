from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.series import labels
from nightowl.core.sinks.paths import LONGEST, dotted, safe, tags, template_problem, under

TEXTS = st.dictionaries(st.sampled_from(["cluster", "name", "check", "le", "foo"]), st.text())


@pytest.mark.parametrize(
    ("metric", "pairs", "path"),
    [
        (
            "celery_task_received_total",
            {"cluster": "shop", "name": "shop.mail.send", "queue_name": "emails"},
            "nightowl.shop.celery_task_received_total.shop_mail_send.emails",
        ),
        (
            "celery_queue_length",
            {"cluster": "shop", "queue_name": "emails"},
            "nightowl.shop.celery_queue_length.emails",
        ),
        (
            "celery_worker_up",
            {"cluster": "shop", "hostname": "h1", "worker": "celery@h1"},
            "nightowl.shop.celery_worker_up.h1.celery_h1",
        ),
        ("check_up", {"check": "shop", "location": "paris"}, "nightowl.check_up.shop.paris"),
        ("check_up", {"check": "nightly"}, "nightowl.check_up.nightly"),
        (
            "check_duration_seconds",
            {"check": "shop", "location": "paris", "phase": "dns"},
            "nightowl.check_duration_seconds.shop.paris.dns",
        ),
        ("nightowl_rounds_total", {"verdict": "up"}, "nightowl.nightowl_rounds_total.up"),
        (
            "celery_task_runtime_bucket",
            {"cluster": "c", "le": "0.5", "name": "n", "queue_name": "q", "zone": "z"},
            "nightowl.c.celery_task_runtime_bucket.n.q.z.0_5",
        ),
    ],
)
def test_default_paths_put_the_cluster_before_the_metric_and_other_labels_behind(metric, pairs, path) -> None:
    assert dotted("nightowl")(metric, labels(pairs.items())) == path


def test_a_template_places_labels_and_drops_parts_that_a_series_does_not_have() -> None:
    name = dotted("owl.prod", "{prefix}.tasks.{queue_name}-{name}.{metric}")
    assert name("x", (("name", "a"), ("queue_name", "q"), ("worker", "w"))) == "owl.prod.tasks.q-a.x"
    assert name("x", (("worker", "w"),)) == "owl.prod.tasks.x"
    assert dotted("")("x", ()) == "x"


@given(TEXTS)
def test_paths_are_safe_whatever_labels_say(pairs) -> None:
    path = dotted("nightowl")("check_up", labels(pairs.items()))
    assert re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", path)
    assert all(len(part) <= LONGEST for part in path.split("."))


@given(TEXTS)
def test_tags_are_safe_whatever_labels_say(pairs) -> None:
    for key, value in tags(labels(pairs.items())):
        assert re.fullmatch(r"[A-Za-z0-9_.-]+", key)
        assert re.fullmatch(r"[A-Za-z0-9_.@/-]+", value)


def test_parts_that_are_names_of_folders_lead_nowhere_else() -> None:
    assert safe("../../etc/passwd") == "______etc_passwd"
    assert under("a.b", "x") == "a.b.x"
    assert under("", "x") == "x"


@pytest.mark.parametrize("template", ["{prefix}.{name}", "{metric} x", "{metric}..a", "", "{metric", ".{metric}"])
def test_templates_that_make_no_paths_are_told(template) -> None:
    assert template_problem(template)
    assert not template_problem("{prefix}.{cluster}.{metric}.{labels}")
