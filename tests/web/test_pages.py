"""What people see, as HTML and as data, and what their forms do."""

import html
import re
import sys

import pytest
from msgspec.structs import replace

from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.errors import StoreUnavailable
from nightowl.core.values import Author, Change, Entry, Incident, Severity

scene = sys.modules["scene"]

PAGES = [
    "/", "/checks", "/checks/shop-checkout", "/checks/brand-new", "/checks/nightly-report", "/checks/from-file",
    "/rules", "/rules/new", "/locations", "/incidents", "/incidents/own-office-1", "/channels", "/add",
    "/checks/shop-checkout/edit",
]  # fmt: skip


def text(source):
    """A page as it reads: tags gone, white space single."""
    apart = re.sub(r"</(td|th|tr|li|p|h\d|div|dt|dd)>", " ", source.partition("<main")[2])
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", apart))


def csrf(client):
    return re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get("/checks").text)[1]


def post(client, path, **data):
    return client.post(path, data={"csrf": csrf(client)} | data)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_drawn_for_the_scene(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert "</html>" in answer.text
    assert "verysecret" not in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_its_data_as_json(client, path):
    answer = client.get("/now.json" if path == "/" else f"{path}.json")
    assert answer.status_code == 200
    assert isinstance(answer.json(), dict)
    assert "verysecret" not in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_drawn_for_an_empty_installation(empty, path):
    empty.channels.clear()
    answer = empty.client().get(path)
    assert answer.status_code == (404 if path.count("/") > 1 and path != "/rules/new" else 200)


def test_now_tells_what_is_wrong_worst_first(client):
    page = text(client.get("/").text)
    assert page.index("shop-checkout") < page.index("shop-search") < page.index("location/office")
    assert "TLS certificate expired, seen from 3 of 3 locations" in page
    assert "Down from office only: connection refused" in page
    assert "payments-api No answer to the connection" in page
    assert [trouble["state"] for trouble in client.get("/now.json").json()["troubles"]] == ["down", "degraded", "own"]


def test_what_is_down_stands_before_what_is_degraded_however_severe(world, client):
    with world.store.transaction() as unit:
        found = next(each for each in unit.incidents.open() if each.subject == "shop-checkout")
        mild = replace(found, severity=Severity.INFO)
        unit.incidents.apply([Change(event="raised", incident=mild, at=found.opened, text="")])
    assert [trouble["state"] for trouble in client.get("/now.json").json()["troubles"]] == ["down", "degraded", "own"]


def test_the_title_and_the_icon_carry_the_count_of_what_is_down(client):
    page = client.get("/checks").text
    assert "<title>2 down, 1 own fault · Checks · NightOwl</title>" in page
    assert re.search(r'id="rail-wrong" class="count"[^>]*>3<', page)
    assert "/favicon.svg?wrong=3" in page
    assert ">3</text>" in client.get("/favicon.svg?wrong=3").text
    assert "<text" not in client.get("/favicon.svg?wrong=<script>").text


def test_now_is_calm_when_nothing_is_wrong(world, client):
    for name in ("shop-checkout", "shop-search", "payments-api", "vpn-gateway"):
        client.delete(f"/api/v1/checks/{name}")
    for incident in client.get("/api/v1/incidents?open=true").json()["incidents"]:
        with world.store.transaction() as unit:
            found = unit.incidents.get(incident["id"])
            unit.incidents.apply([resolved(found, world.clock.now())])
    page = text(client.get("/").text)
    assert "Nothing is wrong. Last round 1" in page


def resolved(incident, now):
    return Change(event="resolved", incident=replace(incident, resolved=now), at=now, text="over")


def test_now_says_when_nobody_will_be_told(world, client):
    world.channels.clear()
    assert "Nobody will be told: no channel is configured." in text(client.get("/").text)


def test_an_empty_installation_is_told_its_first_steps(empty):
    assert "First steps Nothing is watched yet." in text(empty.client().get("/").text)


def test_who_watches_a_cluster_alone_is_not_told_first_steps(empty):
    empty.clusters["shop"] = ClusterSettings(name="shop", broker="redis://")
    assert "Nothing is wrong in 1 watched cluster." in text(empty.client().get("/").text)


@pytest.mark.parametrize(("every", "seconds"), [("10s", 10.0), ("${env:CHECK_EVERY}", 60.0)])
def test_a_check_whose_url_is_a_reference_is_shown_with_its_own_time_between_rounds(world, client, every, seconds):
    with world.store.transaction() as unit:
        scene.define(unit, "elsewhere", origin="file", url="${env:CHECK_URL}", every=every)
    assert client.get("/checks/elsewhere.json").json()["every"] == seconds


def test_what_cannot_be_reached_stands_on_every_page(world, client):
    world.problems.append("The broker cannot be reached.")
    assert "The broker cannot be reached." in text(client.get("/checks").text)


def test_a_store_that_fails_is_a_page_and_not_a_traceback(world, monkeypatch):
    def fail():
        raise StoreUnavailable("the store does not answer: connection refused")

    client = world.client()
    monkeypatch.setattr(world.store, "read", fail)
    answer = client.get("/checks")
    assert answer.status_code == 503
    assert "the store does not answer: connection refused" in answer.text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("state=down", {"payments-api", "shop-checkout"}),
        ("text=wiki", {"intranet-wiki"}),
        ("tag=team=customers&text=-01", {"customer-01"}),
        ("state=paused", {"nightly-report"}),
        ("text=nothing-like-it", set()),
    ],
)
def test_the_list_shows_what_the_url_asks_for(client, query, names):
    assert {row["name"] for row in client.get(f"/checks.json?{query}").json()["rows"]} == names
    assert client.get(f"/checks?{query}").status_code == 200


