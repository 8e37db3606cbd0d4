"""The API, as programs use it."""

from datetime import UTC, datetime

import pytest

SPEC = {"url": "https://new.example/", "every": "2m", "expect": {"body": "hello"}}


def test_checks_are_listed_worst_first_and_filtered(client):
    listed = client.get("/api/v1/checks").json()
    assert listed["total"] == 22
    assert [check["state"] for check in listed["checks"][:4]] == ["down", "down", "degraded", "unknown"]
    down = client.get("/api/v1/checks", params={"state": "down", "text": "checkout"}).json()
    assert [check["name"] for check in down["checks"]] == ["shop-checkout"]
    paged = client.get("/api/v1/checks", params={"offset": 2, "limit": 1}).json()
    assert [check["name"] for check in paged["checks"]] == ["shop-search"]


def test_a_check_says_in_a_sentence_why_it_is_as_it_is(client):
    check = client.get("/api/v1/checks/shop-checkout").json()
    assert check["sentence"] == "TLS certificate expired, seen from 3 of 3 locations."
    assert datetime.fromisoformat(check["since"]).tzinfo == UTC
    assert check["last_round"]["places"][0]["location"] == "frankfurt"


def test_putting_a_check_is_idempotent(client):
    first = client.put("/api/v1/checks/new", json=SPEC)
    assert first.status_code == 201
    assert first.json()["spec"] == SPEC
    again = client.put("/api/v1/checks/new", json=SPEC)
    assert again.status_code == 200
    assert again.json() == first.json()


def test_many_checks_are_put_all_or_none(client):
    good = {f"bulk-{number}": SPEC for number in range(3)}
    done = client.put("/api/v1/checks", json=good | {"shop-front": SPEC}).json()
    assert done == {"created": ["bulk-0", "bulk-1", "bulk-2"], "replaced": ["shop-front"]}
    bad = client.put("/api/v1/checks", json={"fine": SPEC, "one": {"url": "nonsense"}, "two": {"every": "soon"}})
    assert bad.status_code == 422
    assert {mistake["key"].split(".")[1] for mistake in bad.json()["mistakes"]} == {"one", "two"}
    assert client.get("/api/v1/checks/fine").status_code == 404


def test_every_mistake_of_a_definition_is_named_at_once(client):
    answer = client.put("/api/v1/checks/new", json={"url": "https://x.example", "every": "soon", "attemps": 3})
    assert answer.status_code == 422
    assert answer.json()["error"] == "The definition has mistakes."
    assert {mistake["key"] for mistake in answer.json()["mistakes"]} == {"check.new.every", "check.new.attemps"}
    assert set(answer.json()["mistakes"][0]) == {"file", "key", "found", "allowed"}


def test_a_check_may_depend_on_what_is_there_but_in_no_circle(client):
    url = {"url": "https://x.example/"}
    assert client.put("/api/v1/checks/new", json=url | {"depends_on": ["shop-checkout"]}).status_code == 201
    unknown = client.put("/api/v1/checks/new", json=url | {"depends_on": ["router"]})
    assert [mistake["found"] for mistake in unknown.json()["mistakes"]] == ['"router"']
    both = {"router": url | {"depends_on": ["new"]}, "new": url | {"depends_on": ["router"]}}
    circle = client.put("/api/v1/checks", json=both)
    assert circle.status_code == 422
    assert circle.json()["mistakes"][0]["found"].startswith("a circle: ")
    assert client.get("/api/v1/checks/router").status_code == 404


def test_mistakes_of_a_request_have_the_same_shape(client):
    answer = client.get("/api/v1/checks", params={"limit": "many"})
    assert answer.status_code == 422
    assert answer.json()["mistakes"] == [{"file": "", "key": "limit", "found": "'many'", "allowed": "a whole number"}]


@pytest.mark.parametrize(
    ("body", "key", "words"),
    [
        ({"lasts": "soon"}, "lasts", "a number"),
        ({"lasts": 1}, "lasts", "a number of at least 60"),
        ([], "body", "an object"),
    ],
)
def test_what_a_body_may_hold_is_said_in_plain_words(client, body, key, words):
    answer = client.post("/api/v1/incidents/any/acknowledge", json=body)
    assert (answer.status_code, answer.json()["mistakes"][0]["allowed"]) == (422, words)
    assert answer.json()["mistakes"][0]["key"] == key


