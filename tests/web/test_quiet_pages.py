"""Silences, maintenance and routes, as people see and change them."""

import re
import sys
from datetime import datetime

import pytest

from nightowl.core.telling import Telling
from nightowl.core.values import Maintenance, User
from nightowl.web.bearer import digest

quiet = sys.modules["quiet_scene"]
NOW = 1_763_665_020.0
"""2025-11-20T18:57:00Z, a Thursday."""
PATHS = ["/silences", "/maintenance", "/routes"]


@pytest.fixture
def client(held):
    return held.client()


def text(source):
    """A page as it reads: tags gone, white space single, dashes as hyphens."""
    source = source.replace("\u2013", "-")
    apart = re.sub(r"</(td|th|tr|li|p|h\d|div|dt|dd)>", " ", source.partition("<main")[2])
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", apart))


def post(client, path, **data):
    token = re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get("/silences").text)[1]
    return client.post(path, data={"csrf": token} | data)


def silences(world):
    with world.store.read() as unit:
        return {each.id: each for each in unit.silences.page(0, 100)[0]}


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_drawn_with_its_data_and_linked(client, path):
    assert client.get(path).status_code == 200
    assert isinstance(client.get(f"{path}.json").json(), dict)
    top = {"/maintenance": "/silences", "/routes": "/channels"}.get(path, path)
    assert f'href="{top}"' in client.get("/").text
    assert f'<a href="{path}"' in client.get(top).text


@pytest.mark.parametrize("path", PATHS)
def test_every_page_says_what_to_do_where_there_is_nothing_yet(empty, path):
    empty.telling = Telling()
    page = text(empty.client().get(path).text)
    told = {
        "/silences": "Nothing is silenced.",
        "/maintenance": "[maintenance.deploys]",
        "/routes": "There is no route",
    }
    assert told[path] in page


def test_silences_are_listed_by_when_they_end_with_what_they_hold_back(client):
    page = text(client.get("/silences").text)
    assert re.search(r"active name is shop-search new index is being built 1 ann 1 1 h ago in 2 h End now", page)
    assert re.search(r"coming team is shop and severity is warning 2 this machine - in 5 h in 8 h Cancel", page)
    assert re.search(r"over kind is own 3 ben - 2 d ago 2 d ago", page)
    rows = client.get("/silences.json").json()["rows"]
    assert [(row["silence"]["id"], row["state"], row["holds"]) for row in rows] == [
        (1, "active", 1),
        (2, "coming", 0),
        (3, "over", 0),
    ]


def test_a_silence_is_made_for_a_time(held, client):
    answer = post(client, "/silences", match="team=shop\nseverity=>=warning", lasts="90m", comment=" index  is built ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/silences?made=4")
    made = silences(held)[4]
    assert made.match == {"team": "shop", "severity": ">=warning"}
    assert (made.start, made.end, made.comment) == (NOW, NOW + 5400, "index is built")
    assert "Silence #4 holds until it ends." in text(client.get("/silences?made=4").text)


def test_a_silence_is_made_until_a_moment_whatever_time_stands_beside_it(held, client):
    post(client, "/silences", match="name=*", lasts="2h", start="2025-11-20T20:00", end="2025-11-21T06:30")
    made = silences(held)[4]
    assert (made.start, made.end) == tuple(
        datetime.fromisoformat(moment).timestamp() for moment in ("2025-11-20T20:00+00:00", "2025-11-21T06:30+00:00")
    )


