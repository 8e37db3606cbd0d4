"""What workers answer, without what is redacted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.cluster.answers import held, outcome, rows, shown
from nightowl.core.cluster.command import Answer
from nightowl.core.cluster.result import TaskResult
from nightowl.core.cluster.settings import ClusterSettings

REDACTED = ClusterSettings(name="shop", broker="redis://")
FULL = ClusterSettings(name="shop", broker="redis://", arguments="full")
NOTHING = ClusterSettings(name="shop", broker="redis://", arguments="none")

TASK = {
    "id": "u1",
    "name": "shop.login",
    "args": [7, {"token": "t0ken"}],
    "kwargs": {"password": "hunter22", "user": "olga"},
    "delivery_info": {"routing_key": "emails"},
    "time_start": 12.5,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def value(settings: ClusterSettings, given: Any) -> Any:
    (answer,) = shown([Answer(worker="w", value=given)], settings)
    return answer.value


SECRET = {"password": "hunter22", "user": ["olga", {"api_token": "t0ken"}]}
BOOM = "LoginError(\"{'password': 'hunter22'}\")"


@pytest.mark.parametrize(
    ("settings", "shown_value", "error"),
    [
        (REDACTED, {"password": "***", "user": ["olga", {"api_token": "***"}]}, "LoginError(\"{'password': ***}\")"),
        (NOTHING, None, "LoginError(\"{'password': ***}\")"),
        (FULL, SECRET, BOOM),
    ],
)
def test_a_result_is_shown_as_the_cluster_says(settings: ClusterSettings, shown_value: Any, error: str) -> None:
    result = TaskResult(state="SUCCESS", value=SECRET, error=BOOM, traceback=f"Traceback\n{BOOM}")
    found = outcome(result, settings)
    assert (found.value, found.error, found.traceback) == (shown_value, error, f"Traceback\n{error}")


def test_arguments_are_shown_as_the_cluster_says() -> None:
    assert value(REDACTED, [TASK])[0]["kwargs"] == {"password": "***", "user": "olga"}
    assert value(REDACTED, [TASK])[0]["args"] == [7, {"token": "***"}]
    assert value(NOTHING, [TASK])[0]["kwargs"] is None
    assert value(REDACTED, "login(password='hunter22')") == "login(password=***)"
    assert value(FULL, "login(password='hunter22')") == "login(password='hunter22')"


def test_settings_never_show_a_password() -> None:
    conf = {"broker_url": "redis://:hunter22@redis/0", "smtp_password": "hunter22", "worker_concurrency": 4}
    for settings in (REDACTED, FULL, NOTHING):
        assert "hunter22" not in repr(value(settings, conf))
    assert rows(conf, "concurrency") == [("worker_concurrency", "4")]
    assert [key for key, _ in rows(conf)] == sorted(conf)
    assert rows("no table") == []


@pytest.mark.parametrize(
    ("eta", "moment"),
    [
        ("2026-01-31T14:00:00+02:00", 1_769_860_800.0),
        ("2026-01-31T12:00:00", 1_769_860_800.0),
        ("tomorrow", None),
        (7, None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_when_a_task_is_due_is_a_moment_whatever_the_time_zone_of_the_app(eta: object, moment: float | None) -> None:
    (row,) = held([Answer(worker="w", value=[{"eta": eta, "request": TASK}])])
    assert row.eta == moment


def test_tasks_of_workers_are_rows() -> None:
    scheduled = {"eta": "2026-01-31T12:00:00+00:00", "priority": 6, "request": {**TASK, "id": "u2"}}
    first, second, third = held([Answer(worker="w", value=[TASK, scheduled]), Answer(worker="v", value=["u3"])])
    assert (first.worker, first.uuid, first.name, first.queue, first.started) == (
        "w",
        "u1",
        "shop.login",
        "emails",
        12.5,
    )
    assert first.args == '[7,{"token":"t0ken"}]'
    assert (second.uuid, second.eta) == ("u2", 1_769_860_800.0)
    assert (third.worker, third.uuid, third.name) == ("v", "u3", "")


@given(JSON)
def test_whatever_a_worker_answers_is_taken(said: Any) -> None:
    answers = shown([Answer(worker="w", value=said)], REDACTED)
    held(answers)
    rows(answers[0].value)


def test_what_is_deep_is_left_out() -> None:
    deep: Any = "end"
    for _ in range(50):
        deep = [deep]
    assert "end" not in repr(value(REDACTED, deep))