def test_an_unknown_state_is_refused_with_those_that_there_are(client):
    answer = client.get("/api/v1/checks", params={"state": "bogus"})
    assert answer.status_code == 422
    assert answer.json()["error"] == (
        'state: found "bogus", allowed is one of degraded, down, new, paused, unknown, up.'
    )


def test_broken_json_says_where_it_is_broken(client):
    answer = client.put(
        "/api/v1/checks/new", content=b'{"url": "x",\n  "every" 1}', headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422
    (mistake,) = answer.json()["mistakes"]
    assert (mistake["key"], mistake["allowed"]) == ("body", "JSON")
    assert "line 2, column 11" in mistake["found"]


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/checks/none", "/api/v1/incidents/none"])
def test_what_is_not_there_is_said_in_the_same_shape(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["mistakes"] == []
    assert answer.json()["error"]


def test_what_a_file_defines_is_read_only(client):
    for method, path in (("PUT", "/api/v1/checks/from-file"), ("DELETE", "/api/v1/checks/from-file")):
        answer = client.request(method, path, json=SPEC if method == "PUT" else None)
        assert answer.status_code == 409
        assert answer.json()["error"] == "from-file is defined in a configuration file: change it there."


def test_secrets_are_masked_and_survive_being_sent_back(client, world):
    spec = client.get("/api/v1/checks/shop-front").json()["spec"]
    assert "verysecret" not in str(spec)
    assert client.put("/api/v1/checks/shop-front", json=spec | {"every": "2m"}).status_code == 200
    with world.store.read() as unit:
        stored = unit.checks.get("shop-front").spec
    assert stored["auth"]["basic"] == "probe:verysecret"
    assert stored["url"].endswith("token=verysecret")
    assert stored["every"] == "2m"


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "https://evil.example/"},
        {"url": "http://shop-front.example/"},
        {"url": "https://shop-front.example:444/"},
        {"headers": {"X-Other-Key": "********"}},
        {"auth": {"bearer": "********"}},
    ],
)
def test_a_masked_secret_is_kept_only_where_it_goes_where_it_went(client, world, changes):
    spec = client.get("/api/v1/checks/shop-front").json()["spec"]
    answer = client.put("/api/v1/checks/shop-front", json=spec | changes)
    assert answer.status_code == 422
    assert "is kept only while scheme, host and port of the URL stay" in answer.text
    with world.store.read() as unit:
        assert unit.checks.get("shop-front").spec["auth"] == {"basic": "probe:verysecret"}


def test_the_path_of_a_url_may_change_and_its_secrets_stay(client, world):
    spec = client.get("/api/v1/checks/shop-front").json()["spec"]
    url = "https://shop-front.example/other?a=1&token=********"
    assert client.put("/api/v1/checks/shop-front", json=spec | {"url": url}).status_code == 200
    with world.store.read() as unit:
        assert unit.checks.get("shop-front").spec["url"] == "https://shop-front.example/other?a=1&token=verysecret"


def test_what_is_said_to_a_target_is_not_given_back(client, world):
    client.put("/api/v1/checks/new", json={"url": "http://x.example/", "method": "POST", "body": "verysecret"})
    assert client.get("/api/v1/checks/new").json()["spec"]["body"] == "********"
    for page in ("/checks/new", "/checks/new.json", "/checks/new/edit"):
        assert "verysecret" not in client.get(page).text


def test_a_paused_check_rests_until_it_is_resumed(client):
    assert client.post("/api/v1/checks/shop-front/pause").json()["state"] == "paused"
    assert client.post("/api/v1/checks/shop-front/run").status_code == 409
    assert client.post("/api/v1/checks/shop-front/pause", json={"paused": False}).json()["state"] == "up"


def test_even_a_check_of_a_file_may_rest(client):
    assert client.post("/api/v1/checks/from-file/pause").json()["paused"] is True
    assert client.post("/api/v1/checks/from-file/pause", json={"paused": False}).json()["paused"] is False


def test_running_now_asks_the_leader(client, world):
    with world.store.read() as unit:
        before = unit.feed.last()
    assert client.post("/api/v1/checks/shop-front/run").status_code == 202
    with world.store.read() as unit:
        assert [(item.kind, item.subject) for item in unit.feed.after(before, 10)] == [("request", "run:shop-front")]


def test_a_deleted_check_is_gone_with_its_rounds(client):
    assert client.delete("/api/v1/checks/shop-front").status_code == 204
    assert client.get("/api/v1/checks/shop-front").status_code == 404
    assert client.get("/api/v1/checks/shop-front/rounds").status_code == 404


