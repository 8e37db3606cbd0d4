"""Silences, maintenance and routes in a browser: seen, on a small screen, and used."""

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.chromium

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def test_what_is_held_back_can_be_seen_and_changed_on_any_screen(chromium, held):
    complaints: list[str] = []
    for theme, width in (("light", 1280), ("dark", 400)):
        context = chromium.new_context(
            viewport={"width": width, "height": 860}, color_scheme=theme, timezone_id="Europe/Paris"
        )
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        for path in ("/silences", "/maintenance", "/routes?name=shop-search", held.incident("shop-search")):
            page.goto(held.base + path)
            if path == "/maintenance":
                page.wait_for_url("**/maintenance?zone=Europe%2FParis")
            if theme == "light" or path == "/silences":
                found = Axe().run(page, options=RULES).response["violations"]
                assert [(each["id"], [node["target"] for node in each["nodes"]][:3]) for each in found] == [], path
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        page.get_by_role("link", name="Silence", exact=True).click()
        assert page.get_by_label("Which incidents").input_value() == "name=shop-search"
        page.get_by_label("Why").fill("a new index")
        page.get_by_role("button", name="Silence", exact=True).click()
        page.get_by_role("status").get_by_text("holds until it ends").wait_for()
        context.close()
    assert complaints == []
