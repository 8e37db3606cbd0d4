import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from nightowl.core.routing import announces, channels_for, matches, notices, reminders, trial
from nightowl.core.values import Change, Incident, Notice, Route, Severity

URL = "https://owl.example/"
HOUR = 3600.0
SHOP = Incident(
    id="1f",
    kind="check",
    subject="shop-eu",
    severity=Severity.WARNING,
    summary="shop-eu is down: connection refused",
    opened=1000.0,
    tags={"team": "shop", "tier": "1"},
)
OWN = Incident(
    id="2f", kind="own", subject="channel/ops", severity=Severity.CRITICAL, summary="Notices are lost.", opened=1000.0
)
ALL = Route(name="all", to=("ops", "mail"))


def change(event: str, incident: Incident = SHOP) -> Change:
    return Change(event=event, incident=incident, at=1000.0, text=event)


def steps(made: list[Notice]) -> list[tuple[str, str]]:
    return [(notice.step, notice.channel) for notice in made]


@pytest.mark.parametrize(
    ("match", "holds"),
    [
        ({}, True),
        ({"severity": "warning"}, True),
        ({"severity": "critical"}, False),
        ({"severity": ">=info"}, True),
        ({"severity": ">= warning"}, True),
        ({"severity": ">=critical"}, False),
        ({"severity": ">=loud"}, False),
        ({"severity": "[wc]*"}, True),
        ({"name": "shop-*"}, True),
        ({"name": "SHOP-*"}, False),
        ({"name": "shop"}, False),
        ({"kind": "check"}, True),
        ({"kind": "own"}, False),
        ({"team": "shop"}, True),
        ({"team": "s?op", "tier": "[12]"}, True),
        ({"team": "shop", "tier": "2"}, False),
        ({"region": "*"}, False),
    ],
)
def test_a_route_matches_when_all_that_it_asks_for_holds(match: dict[str, str], holds: bool) -> None:
    assert matches(Route(name="r", match=match), SHOP) is holds


def test_a_tag_cannot_pose_as_the_severity_of_an_incident() -> None:
    posing = replace(SHOP, tags={"severity": "critical"})
    assert not matches(Route(name="r", match={"severity": "critical"}), posing)


def test_channels_of_all_matching_routes_come_once_each_in_order() -> None:
    routes = [
        Route(name="shop", match={"team": "shop"}, to=("mail", "ops")),
        Route(name="bank", match={"team": "bank"}, to=("bank",)),
        Route(name="rest", to=("pager", "mail")),
    ]
    assert channels_for(SHOP, routes) == ("mail", "ops", "pager")


def test_an_incident_about_a_channel_goes_to_the_others_only() -> None:
    assert channels_for(OWN, [ALL]) == ("mail",)


def test_an_incident_about_a_channel_reaches_somebody_even_where_no_route_is_meant_for_it() -> None:
    routes = [Route(name="shop", match={"team": "shop"}, to=("ops", "pager"))]
    assert channels_for(OWN, routes) == ("pager",)


def test_a_check_named_like_a_channel_incident_is_routed_like_any_check() -> None:
    assert channels_for(replace(OWN, kind="check"), [ALL]) == ("ops", "mail")


def test_opening_fires_at_the_routed_channels() -> None:
    [first, second] = notices(change("opened"), [ALL], [], URL, 1001.0)
    assert first == Notice(
        incident=SHOP,
        step="firing",
        channel="ops",
        created=1001.0,
        text="opened",
        url="https://owl.example/incidents/1f",
    )
    assert second.key == "1f/firing/mail"


def test_without_a_public_url_notices_carry_no_link() -> None:
    assert {notice.url for notice in notices(change("opened"), [ALL], [], "", 1001.0)} == {""}


def test_raising_tells_those_who_know_that_it_got_worse_and_those_who_do_not_that_it_fires() -> None:
    assert steps(notices(change("raised"), [ALL], ["mail"], URL, 1.0)) == [("firing", "ops"), ("raised", "mail")]


def test_resolving_tells_exactly_those_who_were_told_whatever_the_routes_say_now() -> None:
    assert steps(notices(change("resolved"), [ALL], ["gone", "mail"], URL, 1.0)) == [
        ("resolved", "gone"),
        ("resolved", "mail"),
    ]