MISTAKES = [
    ({"match": "", "lasts": "2h"}, "Found nothing, allowed is at least one of severity,"),
    ({"match": "shop", "lasts": "2h"}, 'Found "shop", allowed is name=pattern, each name once.'),
    ({"match": "name=a\nname=b", "lasts": "2h"}, 'Found "name=b", allowed is name=pattern, each name once.'),
    ({"match": "severity=awful", "lasts": "2h"}, 'Found "awful", allowed is one of info, warning, critical'),
    ({"match": "name=*"}, "Found neither, allowed is when it ends"),
    ({"match": "name=*", "lasts": "soon"}, 'Found "soon", allowed is a time such as 2h or 90m.'),
    ({"match": "name=*", "end": "never"}, 'Found "never", allowed is a moment such as'),
    ({"match": "name=*", "end": "1e999"}, "allowed is"),
    ({"match": "name=*", "end": "nan"}, "allowed is"),
    ({"match": "name=*", "end": "2025-11-20T18:00"}, "after the start, allowed is from a second to a year"),
    ({"match": "name=*", "lasts": "2h", "comment": "x" * 2000}, "Found 2000 characters, allowed is at most 1000."),
]


def test_mistakes_are_said_beside_their_fields_and_what_was_typed_stays(held, client):
    for typed, wrong in MISTAKES:
        answer = post(client, "/silences", **typed)
        assert answer.status_code == 422, typed
        page = text(answer.text.replace("&#34;", '"').replace("&gt;", ">"))
        assert "Nothing was silenced. 1 mistake to mend." in page
        assert wrong in page
        assert all(value in answer.text for value in typed.values()), typed
    assert len(silences(held)) == 3


def test_a_silence_is_ended_once_and_the_audit_has_it(held, client):
    assert post(client, "/silences/1/end").headers["location"] == "/silences?ended=1"
    assert silences(held)[1].end == NOW
    again = post(client, "/silences/1/end")
    assert again.status_code == 409
    assert "Silence #1 has ended already" in text(again.text)
    assert post(client, "/silences/99/end").status_code == 404
    assert post(client, "/silences/x/end").status_code == 404
    assert "silence.end 1 match: name=shop-search" in text(client.get("/audit").text)


def test_a_viewer_sees_silences_and_has_no_buttons(held):
    with held.store.transaction() as unit:
        unit.users.put(User(name="vic", role="viewer", password_hash="$argon2id$none"))
        unit.users.open_session(digest("s"), "vic", NOW + 60)
    client = held.client(
        "http://owl.example:5555", is_loopback=False, listen_host="0.0.0.0", allowed_hosts=("owl.example",)
    )
    page = client.get("/silences", headers={"cookie": "nightowl_session=s; nightowl_visit=v"}).text
    assert "name is shop-search" in text(page)
    assert "End now" not in page
    assert 'id="new"' not in page


def test_an_incident_says_what_holds_it_back_and_leads_there(client):
    page = client.get("/incidents/held-basket").text
    assert "parent down Suppressed: parent down: router" in text(page)
    assert 'href="/incidents?show=open"' in page
    assert "Nobody: it opened without a word." in text(page)
    assert "maintenance Suppressed by maintenance night-shift until 2025-11-20 21:57:00 UTC" in text(
        client.get("/incidents/held-reports-db").text
    )
    flapping = text(client.get("/incidents/held-login").text)
    assert "flapping Suppressed: flapping (55% of the last 20 possible changes of state)" in flapping
    assert "by ann, 1 min ago, until 19:57:00 UTC" in flapping


def test_lists_mark_what_is_held_back(client):
    assert "open silenced shop-search" in text(client.get("/incidents?show=open").text)
    assert "open flapping login" in text(client.get("/incidents?show=open").text)
    assert "ann, until 19:57:00 UTC" in text(client.get("/incidents?show=open").text)
    assert "shop-search warning silenced" in text(client.get("/").text)


def test_the_button_of_an_incident_fills_the_form_in_and_the_silence_means_it_alone(held, client):
    with held.store.transaction() as unit:
        held_back = quiet.opened('odd[1]*{a="b"}', None, NOW)
        unit.incidents.apply([held_back])
    page = client.get(f"/incidents/{held_back.incident.id.replace('{', '%7B')}").text
    link = re.search(r'href="(/silences\?[^"]*)#new"', page)[1].replace("&amp;", "&")
    form = client.get(link).text
    typed = re.search(r'<textarea id="match"[^>]*>([^<]*)</textarea>', form)[1].replace("&#34;", '"')
    assert typed == 'name=odd[[]1][*]{a="b"}'
    assert 'name="lasts" aria-describedby="lasts-hint" value="2h"' in form
    post(client, "/silences", match=typed, lasts="2h")
    assert silences(held)[4].match == {"name": 'odd[[]1][*]{a="b"}'}


