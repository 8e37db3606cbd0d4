import pytest
from msgspec.structs import replace

from nightowl.core.routing import addresses, escalations, matches, trial
from nightowl.core.values import Escalation, Incident, Route, Severity

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


def channels_for(incident: Incident, routes: list[Route]) -> tuple[str, ...]:
    return tuple(address.channel for address in addresses(incident, routes))


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


def test_where_several_routes_lead_to_a_channel_the_shortest_wait_and_repeat_count() -> None:
    routes = [
        Route(name="all", to=("ops",), repeat=4 * HOUR, wait=30.0),
        Route(name="team", match={"team": "shop"}, to=("ops",), repeat=HOUR, wait=60.0),
        Route(name="quiet", to=("ops",), repeat=0.0),
        Route(name="other", match={"team": "bank"}, to=("ops",), repeat=60.0, wait=0.0),
    ]
    [address] = addresses(SHOP, routes)
    assert (address.wait, address.repeat, address.group) == (10.0, HOUR, "")


def test_incidents_are_of_one_group_where_they_agree_in_its_tags() -> None:
    route = Route(name="shop", to=("ops",), group_by=("team", "region"))

    def group(**tags: str) -> str:
        return addresses(replace(SHOP, tags=tags), [route])[0].group

    assert group(team="shop", tier="1") == group(team="shop", tier="2") == group(team="shop", region="")
    assert len({group(team="shop"), group(team="bank"), group(team="shop", region="eu"), group(region="shop")}) == 4
    assert len(group(team="x" * 1000)) <= 200


def test_escalations_of_matching_routes_come_soonest_first() -> None:
    boss, chief = Escalation(900.0, ("boss",)), Escalation(60.0, ("chief", "boss"))
    routes = [
        Route(name="all", to=("ops",), escalate=(boss, chief)),
        Route(name="bank", match={"team": "bank"}, to=("ops",), escalate=(boss,)),
    ]
    found = [(after, address.channel) for after, address in escalations(SHOP, routes)]
    assert found == [(60.0, "chief"), (60.0, "boss"), (900.0, "boss")]


def test_a_trial_says_that_nothing_is_wrong() -> None:
    notice = trial("ops", URL, 5.0)
    assert (notice.step, notice.channel, notice.incident.severity) == ("test", "ops", Severity.INFO)
    assert "Nothing is wrong" in notice.incident.summary
