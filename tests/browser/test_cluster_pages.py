"""The pages of a watched cluster in a browser: accessible, on a small screen, and alive."""

import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from msgspec.structs import replace

pytestmark = pytest.mark.chromium

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
ENDS = (
    "",
    "/workers",
    "/workers/celery@web-1",
    "/queues",
    "/queues/images",
    "/tasks",
    "/tasks/22222222-2222-4222-8222-222222222222",
    "/workflows/flow-root",
    "/failures",
    "/beat",
    "/visibility",
)


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 400)])
def test_everybody_can_read_a_cluster_on_any_screen(chromium, watched, theme, width):
    complaints: list[str] = []
    context = chromium.new_context(viewport={"width": width, "height": 860}, color_scheme=theme)
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    for path in ("/clusters", *(f"/clusters/shop{end}" for end in ENDS)):
        page.goto(watched.base + path)
        found = Axe().run(page, options=RULES).response["violations"]
        assert [(each["id"], [node["target"] for node in each["nodes"]][:3]) for each in found] == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()
    assert complaints == []


def test_a_page_of_a_cluster_keeps_up_with_its_watcher(chromium, watched):
    page = chromium.new_page()
    page.goto(f"{watched.base}/clusters/shop/tasks/started-id")
    page.get_by_text("30 of 100").wait_for()
    tasks = watched.world.tasks
    task = tasks.get("shop", ["started-id"])["started-id"]
    done = replace(task, state="SUCCESS", succeeded=time.time(), current=100.0, updated=time.time())
    tasks.write("shop", [done])
    page.get_by_text("100 of 100").wait_for()
    page.get_by_text("Succeeded in").wait_for()
    page.close()
