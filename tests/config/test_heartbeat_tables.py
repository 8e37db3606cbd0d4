"""``[check.NAME]`` tables of heartbeats."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli_w

from nightowl.config import check_from_spec, load
from nightowl.config.showing import effective
from nightowl.core.errors import ConfigurationError
from nightowl.core.values import Check, Heartbeat

NIGHTLY = {"kind": "heartbeat", "cron": "0 3 * * *", "timezone": "Europe/Paris", "grace": "20m"}


def made(spec: dict[str, object]) -> Check:
    return check_from_spec("nightly", spec, locations=("london", "tokyo"))


def mistakes(spec: dict[str, object]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        made(spec)
    return [f"{each.key}: {each.allowed}" for each in caught.value.mistakes]


def test_a_heartbeat_has_a_plan_and_no_locations() -> None:
    check = made(NIGHTLY)
    assert check.heartbeat == Heartbeat(cron="0 3 * * *", timezone="Europe/Paris", grace=1200.0)
    assert (check.locations, check.down_after) == ((), 1)


def test_what_is_left_out_has_a_default() -> None:
    assert made({"kind": "heartbeat", "every": "1h", "down_after": 3}) == Check(
        name="nightly",
        target=made(NIGHTLY).target,
        locations=(),
        every=3600.0,
        down_after=3,
        heartbeat=Heartbeat(every=3600.0, grace=300.0),
    )


@pytest.mark.parametrize(
    ("keys", "mistake"),
    [
        ({}, 'check.nightly.every: either every = "1h" or cron = "0 3 * * *" [NO18]'),
        ({"every": "1h", "cron": "0 3 * * *"}, 'check.nightly.cron: either every = "1h" or cron = "0 3 * * *" [NO18]'),
        ({"every": "9s"}, 'check.nightly.every: at least "10s" [NO19]'),
        ({"cron": "0 3 * *"}, "check.nightly.cron: a cron expression of five fields"),
        ({"cron": "0 3 * * *", "timezone": "Paris"}, "check.nightly.timezone: a name of the IANA time zone database"),
        ({"every": "1h", "url": "http://shop.example"}, "check.nightly.url: no such key; it means nothing"),
        ({"every": "1h", "locations": ["london"]}, "check.nightly.locations: no such key; it means nothing"),
        ({"every": "1h", "attempts": 1}, "check.nightly.attempts: no such key; it means nothing"),
    ],
)
def test_what_cannot_work_is_one_clear_mistake(keys: dict[str, object], mistake: str) -> None:
    (found,) = mistakes({"kind": "heartbeat", **keys})
    assert found.startswith(mistake)


def test_other_kinds_know_no_grace() -> None:
    (found,) = mistakes({"url": "http://shop.example", "grace": "5m"})
    assert found.startswith("check.nightly.grace: no such key; it means nothing to a check of kind http")


@pytest.mark.parametrize("spec", [NIGHTLY, {"kind": "heartbeat", "every": "1h"}, {"url": "https://shop.example"}])
def test_what_is_shown_loads_as_the_same_check(tmp_path: Path, spec: dict[str, object]) -> None:
    before, after = tmp_path / "before.toml", tmp_path / "after.toml"
    before.write_text(tomli_w.dumps({"check": {"nightly": spec}}))
    after.write_text(tomli_w.dumps(effective(before)))
    assert load(after).checks == load(before).checks
