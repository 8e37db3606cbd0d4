"""A heartbeat's page as a person meets it."""

import time

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.chromium

PATHS = ["/checks/nightly-backup", "/checks/weekly-report", "/add?kind=heartbeat", "/add?kind=task"]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="module")
def beating(shown):
    """The scene with two heartbeats, served."""
    with shown.store.transaction() as unit:
        shown.beat(unit, time.time())
    return shown


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing_wrong_with_heartbeats(page, beating, path, theme):
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.goto(beating.base + path)
    found = Axe().run(page, options=RULES).response["violations"]
    assert [(each["id"], [node["target"] for node in each["nodes"]][:3]) for each in found] == []


@pytest.mark.parametrize("path", PATHS)
def test_a_heartbeat_is_not_wider_than_a_small_screen(page, beating, path):
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto(beating.base + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_a_call_appears_while_the_page_is_open(page, beating):
    page.goto(f"{beating.base}/checks/weekly-report")
    assert page.get_by_text("The job has not called yet.").is_visible()
    url = page.locator("#call-url").inner_text()
    page.request.post(beating.base + url[url.index("/ping/") :] + "/start", data="a log")
    page.get_by_role("region", name="Calls as a table").get_by_text("start").wait_for()
