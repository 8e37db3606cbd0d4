import json
import time
import urllib.request
from datetime import datetime

import pytest
from msgspec.structs import replace

from nightowl.adapters.channels.alertmanager import LIFE, Alertmanager, alerts, label_name, labels
from nightowl.core.errors import DeliveryFailed
from nightowl.core.routing import trial
from nightowl.core.values import Severity

NOW = 1_700_000_300.0
SENTENCE = "shop is down: connection refused, seen from 3 of 3 locations."
FIRING = {
    "labels": {"alertname": "shop", "severity": "critical", "kind": "check", "nightowl": "shop", "team": "shop"},
    "annotations": {"summary": "■ DOWN: shop", "description": SENTENCE, "runbook_url": "https://wiki.example/shop"},
    "startsAt": "2023-11-14T22:13:20.000+00:00",
    "endsAt": "2023-11-14T22:22:20.000+00:00",
    "generatorURL": "https://owl.example/incidents/5f2c",
}


def test_a_notice_arrives_as_an_alert_that_ends_by_itself_some_resends_from_now(receiver, notice) -> None:
    before = time.time()
    Alertmanager(url=(receiver.url,), resend=30).send(notice())
    [request] = receiver.requests
    [alert] = json.loads(request.body)
    assert (request.path, request.headers["Content-Type"]) == ("/hook/api/v2/alerts", "application/json")
    assert {name: alert[name] for name in alert if name != "endsAt"} == {
        name: FIRING[name] for name in FIRING if name != "endsAt"
    }
    assert unix(alert["endsAt"]) == pytest.approx(before + LIFE * 30, abs=5)


@pytest.mark.parametrize("step", ["firing", "repeat-2", "resend-7"])
def test_what_is_told_again_is_the_same_alert_and_lives_longer(notice, step) -> None:
    first, again = alerts(notice(), NOW, 60), alerts(notice(step), NOW + 600, 60)
    assert first == [FIRING]
    assert again[0]["labels"] == FIRING["labels"]
    assert again[0]["startsAt"] == FIRING["startsAt"]
    assert unix(again[0]["endsAt"]) == NOW + 600 + 240


def test_the_end_of_an_incident_is_the_end_of_its_alert(notice, incident) -> None:
    over = replace(incident, resolved=incident.opened + 60)
    [alert] = alerts(notice("resolved", over, "shop is up again"), NOW, 60)
    assert alert["labels"] == FIRING["labels"]
    assert unix(alert["endsAt"]) == incident.opened + 60
    assert alert["annotations"]["summary"] == "● UP: shop"


def test_an_incident_that_was_over_before_it_began_ends_when_it_began(notice, incident) -> None:
    [alert] = alerts(notice("resolved", replace(incident, resolved=incident.opened - 5)), NOW, 60)
    assert alert["endsAt"] == alert["startsAt"]


def test_a_severity_that_rises_ends_the_alert_that_it_was(notice, incident) -> None:
    new, *old = alerts(notice("raised"), NOW, 60)
    assert new["labels"]["severity"] == "critical"
    assert unix(new["endsAt"]) > NOW
    assert sorted(alert["labels"]["severity"] for alert in old) == ["info", "warning"]
    assert all(unix(alert["endsAt"]) <= NOW for alert in old)
    assert all(alert["labels"] | {"severity": "critical"} == new["labels"] for alert in old)


def test_a_test_is_an_alert_that_ends_after_one_resend(notice) -> None:
    [alert] = alerts(trial("ops", "https://owl.example", NOW), NOW, 60)
    assert alert["labels"] == {
        "alertname": "NightOwl",
        "severity": "info",
        "kind": "own",
        "nightowl": "channel/ops",
    }
    assert unix(alert["endsAt"]) == NOW + 60


@pytest.mark.parametrize(
    ("kind", "subject", "name"),
    [
        ("check", "shop", "shop"),
        ("rule", 'backlog{queue_name="mail"}', "backlog"),
        ("nodata", "backlog", "backlog"),
        ("own", "location/london", "NightOwl"),
    ],
)
def test_all_series_of_a_rule_are_one_alertname(incident, kind, subject, name) -> None:
    found = labels(replace(incident, kind=kind, subject=subject))
    assert (found["alertname"], found["nightowl"]) == (name, subject)


@pytest.mark.parametrize(
    ("tag", "label"),
    [("team", "team"), ("a.b-c", "a_b_c"), ("9lives", "_9lives"), ("équipe", "_quipe"), ("_x", "_x")],
)
def test_a_tag_is_a_label_that_alertmanager_takes(tag, label) -> None:
    assert label_name(tag) == label