@pytest.mark.parametrize("event", ["acknowledged", "note"])
def test_an_acknowledgement_or_a_note_is_not_announced(event: str) -> None:
    assert notices(change(event), [ALL], ["ops"], URL, 1.0) == []


def test_a_reminder_is_due_a_period_after_the_newest_notice() -> None:
    routes = [replace(ALL, repeat=4 * HOUR)]
    told_at = {"ops": 1001.0, "mail": 1000.0 + 2 * HOUR}
    assert steps(reminders(SHOP, told_at, routes, URL, 1000.5 + 4 * HOUR)) == []
    assert steps(reminders(SHOP, told_at, routes, URL, 1001.0 + 4 * HOUR)) == [("repeat-1", "ops")]


def test_the_shortest_period_of_the_matching_routes_counts() -> None:
    routes = [
        replace(ALL, repeat=4 * HOUR),
        Route(name="team", match={"team": "shop"}, to=("ops",), repeat=HOUR),
        Route(name="other", match={"team": "bank"}, to=("ops",), repeat=60.0),
    ]
    told_at = {"ops": 1000.0, "mail": 1000.0}
    assert steps(reminders(SHOP, told_at, routes, URL, 1000.0 + HOUR)) == [("repeat-1", "ops")]


@pytest.mark.parametrize(
    ("incident", "routes", "told_at"),
    [
        (replace(SHOP, acknowledged=2000.0), [ALL], {"ops": 1000.0}),
        (replace(SHOP, resolved=2000.0), [ALL], {"ops": 1000.0}),
        (SHOP, [replace(ALL, repeat=0.0)], {"ops": 1000.0}),
        (SHOP, [ALL], {}),
        (SHOP, [], {"ops": 1000.0}),
    ],
    ids=["acknowledged", "resolved", "repeat off", "nobody told", "no longer routed"],
)
def test_no_reminder_is_due_for_what_is(incident: Incident, routes: list[Route], told_at: dict[str, float]) -> None:
    assert reminders(incident, told_at, routes, URL, 1000.0 + 100 * HOUR) == []


@given(st.lists(st.floats(60.0, 10 * HOUR), max_size=30), st.floats(60.0, 6 * HOUR))
def test_no_two_reminders_of_a_channel_share_a_key(gaps: list[float], every: float) -> None:
    routes, told_at, keys, now = [replace(ALL, to=("ops",), repeat=every)], {"ops": 1003.0}, [], 1003.0
    for gap in gaps:
        now += gap
        for notice in reminders(SHOP, told_at, routes, URL, now):
            keys.append(notice.key)
            told_at["ops"] = now
    assert len(keys) == len(set(keys))


CHANNELS = st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True).map(tuple)
ROUTES = st.lists(
    st.builds(
        Route,
        name=st.just("r"),
        match=st.sampled_from([{}, {"severity": ">=critical"}, {"severity": "info"}, {"team": "shop"}, {"team": "x"}]),
        to=CHANNELS,
    ),
    max_size=4,
)
EPISODES = st.lists(st.sampled_from(["raised", "acknowledged", "note"]), max_size=5)


@given(EPISODES, ROUTES, st.data())
def test_every_channel_that_was_told_hears_of_the_end_once_and_last_and_no_other_does(
    middle: list[str], routes: list[Route], data: st.DataObject
) -> None:
    sent: dict[str, Notice] = {}
    for event in ["opened", *middle, "resolved"]:
        incident = replace(SHOP, severity=data.draw(st.sampled_from(Severity)))
        told = [notice.channel for notice in sent.values() if announces(notice.step)]
        for notice in notices(change(event, incident), routes, told, URL, 1.0):
            sent.setdefault(notice.key, notice)
    heard: dict[str, list[str]] = {}
    for notice in sent.values():
        heard.setdefault(notice.channel, []).append(notice.step)
    for of_channel in heard.values():
        assert of_channel[0] == "firing"
        assert of_channel[-1] == "resolved"
        assert len(set(of_channel)) == len(of_channel)


def test_a_trial_says_that_nothing_is_wrong() -> None:
    notice = trial("ops", URL, 5.0)
    assert (notice.step, notice.channel, notice.incident.severity) == ("test", "ops", Severity.INFO)
    assert "Nothing is wrong" in notice.incident.summary