def test_maintenance_is_told_by_the_clocks_there_and_by_the_readers(client):
    page = text(client.get("/maintenance?zone=Asia/Tokyo").text)
    assert "deploys Tuesdays and Thursdays at 22:00 for 1 h, Europe/Paris team is shop" in page
    assert "on night-shift every day at 18:00 for 10 h, UTC; ends in 9 h" in page
    assert "deploys Thu 2025-11-20 22:00-23:00 CET Europe/Paris Fri 2025-11-21 06:00-07:00 JST 1 h" in page
    assert "night-shift every day at 18:00 for 10 h, UTC; ends in 9 h 3 min name is nobody 1" in page


def test_a_zone_that_is_none_is_said_and_utc_stands_in(client):
    answer = client.get("/maintenance?zone=<b>Mars")
    assert answer.status_code == 200
    assert "&lt;b&gt;Mars is no time zone: one is called such as Europe/Paris. The times here are UTC." in answer.text
    assert client.get("/maintenance.json?zone=../../etc/passwd").json()["zone"] == "UTC"


def test_days_on_which_clocks_change_are_marked_in_the_calendar(held):
    held.clock.time = datetime.fromisoformat("2026-03-25T12:00+00:00").timestamp()
    night = Maintenance(name="night", days=(6,), start=1.5 * 3600, duration=3600.0, timezone="Europe/Paris")
    held.telling = Telling(maintenance=(night,))
    page = text(held.client().get("/maintenance?zone=Europe/Paris").text)
    assert "03-29 clocks go forward 1 h 01:30-03:30 night" in page
    assert "Sun 2026-03-29 01:30 CET-03:30 CEST Europe/Paris" in page
    assert "on Sun 2026-03-29 clocks go forward 1 h" in page


def test_routes_are_listed_with_who_hears_when(client):
    page = text(client.get("/routes").text)
    assert "shop team is shop ops-mail, ops-hook 10 s those of one team, tier every 4 h after 15 min to boss" in page
    assert "critical severity is critical pager no each alone every 1 h no" in page


def test_where_would_this_go_is_told_for_a_check_as_it_is_defined(client):
    page = text(client.get("/routes?name=shop-front").text)
    assert "check shop-front critical team=shop tier=1 that opens now goes to ops-mail, ops-hook and pager." in page
    assert "ops-mail at once others of team=shop, tier=1 every 4 h shop" in page
    assert "boss 15 min after the first notice, unless acknowledged" in page
    assert "shop matches" in page


def test_what_is_asked_for_counts_before_what_is_defined(client):
    found = client.get("/routes.json?name=shop-front&severity=info&tags=team=billing,%20tier=2&kind=own").json()
    assert found["asked"] | {"at": 0} == {
        "name": "shop-front", "kind": "own", "severity": "info", "tags": {"team": "billing", "tier": "2"}, "at": 0,
    }  # fmt: skip
    assert found["found"]["routes"] == []


def test_what_suppresses_it_now_is_told(client):
    page = text(client.get("/routes?name=shop-search").text)
    assert "opens without a word, and would go to ops-mail, ops-hook and pager." in page
    assert "silenced Suppressed by silence #1 until 2025-11-20 20:57:00 UTC. If it is still open when that" in page


def test_where_nobody_would_be_told_it_says_so(client):
    page = text(client.get("/routes?name=anything&severity=warning").text)
    assert "goes nowhere: nobody would be told" in page


def test_nonsense_is_answered_and_never_an_error(client):
    long = "x" * 5000
    for query in ("name=x&severity=awful", "name=x&kind=mine", "tags=%3D", "tags=a", f"name={long}", "tags=a=b,a=c"):
        assert client.get(f"/routes?{query}").status_code in (200, 422), query
