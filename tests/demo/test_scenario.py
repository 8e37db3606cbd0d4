"""The demo's timetable and configuration."""

from __future__ import annotations

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from nightowl.config import load
from nightowl.demo.fleet import Fleet
from nightowl.demo.inbox import Inbox
from nightowl.demo.scenario import broken, configuration
from nightowl.demo.shop import PAGES, Shop

ROUND = 5.0


@pytest.mark.parametrize(
    ("elapsed", "down"), [(0, True), (74, True), (76, False), (179, False), (181, True), (256, False)]
)
def test_payments_breaks_is_healed_and_breaks_again(elapsed, down):
    assert ("payments" in broken(elapsed)) is down


@given(st.floats(0, 86400))
def test_recommendations_never_fail_for_two_rounds_in_a_row(start):
    assert not ("recommendations" in broken(start) and "recommendations" in broken(start + ROUND))


@given(st.floats(0, ROUND))
def test_recommendations_fail_in_some_round_of_every_two_minutes(phase):
    assert any("recommendations" in broken(phase + number * ROUND) for number in range(24))


@given(st.floats(0, 86400))
def test_only_pages_of_the_shop_break(elapsed):
    assert broken(elapsed) <= PAGES.keys()


@pytest.fixture(scope="module")
def scenery(tmp_path_factory):
    shop, inbox = Shop(), Inbox()
    shop.start()
    inbox.start()
    yield configuration(shop, inbox, Fleet(tmp_path_factory.mktemp("fleet"), ""))
    inbox.stop()
    shop.stop()


def test_every_page_of_the_shop_is_checked(scenery):
    assert PAGES.keys() | {"partners", "mail"} == scenery["check"].keys()


def test_attempts_fit_into_a_round(scenery):
    template = scenery["template"]["shop"]
    assert template["every"] == f"{ROUND:.0f}s"
    assert template["attempts"] * float(template["timeout"].removesuffix("ms")) / 1000 <= ROUND - 2


def test_checks_reach_loopback_only_where_the_demo_listens(scenery):
    for location in scenery["location"].values():
        assert location["reach"] == "private"
        assert [allowed["network"] for allowed in location["allow"]] == ["127.0.0.1/32"]


def test_the_fleet_is_watched(scenery, tmp_path):
    path = tmp_path / "nightowl.toml"
    path.write_text(tomli_w.dumps(scenery))
    shop = load(path).clusters["shop"]
    assert shop.broker.startswith("filesystem://")
    assert shop.transport_options["data_folder_in"]
