"""Silences and the test of routes, as programs use them."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from nightowl.core.telling import Telling
from nightowl.core.values import Change, Escalation, Maintenance, Route, Suppression
from nightowl.ports import AuditFilter, StoredCheck, StoredRule
from nightowl.web.words import iso


def make(client, **keys):
    return client.post("/api/v1/silences", json={"match": {"team": "shop"}, "lasts": 7200} | keys)


def listed(client, **keys):
    return [(each["id"], each["state"]) for each in client.get("/api/v1/silences", params=keys).json()["silences"]]


def audit(world):
    with world.store.read() as unit:
        entries, _ = unit.audit.page(AuditFilter(), 0, 10)
    return [(entry.what, entry.subject, entry.detail) for entry in entries if entry.what.startswith("silence.")]


def test_a_silence_is_made_listed_and_ended(world, client):
    made = make(client, comment="moving  house")
    assert made.status_code == 201
    silence = made.json()
    number = silence["id"]
    assert (silence["state"], silence["match"], silence["comment"]) == ("active", {"team": "shop"}, "moving house")
    start, end = (datetime.fromisoformat(silence[key]) for key in ("start", "end"))
    assert (start.timestamp(), end - start) == (world.clock.now(), timedelta(hours=2))
    assert client.get(f"/api/v1/silences/{number}").json() == silence
    assert listed(client) == [(number, "active")]
    world.clock.time += 60
    assert client.post(f"/api/v1/silences/{number}/end").json()["state"] == "ended"
    assert listed(client) == []
    assert listed(client, ended=True) == [(number, "ended")]
    assert [what for what, _, _ in audit(world)] == ["silence.end", "silence.add"]
    assert audit(world)[-1][2].startswith("match: team=shop\nfrom: ")


def test_a_silence_may_begin_later(world, client):
    tomorrow = datetime.fromtimestamp(world.clock.now(), UTC) + timedelta(days=1)
    keys = {"start": tomorrow.isoformat(), "end": (tomorrow + timedelta(hours=1)).isoformat(), "lasts": None}
    silence = make(client, **keys).json()
    assert silence["state"] == "pending"
    world.clock.time += 86400
    assert listed(client) == [(silence["id"], "active")]
    world.clock.time += 3600
    assert listed(client) == []


def test_the_first_to_end_is_listed_first_and_the_list_is_paged(client):
    late, soon = (make(client, lasts=seconds).json()["id"] for seconds in (7200, 60))
    assert listed(client) == [(soon, "active"), (late, "active")]
    assert listed(client, offset=1, limit=1) == [(late, "active")]
    assert client.get("/api/v1/silences", params={"limit": 1}).json()["total"] == 2


@pytest.mark.parametrize(
    ("keys", "mistaken"),
    [
        ({"lasts": None}, {"end"}),
        ({"end": "2125-01-01T00:00:00Z"}, {"end"}),
        ({"lasts": None, "end": "2025-11-20T18:56:00Z"}, {"end"}),
        ({"lasts": None, "end": "2025-11-20T20:00:00"}, {"end"}),
        ({"lasts": 400 * 86400}, {"end"}),
        ({"lasts": -5}, {"lasts"}),
        ({"match": {}}, {"match"}),
        ({"match": {"team": ""}}, {"match.team"}),
        (
            {"match": {"severity": "bad", "kind": "mine"}, "comment": "x" * 2000},
            {"match.severity", "match.kind", "comment"},
        ),
        ({"match": {str(number): "x" for number in range(30)}}, {"match"}),
        ({"matches": {"a": "b"}}, {"matches"}),
    ],
)
def test_a_silence_must_have_an_end_and_match_something(client, keys, mistaken):
    answer = make(client, **keys)
    assert answer.status_code == 422
    assert {mistake["key"] for mistake in answer.json()["mistakes"]} == mistaken
    assert listed(client) == []


def test_one_that_is_not_there_or_over_cannot_be_ended(client):
    assert client.get("/api/v1/silences/7").status_code == 404
    assert client.post("/api/v1/silences/7/end").status_code == 404
    number = make(client).json()["id"]
    assert client.post(f"/api/v1/silences/{number}/end").status_code == 200
    again = client.post(f"/api/v1/silences/{number}/end")
    assert again.status_code == 409
    assert f"Silence #{number} has ended already" in again.json()["error"]


# -- where would this go? ----------------------------------------------------------------------------------------------


@pytest.fixture
def routed(world):
    night = Maintenance(name="night", start=18 * 3600.0, duration=7200.0, days=tuple(range(7)), match={"team": "db"})
    boss = Escalation(900.0, ("boss", "ops"))
    routes = (
        Route(
            name="shop", match={"team": "shop"}, to=("ops",), group_by=("team", "region"), wait=30.0, escalate=(boss,)
        ),
        Route(name="critical", match={"severity": "critical"}, to=("pager", "ops"), repeat=600.0),
    )
    world.telling = Telling(routes=routes, maintenance=(night,))
    return world.client()


def where(client, **keys):
    answer = client.get("/api/v1/routes/test", params=keys)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_test_of_routes_says_who_would_hear_when_and_together_with_whom(routed):
    found = where(routed, name="search", severity="warning", tag="team=shop")
    assert found["routes"] == ["shop"]
    assert found["channels"] == [
        {
            "channel": "ops",
            "routes": ["shop"],
            "after": 30.0,
            "group": {"team": "shop", "region": ""},
            "repeat": 14400.0,
        }
    ]
    assert [(each["channel"], each["after"]) for each in found["escalation"]] == [("boss", 900.0)]
    assert (found["suppression"], found["suppressed"]) == (None, "")
    worse = where(routed, name="search", severity="critical", tag="team=shop")
    assert [(each["channel"], each["after"], each["repeat"]) for each in worse["channels"]] == [
        ("ops", 0.0, 600.0),
        ("pager", 0.0, 600.0),
    ]


def test_a_test_of_routes_says_what_holds_back_now_and_then(world, routed):
    number = make(routed).json()["id"]
    found = where(routed, name="search", tag="team=shop")
    assert found["suppression"]["kind"] == "silence"
    assert found["suppressed"].startswith(f"suppressed by silence #{number} until ")
    later = iso(world.clock.now() + 7200)
    assert where(routed, name="search", tag="team=shop", at=later)["suppression"] is None
    assert where(routed, name="search", tag="team=db")["suppressed"].startswith(
        "suppressed by maintenance night until "
    )
    assert where(routed, name="search", tag="team=db", at=later)["suppression"] is None


def test_a_test_of_routes_knows_what_depends_on_what(world, routed):
    spec = {"url": "http://search/", "depends_on": ["shop-checkout"], "every": "10s"}
    with world.store.transaction() as unit:
        unit.checks.put(StoredCheck(name="search", origin="stored", paused=False, spec=spec))
    found = where(routed, name="search")
    assert found["parents"] == ["shop-checkout"]
    assert found["suppressed"] == "suppressed: parent down: shop-checkout"
    assert found["channels"][0]["after"] > 0


def made_rule(world, name, **more):
    spec = {"metric": "nightowl.check.duration", "above": 2.0, "for": "1m", **more}
    with world.store.transaction() as unit:
        unit.rule_definitions.put([StoredRule(name=name, origin="stored", spec=spec)])


def test_a_test_of_routes_takes_what_is_not_said_from_the_rule_of_that_name(world, routed):
    made_rule(world, "payments-slow", severity="info", tags={"team": "shop"})
    found = where(routed, name='payments-slow{check="front"}')
    assert found["asked"] | {"at": ""} == {
        "name": 'payments-slow{check="front"}', "kind": "rule", "severity": "info",
        "tags": {"check": "front", "team": "shop"}, "at": "", "source": "rule",
    }  # fmt: skip
    assert found["routes"] == ["shop"]
    assert where(routed, name="payments-slow")["asked"]["tags"] == {"team": "shop"}
    given = where(routed, name="payments-slow", kind="own", severity="critical", tag="team=db")["asked"]
    assert (given["kind"], given["severity"], given["tags"]) == ("own", "critical", {"team": "db"})
    assert where(routed, name="payments-slow", kind="nodata")["asked"]["severity"] == "warning"


def test_page_and_api_say_the_same_of_a_name(world, routed):
    made_rule(world, "payments-slow", severity="info", tags={"team": "shop"})
    made_rule(world, "odd", metric="")
    for name in ('payments-slow{check="front"}', "payments-slow", "odd", "payments-slow{", "shop-front", "nothing"):
        shown = routed.get("/routes.json", params={"name": name}).json()
        answered = where(routed, name=name)
        for key in ("kind", "severity", "tags"):
            assert shown["asked"][key] == answered["asked"][key], name
        assert shown["source"] == answered["asked"]["source"], name
        assert shown["found"]["routes"] == answered["routes"], name


def test_a_name_that_nothing_has_is_said(routed):
    asked = where(routed, name="nothing")["asked"]
    assert (asked["kind"], asked["severity"], asked["source"]) == ("check", "critical", "none")
    assert "No check and no rule is called nothing" in routed.get("/routes?name=nothing").text
    assert "No check and no rule is called" not in routed.get("/routes?name=shop-front").text


def test_a_test_of_routes_wants_tags_as_names_and_values(routed):
    answer = routed.get("/api/v1/routes/test", params={"tag": "shop"})
    assert answer.status_code == 422
    assert answer.json()["mistakes"][0]["allowed"] == "name=value"


def test_a_channel_lists_the_routes_that_reach_it_at_once_and_by_escalation(world, routed):
    world.channels = ["ops", "boss", "nobody"]
    boss, nobody, ops = routed.get("/api/v1/channels").json()
    assert [route["name"] for route in ops["routes"]] == ["shop", "critical"]
    assert ops["escalations"] == boss["routes"] == nobody["escalations"] == []
    assert boss["escalations"] == [{"route": {"name": "shop", "match": {"team": "shop"}}, "after": 900.0}]
    page = routed.get("/channels").text
    assert "after 15 min by" in page
    assert page.count("it is never told") == 1


# -- acknowledging for a while -----------------------------------------------------------------------------------------


def open_incident(client):
    return next(
        each for each in client.get("/api/v1/incidents?open=true").json()["incidents"] if not each["acknowledged"]
    )


def test_an_acknowledgement_may_last_for_a_while(world, client):
    ident = open_incident(client)["id"]
    taken = client.post(f"/api/v1/incidents/{ident}/acknowledge", json={"lasts": 3600}).json()
    assert datetime.fromisoformat(taken["acknowledged_until"]).timestamp() == world.clock.now() + 3600
    assert taken["timeline"][-1]["text"].endswith("until 2025-11-20 19:57:00 UTC")
    longer = client.post(f"/api/v1/incidents/{ident}/acknowledge").json()
    assert longer["acknowledged_until"] is None
    assert client.post(f"/api/v1/incidents/{ident}/acknowledge", json={"lasts": 1}).status_code == 422


def test_the_button_takes_care_for_as_long_as_was_chosen(world, client):
    ident = open_incident(client)["id"]
    page = client.get(f"/incidents/{ident}").text
    assert "<option>4h</option>" in page
    csrf = page.split('name="csrf" value="')[1].split('"')[0]
    client.post(f"/incidents/{ident}/acknowledge", data={"csrf": csrf, "for": "4h"})
    with world.store.read() as unit:
        assert unit.incidents.get(ident).acknowledged_until == world.clock.now() + 4 * 3600
    assert client.post(f"/incidents/{ident}/acknowledge", data={"csrf": csrf, "for": "soon"}).status_code == 409


def test_an_acknowledgement_is_given_again_for_another_time(world, client):
    ident = open_incident(client)["id"]
    csrf = client.get(f"/incidents/{ident}").text.split('name="csrf" value="')[1].split('"')[0]
    for chosen, seconds in (("4h", 14400), ("10m", 600)):
        world.clock.time += 60
        page = client.get(f"/incidents/{ident}").text
        assert f"<option>{chosen}</option>" in page
        client.post(f"/incidents/{ident}/acknowledge", data={"csrf": csrf, "for": chosen})
        with world.store.read() as unit:
            assert unit.incidents.get(ident).acknowledged_until == world.clock.now() + seconds
    page = client.get(f"/incidents/{ident}").text
    assert "Acknowledge again" in page
    told = page.split('id="timeline"')[1].split("</ol>")[0]
    assert "Until 2025-11-20 19:09:00 UTC" in told, told


def test_an_incident_says_what_holds_it_back(world, client):
    number = make(client, match={"name": "*"}).json()["id"]
    ident = open_incident(client)["id"]
    with world.store.transaction() as unit:
        incident = unit.incidents.get(ident)
        found = unit.silences.get(number)
    held = replace(incident, suppressed=Suppression("silence", str(number), found.end))
    with world.store.transaction() as unit:
        unit.incidents.apply([Change(event="suppressed", incident=held, at=world.clock.now(), text="held back")])
    assert client.get(f"/api/v1/incidents/{ident}").json()["suppressed"]["by"] == str(number)
    assert f"Suppressed by silence #{number} until" in client.get(f"/incidents/{ident}").text
