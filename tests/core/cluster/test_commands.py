"""The catalogue of commands: what each takes, from whom, and how it is told."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from celery.utils.time import rate as celery_rate
from celery.worker.control import Panel
from hypothesis import given
from hypothesis import strategies as st

from nightowl.core.cluster.catalogue import ACTIONS, COMMANDS
from nightowl.core.cluster.command import Command
from nightowl.core.cluster.commands import (
    Forbidden,
    Unconfirmed,
    confirm_shrink,
    permit,
    prepare,
    spec_of,
)
from nightowl.core.errors import ConfigurationError, NotFound, Refused
from nightowl.core.values import Role

GOOD: dict[str, dict[str, Any]] = {
    "pool_grow": {"n": "2"},
    "pool_shrink": {"n": 1},
    "autoscale": {"min": 0, "max": 4},
    "add_consumer": {"queue": "a&b <c>"},
    "cancel_consumer": {"queue": "a&b"},
    "rate_limit": {"task": "shop.add", "rate": "7/m"},
    "time_limit": {"task": "shop.add", "soft": "5", "hard": 10},
    "revoke": {"ids": "x", "terminate": "yes", "signal": "SIGKILL"},
    "revoke_by_stamped_headers": {"headers": {"customer": "1"}},
    "query_task": {"ids": ["x"]},
}
INTERNAL = {"hello", "election", "objgraph", "memdump", "terminate"}


def test_every_command_of_celery_is_known() -> None:
    assert set(Panel.meta) - INTERNAL == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_takes_what_it_should_and_tells_it(name: str) -> None:
    command = prepare(name, GOOD.get(name, {}), ["a@shop", "a@shop"])
    assert command.workers == ("a@shop",)
    assert spec_of(name).says(command.arguments)
    permit(spec_of(name), command.arguments, "admin", confirmed=True)
    with pytest.raises(Forbidden):
        permit(spec_of(name), command.arguments, "viewer", confirmed=True)


def test_arguments_reach_celery_by_its_names() -> None:
    assert prepare("rate_limit", GOOD["rate_limit"]).arguments == {"task_name": "shop.add", "rate_limit": "7/m"}
    assert prepare("revoke", GOOD["revoke"]).arguments == {"task_id": ["x"], "terminate": True, "signal": "SIGKILL"}
    assert prepare("add_consumer", GOOD["add_consumer"]).arguments == {"queue": "a&b <c>"}


@pytest.mark.parametrize(
    ("name", "given", "key"),
    [
        ("pool_grow", {"n": 0}, "n"),
        ("pool_grow", {"n": -1}, "n"),
        ("pool_grow", {"n": True}, "n"),
        ("pool_grow", {"n": "1.5"}, "n"),
        ("pool_grow", {"n": 10**9}, "n"),
        ("pool_grow", {}, "n"),
        ("pool_grow", {"n": 1, "odd": 2}, "odd"),
        ("autoscale", {"min": 5, "max": 2}, "min"),
        ("add_consumer", {"queue": ""}, "queue"),
        ("add_consumer", {"queue": "x" * 256}, "queue"),
        ("rate_limit", {"task": "t", "rate": "3/d"}, "rate"),
        ("time_limit", {"task": "t", "soft": 5, "hard": 5}, "soft"),
        ("time_limit", {"task": "t", "soft": "nan"}, "soft"),
        ("time_limit", {"task": "t", "hard": -1}, "hard"),
        ("revoke", {"ids": []}, "ids"),
        ("revoke", {"ids": ["x"] * 1001}, "ids"),
        ("revoke", {"ids": "x", "signal": "SIGFOO"}, "signal"),
        ("revoke", {"ids": "x", "terminate": "maybe"}, "terminate"),
    ],
)
def test_a_bound_that_is_crossed_is_named(name: str, given: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        prepare(name, given)
    assert [mistake.key for mistake in error.value.mistakes] == [key]


def test_a_command_that_there_is_not_is_not_found() -> None:
    with pytest.raises(NotFound):
        prepare("rm", {})


@given(st.text(alphabet="0123456789./smhd-e ", max_size=8))
def test_a_rate_that_is_taken_is_one_that_celery_takes(text: str) -> None:
    try:
        taken = prepare("rate_limit", {"task": "t", "rate": text}).arguments["rate_limit"]
    except ConfigurationError:
        return
    assert celery_rate(taken) >= 0


def test_a_pool_keeps_a_process() -> None:
    command = Command(name="pool_shrink", arguments={"n": 2}, workers=("a@shop",))
    confirm_shrink(command, {"a@shop": 3})
    with pytest.raises(Refused, match="it must keep one"):
        confirm_shrink(command, {"a@shop": 2})
    with pytest.raises(Refused, match="not known"):
        confirm_shrink(command, {"a@shop": None})


def test_terminating_takes_more_than_revoking() -> None:
    permit(COMMANDS["revoke"], {"task_id": ["x"]}, "operator", confirmed=False)
    with pytest.raises(Forbidden):
        permit(COMMANDS["revoke"], {"task_id": ["x"], "terminate": True}, "operator", confirmed=True)
    with pytest.raises(Unconfirmed, match="end it with SIGTERM"):
        permit(COMMANDS["revoke"], {"task_id": ["x"], "terminate": True}, "admin", confirmed=False)


def test_what_deletes_or_ends_work_is_an_admins_and_confirmed() -> None:
    for spec in (COMMANDS["shutdown"], COMMANDS["pool_restart"], ACTIONS["purge"]):
        assert (spec.role, spec.dangerous) == ("admin", True)
    assert all(spec.role in get_args(Role) for spec in (*COMMANDS.values(), *ACTIONS.values()))
