"""Pages as a person meets them: seen, by keyboard, without scripts, on a small screen, and live."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from nightowl.core.values import Author

pytestmark = pytest.mark.chromium

PATHS = [
    "/", "/checks", "/checks/shop-checkout", "/checks/shop-search?range=24h&location=office", "/checks/brand-new",
    "/checks/nightly-report", "/rules", "/rules/at-rest", "/rules/new?metric=check_up&below=1",
    "/locations", "/incidents", "incident", "/incidents/own-office-1", "/channels",
    "/add", "/checks/shop-front/edit", "/account", "/users", "/audit", "/nowhere",
]  # fmt: skip
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def go(page, shown, path):
    page.goto(shown.base + (shown.incident("shop-checkout") if path == "incident" else path))


def violations(page):
    found = Axe().run(page, options=RULES).response["violations"]
    return [(each["id"], [node["target"] for node in each["nodes"]][:3]) for each in found]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing_wrong(page, shown, path, theme):
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    go(page, shown, path)
    assert violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/checks", "/rules", "/locations", "/incidents", "/channels"])
def test_axe_finds_nothing_wrong_with_what_is_empty(page, bare, path, theme):
    page.emulate_media(color_scheme=theme)
    page.goto(bare.base + path)
    assert violations(page) == []


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_wider_than_a_small_screen(page, shown, path):
    page.set_viewport_size({"width": 400, "height": 800})
    go(page, shown, path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize("path", ["/checks", "/checks/shop-checkout", "/add"])
def test_nothing_is_wider_than_the_screen_at_four_times_the_size(page, shown, path):
    page.set_viewport_size({"width": 320, "height": 256})
    go(page, shown, path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_every_page_can_be_read_without_scripts(chromium, shown):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    for path in PATHS:
        go(page, shown, path)
        assert page.locator("h1").is_visible()
    page.goto(f"{shown.base}/checks/shop-search")
    page.get_by_text("Show as table").click()
    assert page.get_by_role("region", name="Phases as a table").get_by_role("row").count() > 30
    context.close()


def test_forms_work_without_scripts(chromium, shown):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{shown.base}/checks/customer-01")
    page.get_by_role("button", name="Pause").click()
    assert page.get_by_text("Paused.").is_visible()
    page.get_by_role("button", name="Dark theme").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    context.close()


def test_the_way_from_now_to_a_check_and_back_needs_no_mouse(page, shown):
    page.goto(shown.base)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/checks")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == "shop-checkout"
    page.keyboard.press("Enter")
    page.wait_for_url("**/checks/shop-checkout")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/incidents")
    page.keyboard.press("g")
    page.keyboard.press("l")
    page.wait_for_url("**/locations")
    page.keyboard.press("g")
    page.keyboard.press("n")
    page.wait_for_url(shown.base + "/")


def test_search_is_one_key_away_and_keys_are_text_inside_it(page, shown):
    page.goto(shown.base)
    page.keyboard.press("/")
    page.wait_for_url("**/checks#search")
    page.keyboard.type("j?g")
    assert page.locator("#search").input_value() == "j?g"
    assert page.url.endswith("#search")


def test_every_control_can_be_reached_and_its_focus_seen(page, shown):
    page.goto(f"{shown.base}/checks/shop-checkout")
    for _ in range(25):
        page.keyboard.press("Tab")
        style = page.evaluate(
            "(({outlineStyle, outlineWidth}) => outlineStyle + outlineWidth)(getComputedStyle(document.activeElement))"
        )
        assert style == "solid2px"


def test_the_keys_are_listed_and_can_be_switched_off(page, shown):
    page.goto(shown.base)
    page.keyboard.press("?")
    assert page.get_by_role("heading", name="Keys").is_visible()
    assert page.evaluate("document.activeElement.id") == "keys-close"
    page.get_by_role("button", name="Switch keys off").click()
    page.wait_for_load_state()
    page.keyboard.press("?")
    assert not page.get_by_role("heading", name="Keys").is_visible()


def test_the_key_to_acknowledge_needs_a_chosen_row(page, shown):
    with shown.store.transaction() as unit:
        unit.incidents.apply([opened_for_a_key(unit.incidents.get("own-office-1"))])
    page.goto(shown.base)
    page.wait_for_selector("body[data-connected]")
    buttons = page.get_by_role("button", name="Acknowledge")
    before = buttons.count()
    page.keyboard.press("a")
    page.locator("#incident-own-key a[data-row]").focus()
    page.keyboard.press("a")
    page.wait_for_selector("#incident-own-key .acked")
    assert buttons.count() == before - 1


def opened_for_a_key(found):
    from msgspec.structs import replace  # noqa: PLC0415

    from nightowl.core.values import Change  # noqa: PLC0415

    fresh = replace(found, id="own-key", subject="location/key")
    return Change(event="opened", incident=fresh, at=found.opened, text="opened")


def test_a_theme_is_chosen_and_kept(page, shown):
    page.emulate_media(color_scheme="light")
    page.goto(shown.base)
    bright = page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
    page.get_by_role("button", name="Dark theme").click()
    page.goto(f"{shown.base}/checks/shop-front")
    assert page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor") != bright


def test_the_chart_is_drawn_and_reads_the_colours_of_the_theme(page, shown):
    page.goto(f"{shown.base}/checks/shop-search")
    page.wait_for_selector("#chart canvas")
    drawn = page.evaluate(
        """() => { const canvas = document.querySelector("#chart canvas");
        const all = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return new Set(Array.from({length: all.length / 4}, (_, at) => all.slice(at * 4, at * 4 + 3).join())).size }"""
    )
    assert drawn > 6


def test_a_cell_of_the_matrix_opens_its_round(page, shown):
    page.goto(f"{shown.base}/checks/shop-search")
    page.locator(".pick").first.click(position={"x": 40, "y": 5})
    page.wait_for_url("**round=*")
    assert page.locator("#round time").get_attribute("datetime") in page.url.replace("%3A", ":")


def test_an_open_page_follows_what_happens_and_keeps_the_focus(page, shown):
    page.goto(f"{shown.base}/checks?text=customer")
    page.wait_for_selector("body[data-connected]")
    page.get_by_role("link", name="customer-05").focus()
    with shown.store.transaction() as unit:
        check = unit.checks.get("customer-04")
        unit.checks.put(type(check)(name=check.name, origin="stored", paused=True, spec=check.spec, changed=9.0))
    page.wait_for_selector("#row-customer-04 .state.paused")
    rows = page.locator("#rows tr")
    assert rows.nth(rows.count() - 1).get_attribute("id") == "row-customer-04"
    assert page.evaluate("document.activeElement.textContent") == "customer-05"


def test_an_acknowledgement_shows_on_another_screen(page, shown):
    page.goto(shown.base)
    page.wait_for_selector("body[data-connected]")
    ident = shown.incident("shop-search").removeprefix("/incidents/")
    shown.world.handlers.acknowledge(ident, Author("user", "otto"), None)
    page.wait_for_selector(f"#incident-{ident} .acked")
    assert page.locator(f"#incident-{ident} .acked").inner_text() == "✓ otto"


def test_a_live_button_still_has_its_token_after_an_update(page, shown):
    page.goto(shown.base)
    page.wait_for_selector("body[data-connected]")
    ident = shown.incident("shop-checkout").removeprefix("/incidents/")
    with shown.store.transaction() as unit:
        found = unit.incidents.get(ident)
        unit.incidents.apply([shown_change(found)])
    page.wait_for_selector(f"#incident-{ident} .severity.info")
    page.locator(f"#incident-{ident}").get_by_role("button", name="Acknowledge").click()
    page.wait_for_selector(f"#incident-{ident} .acked")


def shown_change(found):
    from msgspec.structs import replace  # noqa: PLC0415

    from nightowl.core.values import Change, Severity  # noqa: PLC0415

    return Change(event="raised", incident=replace(found, severity=Severity.INFO), at=found.opened, text="raised")


def test_a_paused_page_stays_as_it_is_until_it_is_resumed(page, shown):
    page.goto(f"{shown.base}/checks?text=customer")
    page.wait_for_selector("body[data-connected]")
    page.get_by_role("button", name="Live").click()
    with shown.store.transaction() as unit:
        unit.checks.remove("customer-07")
    assert page.locator("#row-customer-07").count() == 1
    page.get_by_role("button", name="Paused").click()
    page.wait_for_selector("#row-customer-07", state="detached")


@pytest.mark.parametrize("name", ["anna", "ada"])
def test_no_page_breaks_the_policy_for_anybody(page, people, name):
    page.context.add_cookies([{"name": "nightowl_session", "value": name, "url": people.base}])
    page.add_init_script("addEventListener('securitypolicyviolation', (event) => console.error(event.blockedURI))")
    for path in PATHS:
        go(page, people, path)
        page.wait_for_load_state()


def test_a_token_is_made_shown_once_and_revoked(page, shown):
    page.goto(f"{shown.base}/account")
    page.get_by_label("Name").fill("robot")
    page.get_by_role("button", name="Make a token").click()
    text = page.get_by_label("The new token").inner_text()
    assert text.startswith("owl_")
    assert violations(page) == []
    page.goto(f"{shown.base}/account")
    assert text not in page.content()
    page.get_by_role("button", name="Revoke robot").click()
    page.get_by_role("button", name="Revoke robot").wait_for(state="detached")


def test_users_are_added_changed_and_removed_without_scripts(chromium, shown):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{shown.base}/users")
    page.get_by_label("Name").fill("carla")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Add").click()
    page.get_by_text("Change carla").click()
    page.get_by_role("button", name="Disable").click()
    page.get_by_text("Change carla").click()
    page.get_by_label("sure").check()
    page.get_by_role("button", name="Remove").click()
    page.get_by_text("carla was removed").wait_for()
    page.goto(f"{shown.base}/audit?subject=carla")
    assert page.locator("tbody tr").count() == 3
    context.close()