def test_a_long_list_is_paged_by_the_server(empty):
    client = empty.client()
    client.put("/api/v1/checks", json={f"check-{number:03}": {"url": "https://x.example"} for number in range(250)})
    first, second = (client.get(f"/checks.json?page={page}").json() for page in (1, 2))
    assert (len(first["rows"]), len(second["rows"]), first["total"]) == (200, 50, 250)
    assert "Page 1 of 2, 250 checks" in text(client.get("/checks").text)
    assert "?page=2" in client.get("/checks").text
    assert client.get("/checks?page=junk").status_code == 200


def test_a_check_explains_itself(client):
    page = text(client.get("/checks/shop-checkout").text)
    assert "Down for 4 min. TLS certificate expired, seen from 3 of 3 locations." in page
    assert "Certificate ■" in page or "expired ended" in page
    assert "kept" in page
    assert "CN=Example Issuing CA R3" in page
    assert "curl --verbose --max-time 10" in page


def test_an_answer_of_a_target_is_shown_as_text_only(client):
    page = client.get("/checks/shop-front").text
    assert "&lt;b&gt;not bold&lt;/b&gt;" in page
    assert "<b>not bold" not in page


def test_any_round_can_be_looked_at_again(client):
    data = client.get("/checks/shop-search.json").json()
    older = client.get(f"/checks/shop-search.json?round={data['round']['earlier']}").json()
    assert older["round"]["later"] == data["round"]["verdict"]["due"]
    oldest = client.get(f"/checks/shop-search?round={data['verdicts'][0]['due']}")
    assert oldest.status_code == 200
    assert client.get("/checks/shop-search?round=yesterday").status_code == 404


def test_availability_is_told_only_of_spans_that_there_is_data_of(world, client):
    telling = {item["days"]: item["telling"] for item in client.get("/checks/shop-front.json").json()["availability"]}
    assert telling == {1: True, 7: True, 30: True, 90: True}
    telling = {item["days"]: item["telling"] for item in client.get("/checks/customer-01.json").json()["availability"]}
    assert telling == {1: True, 7: False, 30: False, 90: False}
    assert '<dd title="There are rounds since 2025-11-20 only">' in client.get("/checks/customer-01").text


