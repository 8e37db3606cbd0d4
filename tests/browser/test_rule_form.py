"""The form of a rule in a browser: what is typed is tried, and the limit can be moved."""

import pytest

pytestmark = pytest.mark.chromium


def test_a_rule_is_tried_while_it_is_typed_and_its_limit_moved(page, shown):
    page.goto(f"{shown.base}/rules/new")
    preview = page.locator("#preview")
    page.fill("#metric", "check_duration_seconds")
    page.fill("#where", "phase=total\ncheck=shop-search")
    page.fill("#above", "high")
    page.get_by_text("Not a rule yet").wait_for()
    page.locator("#above-hint .mistake").get_by_text("high does not work").wait_for()
    page.fill("#above", "100")
    preview.get_by_text("Would never have paged").wait_for()
    assert page.locator("#above[aria-invalid]").count() == 0
    mover = page.locator("#mover")
    mover.fill(mover.get_attribute("min"))
    preview.get_by_text("on 3 of 3 series").wait_for()
    assert float(page.input_value("#above")) < 1
    page.select_option("#strategy", "floating")
    assert page.locator("#recover").is_hidden()
    assert page.locator("[id='baseline.over']").is_visible()
    page.fill("[id='baseline.over']", "30m")
    page.fill("#above", "+20%")
    page.locator("#toml", has_text='baseline = { over = "30m" }').wait_for()
    page.fill("#name", "slower")
    page.click("text=Add the rule")
    page.wait_for_url("**/rules/slower")
    assert "more than 20 % above the median of the 30 min before" in page.inner_text("main")
