"""The pages of a watched cluster in a browser: accessible, on a small screen, and alive."""

import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from msgspec.structs import replace

from nightowl.core.cluster.task import Task

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
    "/in-workers",
    "/settings?worker=celery@web-1",
    "/send",
    "/tasks/started-id",
)
BOXES = "found => found.map(each => each.getBoundingClientRect().toJSON())"
"""Where all elements are at one moment: a page that is live may replace them between two questions."""


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 400)])
def test_everybody_can_read_a_cluster_on_any_screen(chromium, watched, theme, width):
    complaints: list[str] = []
    context = chromium.new_context(viewport={"width": width, "height": 860}, color_scheme=theme)
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    for path in ("/clusters", *(f"/clusters/shop{end}" for end in ENDS)):
        page.goto(watched.base + path)
        if theme == "light" or path.endswith(("/shop", "/tasks", "/flow-root")):
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


def test_the_page_of_a_task_that_was_sent_just_now_recovers_by_itself(chromium, watched):
    page = chromium.new_page()
    tasks = watched.world.tasks
    tasks.write("shop", [], state=replace(tasks.state("shop"), at=time.time()))
    page.goto(f"{watched.base}/clusters/shop/tasks/sent-now")
    page.get_by_role("heading", name="Not seen yet").wait_for()
    tasks.write("shop", [Task(uuid="sent-now", name="shop.refund", state="RECEIVED", received=time.time())])
    page.get_by_role("heading", name="shop.refund").wait_for()
    page.close()


def test_a_small_screen_shows_when_the_tasks_of_a_workflow_ran(chromium, watched):
    page = chromium.new_page(viewport={"width": 400, "height": 860})
    page.goto(f"{watched.base}/clusters/shop/workflows/flow-root")
    boxes = page.locator(".bars").evaluate_all(BOXES)
    assert len(boxes) == 5
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 400 and box["width"] > 250 for box in boxes)
    page.evaluate("document.querySelector('.rail .count').className = 'count'")
    page.evaluate("document.querySelector('.rail .count').textContent = '13'")
    assert len({box["y"] for box in page.locator(".rail nav a").evaluate_all(BOXES)}) == 1
    page.close()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 400)])
def test_everybody_can_act_on_a_cluster_on_any_screen_without_a_script(chromium, watched, theme, width):
    """The panel of a worker, the question whether something is meant, the answers of workers, and what was refused."""
    context = chromium.new_context(viewport={"width": width, "height": 860}, color_scheme=theme)
    page = context.new_page()
    worker = f"{watched.base}/clusters/shop/workers/celery@web-1"
    page.goto(worker)
    page.get_by_role("button", name="Add").click()
    _fits(page, "was asked to grow the pool by 1", width)
    page.goto(worker)
    page.get_by_role("button", name="Shut down").click()
    _fits(page, "Nothing has been done yet", width)
    page.get_by_role("button", name="Yes, do it").click()
    _fits(page, "was asked to shut down", width)
    page.goto(worker)
    page.get_by_label("Processes").fill("many")
    page.get_by_role("button", name="Take away").click()
    _fits(page, "a whole number from 1 to 1000", width)
    context.close()


def _fits(page, text, width):
    page.get_by_text(text).first.wait_for()
    found = Axe().run(page, options=RULES).response["violations"]
    assert [(each["id"], [node["target"] for node in each["nodes"]][:3]) for each in found] == [], text
    assert page.evaluate("document.documentElement.scrollWidth") <= width, text


def test_the_buttons_of_a_task_follow_its_state(chromium, watched):
    page = chromium.new_page()
    tasks = watched.world.tasks
    now = time.time()
    running = Task(
        uuid="turning", name="shop.turn", state="STARTED", args="()", kwargs="{}", started=now, updated=now, seen=now
    )
    tasks.write("shop", [running])
    page.goto(f"{watched.base}/clusters/shop/tasks/turning")
    page.get_by_role("button", name="Revoke").wait_for()
    assert page.get_by_role("button", name="Send again").count() == 0
    tasks.write("shop", [replace(running, state="FAILURE", failed=time.time(), error="Boom()", updated=time.time())])
    page.get_by_role("button", name="Send again").wait_for()
    assert page.get_by_role("button", name="Revoke").count() == 0
    page.close()