def test_a_round_that_was_started_by_hand_is_acknowledged_until_it_is_there(world, client):
    page = post(client, "/checks/shop-front/run").headers["location"]
    assert "A round was started. It is shown below as soon as it has closed." in text(client.get(page).text)
    world.clock.time += 120
    with world.store.transaction() as unit:
        scene.play(unit, "shop-front", scene.fine, world.clock.time, rounds=1)
    assert "A round was started. It has closed, and is shown below." in text(client.get(page).text)
    assert "A round was started" not in client.get("/checks/shop-front?asked=junk").text


def test_the_chart_follows_location_and_range(client):
    data = client.get("/checks/shop-search/phases.json?location=office&range=24h").json()
    assert (data["location"], data["range"], len(data["points"])) == ("office", "24h", 240)
    assert client.get("/checks/shop-search/phases.json?location=mars&range=1y").json()["location"] == "frankfurt"


def test_a_bad_column_of_the_matrix_is_told_as_the_locations_own_problem(world, client):
    for name in ("customer-01", "customer-02", "shop-front", "vpn-gateway"):
        with world.store.transaction() as unit:
            state = unit.rounds.state(name)
            unit.rounds.close([], [silenced(state, "office")])
    for row in client.get("/locations.json").json()["rows"]:
        if row["check"] not in ("customer-01", "customer-02", "shop-front", "vpn-gateway"):
            client.delete(f"/api/v1/checks/{row['check']}")
    page = text(client.get("/locations").text)
    assert "office answered for none of its 4 checks: is an actor running there?" in page


def test_the_actors_of_all_locations_are_shown_with_what_is_wrong_with_them(client):
    page = text(client.get("/locations").text)
    assert "fra-1.4711 working" in page
    assert "lon-1.812 wrong clock" in page
    assert "3.13 s fast" in page
    assert "nas.77 offline" in page
    assert "desk-3.2040 silent 4 min ago" in page
    assert "began within 12 ms (p50) and 81 ms (p95) of one another" in page


def test_a_location_that_was_offline_is_told_and_not_called_down(world, client):
    with world.store.transaction() as unit:
        state = unit.rounds.state("shop-front")
        places = tuple(
            replace(place, state="unknown", voted=False, offline=True) if place.location == "office" else place
            for place in state.last.places
        )
        unit.rounds.close([], [replace(state, last=replace(state.last, places=places))])
    page = text(client.get("/locations").text)
    assert "office was offline: its own control targets failed too, so it had no vote on 1 check." in page


def silenced(state, location):
    places = tuple(replace(place, voted=place.voted and place.location != location) for place in state.last.places)
    return replace(state, last=replace(state.last, places=places))


def test_an_incident_shows_what_happened_and_who_was_told(client):
    found = client.get("/api/v1/incidents?subject=shop-checkout").json()["incidents"][0]
    page = text(client.get(f"/incidents/{found['id']}").text)
    assert "Open for 3 min." in page
    assert "ops-mail firing sent" in page
    assert "1 try: 503 Service Unavailable, again in" in page


def test_what_was_found_in_a_cluster_shows_its_proof_as_it_is_and_its_page(world, client):
    found = Incident(
        id="found",
        kind="cluster",
        subject="shop/failures/shop.charge/KeyError",
        severity=Severity.WARNING,
        summary="task shop.charge failed with KeyError",
        opened=world.clock.now(),
        tags={"cluster": "shop", "task": "shop.charge"},
        link="/clusters/shop/tasks/id-1",
    )
    proof = "args: (1,)\nTraceback: <script>"
    with world.store.transaction() as unit:
        unit.incidents.apply([Change(event="opened", incident=found, at=found.opened, text=found.summary)])
        unit.incidents.note(Entry(incident=found.id, at=found.opened, event="note", text=proof))
    page = client.get("/incidents/found").text
    assert 'href="/clusters/shop/tasks/id-1"' in page
    assert "<pre>args: (1,)\nTraceback: &lt;script&gt;</pre>" in page
    now = text(client.get("/").text).casefold()
    assert "task shop.charge failed with keyerror" in now
    assert "1 found" in now
    assert client.get("/api/v1/incidents/found").json()["link"] == found.link
    assert "1 found" in client.get("/checks").text


