"""The page of a rule, and the form that draws what it would have done."""

import re

import pytest
from msgspec.structs import replace

from nightowl.core.rule_incident import Standing
from nightowl.core.rule_state import Phase, RuleState
from nightowl.ports import StoredRule
from nightowl.testing.store import memory_store, memory_tasks
from tests.web.conftest import NOW, World, rule_scene

BACKLOG = {"metric": "depth", "where": {"queue": "mail*"}, "above": 100, "recover": 50, "for": "30s"}
TYPED = {"metric": "depth", "where": "queue=mail*", "strategy": "fixed", "above": "100"}


def text(source):
    apart = re.sub(r"</(td|th|tr|li|p|h\d|div|dt|dd|span|b)>", " ", source)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", apart))


def csrf(client):
    return re.search(r'name="csrf" content="([0-9a-f]{64})"', client.get("/channels").text)[1]


def post(client, path, **data):
    return client.post(path, data={"csrf": csrf(client)} | data)


@pytest.fixture(scope="module")
def shared():
    """An application over the samples of an hour."""
    world = World(memory_store(), memory_tasks())
    rule_scene.depths(world.store, world.clock.time)
    yield world, world.client()
    world.store.close()
    world.tasks.close()


@pytest.fixture
def depths(shared):
    """The same with the rule ``backlog`` alone."""
    with shared[0].store.transaction() as unit:
        for rule in unit.rule_definitions.all():
            unit.rule_definitions.remove(rule.name)
        unit.rule_definitions.put([StoredRule(name="backlog", origin="stored", spec=BACKLOG)])
    return shared[0]


@pytest.fixture
def client(depths, shared):
    return shared[1]


def test_the_page_says_what_the_rule_says_and_draws_its_series(client):
    page = client.get("/rules/backlog").text
    told = text(page)
    assert "Fires on depth where queue=mail* above 100, recovers at 50, for 30 s." in told
    assert "Between 10 and 200; would have paged 2 times, firing for" in told
    assert page.count('<path class="limit"') == page.count('<path class="recover"') == 1
    assert 'class="firing"' in page
    assert "depth{queue=&#34;mail-out&#34;}" in page


def test_the_chosen_series_and_span_stand_in_the_address(client):
    page = text(client.get("/rules/backlog", params={"series": 'depth{queue="mail-out"}', "last": "24h"}).text)
    assert "Between 10 and 20; would not have paged." in page
    assert client.get("/rules/backlog", params={"series": "{"}).status_code == 404
    assert "There was no sample" in text(client.get("/rules/backlog?series=nothing").text)


def test_the_data_of_the_page_is_there_for_programs(client):
    found = client.get("/rules/backlog.json").json()
    assert len(found["trace"]["opened"]) == 2
    assert found["view"]["series"]["rows"][0]["value"] == 10.0


def test_a_rule_that_matches_nothing_says_what_there_is(depths, client):
    with depths.store.transaction() as unit:
        for name, keys in (("a", {"metric": "dept"}), ("b", {"where": {"queue": "post"}})):
            unit.rule_definitions.put([StoredRule(name=name, origin="stored", spec=BACKLOG | keys)])
    assert "It matches nothing. There is no series of the metric dept. Names like it: depth." in text(
        client.get("/rules/a").text
    )
    assert "queue = post. Its values: mail-in, mail-out, video." in text(client.get("/rules/b").text)


def test_a_rule_shows_its_incidents_and_where_it_stands(ruled):
    page = text(ruled.client().get("/rules/backlog").text)
    assert "Firing: 1 firing, 1 pending. Fires on queue_length" in page
    assert "Incidents open" in page
    assert "once in the last 7 days" in page
    assert "in a configuration file, read-only here" in page


def test_a_rule_that_cannot_be_evaluated_says_why(depths, client):
    with depths.store.transaction() as unit:
        unit.rule_definitions.put([StoredRule(name="odd", origin="stored", spec={"metric": "depth"})])
    for path in ("/rules/odd", "/rules"):
        assert "at least one of above" in text(client.get(path).text)


def test_rules_are_listed_with_a_way_to_their_pages_and_to_a_new_one(client):
    page = client.get("/rules").text
    assert 'href="/rules/backlog"' in page
    assert 'href="/rules/new"' in page


