"""``[check.NAME]`` tables that follow a task of a watched cluster."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli_w

from nightowl.config import check_from_spec, load
from nightowl.config.showing import effective
from nightowl.core.errors import ConfigurationError
from nightowl.core.values import Check, Heartbeat

SHOP = '[cluster.shop]\nbroker = "redis://127.0.0.1:6379/0"\n'
NIGHTLY = {
    "kind": "task",
    "cluster": "shop",
    "task": "shop.report",
    "cron": "0 3 * * *",
    "timezone": "Europe/Paris",
    "grace": "20m",
    "max_runtime": "1h",
}


def made(spec: dict[str, object]) -> Check:
    return check_from_spec("nightly", spec, locations=("london", "tokyo"), clusters=("shop",))


def mistakes(spec: dict[str, object]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        made(spec)
    return [f"{each.key}: {each.allowed}" for each in caught.value.mistakes]


def test_the_check_of_a_task_has_a_plan_and_no_locations() -> None:
    check = made(NIGHTLY)
    assert check.heartbeat == Heartbeat(
        cron="0 3 * * *",
        timezone="Europe/Paris",
        grace=1200.0,
        cluster="shop",
        task="shop.report",
        max_runtime=3600.0,
    )
    assert (check.target.kind, check.locations, check.down_after) == ("task", (), 1)


def test_what_is_left_out_has_a_default() -> None:
    plan = made({"kind": "task", "cluster": "shop", "task": "shop.*", "every": "1h"}).heartbeat
    assert plan == Heartbeat(every=3600.0, grace=300.0, cluster="shop", task="shop.*")


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({"cluster": None}, ["check.nightly.cluster: the watched cluster that the task runs in; the key is required"]),
        ({"task": None}, ["check.nightly.task: the task's name, or a shell pattern; the key is required"]),
        ({"cluster": "ship"}, ["check.nightly.cluster: a declared cluster (shop) [NO44]"]),
        ({"cron": None}, ['check.nightly.every: either every = "1h" or cron = "0 3 * * *" [NO18]']),
        ({"every": "1h"}, ['check.nightly.cron: either every = "1h" or cron = "0 3 * * *" [NO18]']),
        ({"cron": None, "every": "5s"}, ['check.nightly.every: at least "10s" [NO19]']),
        ({"url": "http://shop.example"}, ["check.nightly.url: no such key; it means nothing to a check of kind task"]),
        ({"max_runtime": "0s"}, ["check.nightly.max_runtime: a duration"]),
    ],
)
def test_what_cannot_work_is_one_clear_mistake(keys: dict[str, object], found: list[str]) -> None:
    told = mistakes({key: value for key, value in {**NIGHTLY, **keys}.items() if value is not None})
    assert [mistake[: len(wanted)] for mistake, wanted in zip(told, found, strict=True)] == found


def test_a_heartbeat_knows_no_task() -> None:
    (found,) = mistakes({"kind": "heartbeat", "every": "1h", "task": "shop.report"})
    assert found.startswith("check.nightly.task: no such key; it means nothing to a check of kind heartbeat")


def test_what_is_shown_loads_as_the_same_check(tmp_path: Path) -> None:
    before, after = tmp_path / "before.toml", tmp_path / "after.toml"
    before.write_text(f"{SHOP}{tomli_w.dumps({'check': {'nightly': NIGHTLY}})}")
    after.write_text(tomli_w.dumps(effective(before)))
    assert load(after).checks == load(before).checks


def test_the_database_of_beat_is_one_that_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "nightowl.toml"
    path.write_text(f'{SHOP}beat = "sqlite:///db.sqlite3"')
    assert load(path).clusters["shop"].beat == f"sqlite:///{tmp_path}/db.sqlite3"
    path.write_text(f'{SHOP}beat = "oracle://h/d"')
    with pytest.raises(ConfigurationError, match=r"cluster.shop.beat.*\[NO09\]"):
        load(path)