def test_acknowledging_leads_back_and_is_shown(client):
    found = client.get("/api/v1/incidents?subject=shop-checkout").json()["incidents"][0]
    answer = post(client, f"/incidents/{found['id']}/acknowledge", next="/")
    assert answer.headers["location"] == "/"
    assert "✓ this machine" in text(client.get("/").text)


def test_who_acknowledged_first_stays_and_is_told_to_the_second(world, client):
    found = client.get("/api/v1/incidents?subject=shop-checkout").json()["incidents"][0]
    world.handlers.acknowledge(found["id"], Author("user", "otto"), None)
    world.clock.time += 86400
    again = post(client, f"/incidents/{found['id']}/acknowledge", next="/").headers["location"]
    page = text(client.get(again).text)
    assert "It was acknowledged before, by otto: that stands." in page
    assert page.count("by otto") == 3
    assert "2025-11-20 18:57:00 acknowledged by otto" in page


def test_what_is_done_at_this_machine_is_said_so(client):
    found = client.get("/api/v1/incidents?subject=shop-checkout").json()["incidents"][0]
    post(client, f"/incidents/{found['id']}/acknowledge")
    page = text(client.get(f"/incidents/{found['id']}").text)
    assert "Acknowledged from this machine" in page
    assert "18:57:00 acknowledged from this machine" in page
    assert "local" not in page


def test_a_list_of_a_state_that_is_none_says_which_there_are(client):
    answer = client.get("/checks?state=bogus")
    assert answer.status_code == 422
    assert "found &#34;bogus&#34;, allowed is one of degraded, down, new, paused, unknown, up" in answer.text


def test_the_buttons_of_a_check_do_what_they_say(client):
    assert post(client, "/checks/shop-front/pause").headers["location"] == "/checks/shop-front"
    assert "Paused. No rounds run until it is resumed." in text(client.get("/checks/shop-front").text)
    assert post(client, "/checks/shop-front/resume").status_code == 303
    assert post(client, "/checks/shop-front/run").status_code == 303
    assert post(client, "/checks/shop-front/delete").status_code == 409
    assert post(client, "/checks/shop-front/delete", confirm="yes").headers["location"] == "/checks"
    assert client.get("/checks/shop-front").status_code == 404


def test_a_check_is_added_by_the_form(client):
    answer = post(client, "/add", name="added", url="https://added.example", every="2m", tags="team=a\r\nb=c, d=e")
    assert answer.headers["location"] == "/checks/added"
    assert client.get("/api/v1/checks/added").json()["spec"] == {
        "url": "https://added.example", "every": "2m", "tags": {"team": "a", "b": "c, d=e"},
    }  # fmt: skip


def test_each_mistake_stands_beside_its_field_and_nothing_is_lost(client):
    answer = post(client, "/add", name="added", url="nonsense", every="soon", runbook="https://keep.example")
    assert answer.status_code == 422
    assert re.search(r'id="url" name="url"[^>]*aria-invalid="true"', answer.text)
    assert re.search(r'id="every"[^>]*aria-invalid="true"', answer.text)
    assert 'value="https://keep.example"' in answer.text
    assert "Nothing was saved. 2 mistakes to mend." in text(answer.text)
    assert client.get("/checks/added").status_code == 404


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("url", "", "Give a URL, such as"),
        ("name", "a b", "This cannot be a name. Allowed: a name of at most 100 letters"),
        ("tags", "team", 'The line "team" does not work. One a line: team=shop'),
        ("tags", "a=1\na=2", 'The line "a=2" does not work.'),
        ("headers", "Accept", 'The line "Accept" does not work. One a line: Name: value'),
        ("expect.status", "200-299, abc", "200-299, abc does not work. Allowed: status codes"),
    ],
)
def test_a_mistake_is_told_in_plain_words_at_its_field(client, field, typed, told):
    answer = post(client, "/add", **{"name": "added", "url": "https://x.example"} | {field: typed})
    page = answer.text.replace("&#34;", '"')
    assert answer.status_code == 422
    assert re.search(rf'id="{field}" name="{field}"[^>]*aria-invalid="true"', page)
    assert told in re.search(rf'id="{field}-hint"><span class="mistake">([^<]*)<', page)[1]