def test_a_rule_is_made_by_the_form_and_edited(depths, client):
    assert post(client, "/rules/new", name="full", **TYPED).headers["location"] == "/rules/full"
    with depths.store.read() as unit:
        made = unit.rule_definitions.get("full")
    assert made.spec == {"metric": "depth", "where": {"queue": "mail*"}, "above": 100}
    edited = {**TYPED, "above": "+20%", "strategy": "floating", "baseline.over": "30m", "by": "*", "compare": ""}
    assert post(client, "/rules/full/edit", **edited).headers["location"] == "/rules/full"
    with depths.store.read() as unit:
        spec = unit.rule_definitions.get("full").spec
    assert spec == {
        "metric": "depth", "where": {"queue": "mail*"}, "above": "+20%", "by": [], "strategy": "floating",
        "baseline": {"over": "30m"},
    }  # fmt: skip
    form = client.get("/rules/full/edit").text
    assert 'name="by" aria-describedby="by-hint" value="*"' in form
    assert "<option selected>floating</option>" in form


def test_every_mistake_stands_at_its_field(client):
    answer = post(
        client, "/rules/new", name="a b", metric="depth", above="high", **{"for": "soon", "strategy": "fixed"}
    )
    assert answer.status_code == 422
    page = text(answer.text)
    assert "Nothing was saved. 3 mistakes to mend." in page
    assert "This cannot be a name." in page
    assert "high does not work. Allowed: a number, or where the limit is relative" in page
    assert "soon does not work. Allowed: a duration such as" in page


def test_what_is_missing_is_said_at_the_field_that_it_is_missing_from(client):
    page = text(post(client, "/rules/new", name="x", metric="depth", strategy="floating", above="+5%").text)
    assert "Give the span that the baseline is taken of, such as 30m." in page


def test_a_name_is_taken_once(client):
    page = text(post(client, "/rules/new", name="backlog", **TYPED).text)
    assert "There is a rule named backlog already." in page


def test_a_preview_says_how_often_it_would_have_paged_and_draws_it(client):
    answer = post(client, "/rules/preview", last="24h", **TYPED)
    assert answer.text.lstrip().startswith("<p")
    told = text(answer.text)
    assert "Would have paged 2 times in the last 24 hours, on 1 of 2 series. There are samples of 59 min only." in told
    assert "[rule.name] metric = &#34;depth&#34;" in told
    assert 'class="pages"' in answer.text
    assert "queue mail-in, mail-out and video" in told
    again = text(post(client, "/rules/preview", last="24h", **{**TYPED, "above": "300"}).text)
    assert "Would never have paged in the last 24 hours, over 2 series." in again


def test_a_preview_of_what_is_no_rule_yet_says_what_is_missing(client):
    found = post(client, "/rules/preview", metric="depth", strategy="fixed", **{"for": "soon"}).text
    assert 'data-key="for" data-text="soon does not work.' in found
    assert 'data-key="above"' in found


def test_a_preview_changes_nothing_and_is_for_viewers_too(depths, client):
    post(client, "/rules/preview", name="backlog", **TYPED)
    with depths.store.read() as unit:
        assert unit.rule_definitions.get("backlog").spec == BACKLOG


def test_without_scripts_the_form_can_be_tried_as_a_whole(client):
    page = text(post(client, "/rules/try", last="7d", **TYPED).text)
    assert "Would have paged 2 times in the last 7 days" in page
    assert "Add a rule" in page


def test_a_rule_of_a_file_can_be_tried_but_not_saved(ruled):
    client = ruled.client()
    page = client.get("/rules/backlog/edit").text
    assert "Read-only here." in page
    assert "Save</button>" not in page
    assert post(client, "/rules/backlog/edit", **TYPED).status_code == 409
    assert "Read-only here." in post(client, "/rules/try", name="backlog", **TYPED).text
    assert post(client, "/rules/backlog/delete", confirm="yes").status_code == 409


def test_a_rule_is_deleted_after_a_confirmation(client):
    assert post(client, "/rules/backlog/delete").status_code == 409
    assert post(client, "/rules/backlog/delete", confirm="yes").headers["location"] == "/rules"
    assert client.get("/rules/backlog").status_code == 404
    assert post(client, "/rules/backlog/edit", **TYPED).status_code == 404


def test_a_rule_on_a_source_says_that_its_series_are_elsewhere(ruled):
    ruled.rules["elsewhere"] = replace(ruled.rules["at-rest"], name="elsewhere", source="prom")
    standing = Standing(
        rule="elsewhere",
        series='m{id="a"}',
        state=RuleState(Phase.FIRING, unknown_since=NOW - 600),
        source="prom",
        why="the source answered 400",
    )
    with ruled.store.transaction() as unit:
        unit.rules.put([standing])
    raw = ruled.client().get("/rules/elsewhere").text
    page = text(raw)
    assert "Its series are read from the source prom" in page
    assert "figures and limits stay with the source" in page
    assert "It matches nothing" not in page
    assert "unknown for" in page
    assert "the source answered 400" in page
    assert "Try another limit" not in page
    assert "#picture-title" not in raw
    assert "the source answered 400" in text(ruled.client().get("/rules").text)