def test_no_tag_replaces_what_an_alert_is_known_by(incident) -> None:
    taken = dict.fromkeys(["alertname", "severity", "nightowl", "kind"], "x")
    found = labels(replace(incident, tags=taken | {"empty": ""}))
    assert found == {"alertname": "shop", "severity": "critical", "kind": "check", "nightowl": "shop"}


def test_without_links_nothing_is_linked(notice, incident) -> None:
    bare = replace(notice(incident=replace(incident, runbook="")), url="")
    [alert] = alerts(bare, NOW, 60)
    assert "generatorURL" not in alert
    assert "runbook_url" not in alert["annotations"]


def test_every_member_is_told_and_one_that_takes_it_is_enough(receiver, free_port, notice, caplog) -> None:
    remark = Alertmanager(url=(f"http://127.0.0.1:{free_port}", receiver.url)).send(notice())
    assert remark == "url[0]: the host does not accept the connection"
    assert remark in caplog.text
    assert len(receiver.requests) == 1


def test_where_no_member_takes_it_all_are_told_of_and_it_is_tried_again(receiver, reply, free_port, notice) -> None:
    receiver.answer = lambda handler: reply(handler, 400, b"bad", Retry_After="5")
    with pytest.raises(DeliveryFailed) as caught:
        Alertmanager(url=(receiver.url, f"http://127.0.0.1:{free_port}")).send(notice())
    assert not caught.value.permanent
    assert str(caught.value).startswith("url[0]: the host answered 400 Bad Request: bad; url[1]: the host does not")


def test_where_all_refuse_it_for_good_it_is_given_up(receiver, reply, notice) -> None:
    receiver.answer = lambda handler: reply(handler, 400, b"bad")
    with pytest.raises(DeliveryFailed) as caught:
        Alertmanager(url=(receiver.url, f"{receiver.url}/2")).send(notice())
    assert caught.value.permanent


def test_members_that_hang_take_no_longer_than_one(receiver, notice) -> None:
    receiver.answer = lambda handler: receiver.closing.wait()
    began = time.monotonic()
    with pytest.raises(DeliveryFailed):
        Alertmanager(url=(receiver.url, f"{receiver.url}/2"), timeout=0.4).send(notice())
    assert time.monotonic() - began < 2


def test_headers_are_sent_and_kept_out_of_errors(receiver, reply, notice) -> None:
    receiver.answer = lambda handler: reply(handler, 401, b"no such: Bearer t0ken")
    with pytest.raises(DeliveryFailed) as caught:
        Alertmanager(url=(receiver.url,), headers={"Authorization": "Bearer t0ken"}).send(notice())
    assert receiver.requests[0].headers["Authorization"] == "Bearer t0ken"
    assert str(caught.value).endswith("no such: ***")


@pytest.mark.alertmanager
def test_a_real_alertmanager_has_the_alert_until_the_incident_ends(alertmanager_url, notice, incident) -> None:
    channel, opened = Alertmanager(url=(alertmanager_url,)), time.time() - 60
    begun = replace(incident, opened=opened, severity=Severity.WARNING, tags={"team.eu": "a", "n-1": "ü"})
    raised = replace(begun, severity=Severity.CRITICAL)
    channel.send(notice(incident=begun))
    assert severities(alertmanager_url, "shop") == ["warning"]
    [alert] = stored(alertmanager_url, "shop")
    assert (alert["labels"]["team_eu"], alert["labels"]["n_1"]) == ("a", "ü")
    assert alert["annotations"]["summary"] == "■ DOWN: shop"
    channel.send(replace(notice("raised", incident=raised), created=time.time()))
    assert severities(alertmanager_url, "shop") == ["critical"]
    channel.send(notice("resend-1", incident=raised))
    assert severities(alertmanager_url, "shop") == ["critical"]
    channel.send(notice("resolved", incident=replace(raised, resolved=time.time())))
    assert severities(alertmanager_url, "shop") == []


@pytest.mark.alertmanager
def test_a_real_alertmanager_takes_the_longest_that_there_is(alertmanager_url, notice, incident) -> None:
    tags = {f"{number}-{'x' * 60}": "é" * 5000 for number in range(100)}
    long = replace(incident, subject="long" + "s" * 5000, summary="\x01" * 50_000, tags=tags, opened=time.time())
    Alertmanager(url=(alertmanager_url,)).send(notice(incident=long))
    assert len(stored(alertmanager_url, f"long{'s' * 995}…")) == 1


def stored(url: str, subject: str) -> list[dict]:
    """The active alerts of a subject."""
    with urllib.request.urlopen(f"{url}/api/v2/alerts?active=true", timeout=10) as answer:
        return [alert for alert in json.load(answer) if alert["labels"]["nightowl"] == subject]


def severities(url: str, subject: str) -> list[str]:
    return [alert["labels"]["severity"] for alert in stored(url, subject)]


def unix(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