def test_a_round_has_all_its_attempts(client):
    rounds = client.get("/api/v1/checks/shop-search/rounds", params={"limit": 2}).json()["rounds"]
    assert len(rounds) == 2
    one = client.get(f"/api/v1/checks/shop-search/rounds/{rounds[-1]['due']}").json()
    assert [len(outcome["attempts"]) for outcome in one["outcomes"]] == [3, 3, 3]
    assert one["outcomes"][0]["kept"] == 1
    assert one["outcomes"][0]["attempts"][1]["phases"]["first_byte"] > 2
    assert client.get("/api/v1/checks/shop-search/rounds/2020-01-01T00:00:00Z").status_code == 404


def test_rounds_can_be_asked_for_by_a_window(client):
    rounds = client.get("/api/v1/checks/shop-search/rounds").json()["rounds"]
    window = {"from": rounds[10]["due"], "to": rounds[13]["due"]}
    found = client.get("/api/v1/checks/shop-search/rounds", params=window).json()["rounds"]
    assert [each["due"] for each in found] == [each["due"] for each in rounds[11:14]]


def test_an_incident_is_acknowledged_by_whom_it_says(client):
    incident = client.get("/api/v1/incidents", params={"open": True, "subject": "shop-checkout"}).json()["incidents"][0]
    done = client.post(f"/api/v1/incidents/{incident['id']}/acknowledge").json()
    assert done["acknowledged_by"] == "local"
    assert [entry["event"] for entry in done["timeline"]][-1] == "acknowledged"
    assert {(notice["channel"], notice["status"]) for notice in done["notices"]} >= {("ops-mail", "sent")}


def test_a_channel_is_tested_and_says_what_went_wrong(client, world):
    routes = [{"name": "shop", "match": {"team": "shop"}}]
    assert client.get("/api/v1/channels").json() == [
        {"name": name, "kind": "webhook", "routes": routes, "escalations": []} for name in ("ops-hook", "ops-mail")
    ]
    assert client.post("/api/v1/channels/ops-mail/test").status_code == 204
    failed = client.post("/api/v1/channels/ops-hook/test")
    assert (failed.status_code, failed.json()["error"]) == (502, "503 Service Unavailable")
    assert client.post("/api/v1/channels/none/test").status_code == 404
    assert world.tested == ["ops-mail", "ops-hook"]


def test_locations_say_how_far_they_reach(client):
    office = client.get("/api/v1/locations").json()[2]
    assert (office["name"], office["reach"], office["labels"], office["control"]) == ("office", "private", {}, [])


def test_locations_say_who_works_there(client):
    _, london, office = client.get("/api/v1/locations").json()
    assert [(actor["name"], actor["state"], actor["skew"]) for actor in london["actors"]] == [
        ("lon-1.812", "clock", 3.127)
    ]
    assert [actor["state"] for actor in office["actors"]] == ["silent", "offline"]


def test_series_are_given_by_window_and_labels(client):
    asked = {"metric": "nightowl_queue_length", "where": 'location=a"b\\c'}
    (series,) = client.get("/api/v1/series", params=asked).json()
    assert series["labels"] == {"location": 'a"b\\c'}
    assert [value for _, value in series["samples"]] == [3.0]
    assert client.get("/api/v1/series", params=asked | {"from": "2020-01-01T00:00:00Z"}).status_code == 422
    assert client.get("/api/v1/series", params=asked | {"where": "location"}).status_code == 422


def test_the_description_of_the_api_is_complete(client):
    document = client.get("/api/v1/openapi.json").json()
    operations = [(path, method, one) for path, methods in document["paths"].items() for method, one in methods.items()]
    assert len(operations) >= 16
    assert all(one["summary"] and one["tags"] for _, _, one in operations)
    assert all(path.startswith("/api/v1/") for path, _, _ in operations)


def test_a_reload_takes_effect_or_says_why_not(client, world):
    assert client.post("/api/v1/configuration/reload").status_code == 204
    world.refused = 'nightowl.toml: check.shop.every: found "soon"'
    answer = client.post("/api/v1/configuration/reload")
    assert answer.status_code == 409
    assert "the old one stays in force" in answer.json()["error"]
    assert "check.shop.every" in answer.json()["error"]


def test_the_kind_of_a_check_is_that_of_its_scheme_however_it_is_written(client):
    assert client.put("/api/v1/checks/loud", json={"url": "HTTPS://loud.example/"}).status_code in (200, 201)
    assert client.get("/checks/loud.json").json()["row"]["kind"] == "https"