def shown_fields(client, name):
    """What a browser would send back of an edit form that nobody touched."""
    page = client.get(f"/checks/{name}/edit").text
    fields = re.findall(r'<input id="([\w.]+)" name="[\w.]+"[^>]*value="([^"]*)"', page)
    fields += re.findall(r'<textarea id="([\w.]+)"[^>]*>([^<]*)</textarea>', page)
    fields += [
        (key, re.search(r"<option selected>([^<]*)", inner)[1])
        for key, inner in re.findall(r'<select id="([\w.]+)"[^>]*>(.*?)</select>', page)
    ]
    return {key: html.unescape(value) for key, value in fields}


def test_saving_an_untouched_form_changes_nothing(client):
    spec = {
        "url": "https://x.example", "tags": {"a": "1, 2=3", "b": " x "}, "headers": {"A": "b: c"}, "quorum": 2,
        "verify": False, "user_agent": "me", "family": "6", "attempt_gap": "1s", "redirects": 0,
        "expect": {"json": {"$.ok": True, "$.n": "1"}, "header": {"Server": "x"}, "regex": "a|b", "status": [200]},
    }  # fmt: skip
    assert client.put("/api/v1/checks/rich", json=spec).status_code == 201
    assert "Also set, kept as they are: user_agent." in text(client.get("/checks/rich/edit").text)
    assert post(client, "/checks/rich/edit", **shown_fields(client, "rich")).status_code == 303
    assert client.get("/api/v1/checks/rich").json()["spec"] == spec
    assert post(client, "/checks/rich/edit", **shown_fields(client, "rich") | {"quorum": ""}).status_code == 303
    assert client.get("/api/v1/checks/rich").json()["spec"] == {k: v for k, v in spec.items() if k != "quorum"}


def test_a_name_that_is_taken_is_refused(client):
    assert (
        "There is a check named shop-front already."
        in post(client, "/add", name="shop-front", url="https://x.example").text
    )


def test_editing_keeps_secrets_that_were_not_touched(world, client):
    page = client.get("/checks/shop-front/edit").text
    fields = dict(re.findall(r'<input id="([\w.]+)" name="[\w.]+"[^>]*value="([^"]*)"', page))
    fields["headers"] = "Accept: application/json\r\nX-Api-Key: ********"
    assert post(client, "/checks/shop-front/edit", **fields | {"every": "3m"}).status_code == 303
    with world.store.read() as unit:
        spec = unit.checks.get("shop-front").spec
    assert spec["headers"] == {"Accept": "application/json", "X-Api-Key": "verysecret"}
    assert (spec["auth"], spec["every"]) == ({"basic": "probe:verysecret"}, "3m")


def test_a_check_of_a_file_offers_no_editing(client):
    assert client.get("/checks/from-file/edit").status_code == 409
    page = client.get("/checks/from-file").text
    assert "in a configuration file, read-only here" in text(page)
    assert "/checks/from-file/edit" not in page


def test_a_channel_says_which_routes_lead_there(client):
    assert "ops-mail webhook shop where team is shop" in text(client.get("/channels").text)


def test_testing_a_channel_tells_how_it_went(client):
    assert "ops-mail took the test notice." in text(post(client, "/channels/ops-mail/test").text)
    assert "ops-hook did not take the test notice: 503 Service Unavailable" in text(
        post(client, "/channels/ops-hook/test").text
    )


def test_a_test_that_went_otherwise_than_meant_says_so(world, client):
    world.remark = "the template of the body fails"
    assert "ops-mail took the test notice, but the template of the body fails" in text(
        post(client, "/channels/ops-mail/test").text
    )


def test_theme_and_keys_are_remembered(client):
    post(client, "/preferences", theme="dark", keys="off", next="//evil.example")
    page = client.get("/").text
    assert 'data-theme="dark"' in page
    assert 'data-keys="off"' in page


def test_what_is_not_there_is_a_page(client):
    answer = client.get("/nowhere")
    assert (answer.status_code, "There is no such page." in answer.text) == (404, True)
