import base64
import json

import pytest
from msgspec.structs import replace

from nightowl.adapters.channels.http import QUOTED
from nightowl.adapters.channels.pagerduty import PagerDuty, event
from nightowl.core.errors import DeliveryFailed
from nightowl.core.routing import trial
from nightowl.core.values import Severity

KEY = "R0UT1NGK3Y7c1f41d29a55e0b8812345"
PAGE = "https://owl.example/incidents/5f2c"
SENTENCE = "shop is down: connection refused, seen from 3 of 3 locations."


def pagerduty(receiver, timeout: float = 10.0) -> PagerDuty:
    return PagerDuty(routing_key=KEY, url=receiver.url, timeout=timeout)


def failure(receiver, sent, timeout: float = 10.0) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        pagerduty(receiver, timeout).send(sent)
    assert KEY not in str(caught.value)
    assert receiver.url not in str(caught.value)
    return caught.value


def expected(step: str, action: str, summary: str, sentence: str) -> dict:
    return {
        "routing_key": KEY,
        "event_action": action,
        "dedup_key": "5f2c",
        "payload": {
            "summary": f"{summary} — {sentence}",
            "source": "shop",
            "severity": "critical",
            "timestamp": "2023-11-14T22:13:20.000+00:00",
            "class": "connect.refused",
            "custom_details": {
                "sentence": sentence,
                "reason": "connect.refused",
                "kind": "check",
                "step": step,
                "key": f"5f2c/{step}/ops",
                "tags": {"team": "shop"},
            },
        },
        "client": "NightOwl",
        "client_url": PAGE,
        "links": [{"href": PAGE, "text": "Details"}, {"href": "https://wiki.example/shop", "text": "Runbook"}],
    }


@pytest.mark.parametrize(
    ("step", "action", "summary", "sentence"),
    [
        ("firing", "trigger", "■ DOWN: shop", SENTENCE),
        ("raised", "trigger", "■ DOWN: shop", f"It got worse: {SENTENCE}"),
        (
            "repeat-3",
            "trigger",
            "■ STILL DOWN: shop",
            f"{SENTENCE[:-1]}, for 4 minutes now, and nobody has acknowledged it.",
        ),
        ("resolved", "resolve", "● UP: shop", "shop is up again. The incident lasted 4 minutes."),
    ],
)
def test_a_notice_arrives_as_one_event_about_its_incident(
    receiver, reply, notice, step, action, summary, sentence
) -> None:
    receiver.answer = lambda handler: reply(handler, 202, b'{"status":"success"}')
    pagerduty(receiver).send(notice(step, text="shop is up again" if step == "resolved" else ""))
    [request] = receiver.requests
    assert (request.path, request.headers["Content-Type"]) == ("/hook", "application/json")
    assert json.loads(request.body) == expected(step, action, summary, sentence)


def test_a_test_opens_an_alert_and_leaves_none_open(receiver, reply) -> None:
    receiver.answer = lambda handler: reply(handler, 202)
    pagerduty(receiver).send(trial("ops", "https://owl.example", 1_700_000_000.0))
    opened, closed = (json.loads(request.body) for request in receiver.requests)
    sentence = "This is a test of the channel ops. Nothing is wrong."
    assert opened == {
        "routing_key": KEY,
        "event_action": "trigger",
        "dedup_key": "test-1700000000",
        "payload": {
            "summary": f"● TEST: channel/ops — {sentence}",
            "source": "channel/ops",
            "severity": "info",
            "timestamp": "2023-11-14T22:13:20.000+00:00",
            "class": "own",
            "custom_details": {
                "sentence": sentence,
                "kind": "own",
                "step": "test",
                "key": "test-1700000000/test/ops",
            },
        },
        "client": "NightOwl",
        "client_url": "https://owl.example",
        "links": [{"href": "https://owl.example", "text": "Details"}],
    }
    assert closed == opened | {"event_action": "resolve"}


def test_a_test_whose_alert_stays_open_says_so(receiver, reply, notice) -> None:
    receiver.answer = lambda handler: reply(handler, 202 if len(receiver.requests) == 1 else 503)
    assert str(failure(receiver, notice("test"))) == (
        "an alert was opened, but not resolved: the host answered 503 Service Unavailable: ok"
    )


def test_a_test_takes_no_longer_than_any_notice(receiver, reply, notice) -> None:
    receiver.answer = lambda handler: reply(handler, 202) if len(receiver.requests) == 1 else receiver.closing.wait()
    assert str(failure(receiver, notice("test"), timeout=1)).endswith("no answer within 0.5 s")


@pytest.mark.parametrize("severity", list(Severity))
def test_a_severity_is_called_as_pagerduty_calls_it(notice, incident, severity) -> None:
    assert event(notice(incident=replace(incident, severity=severity)), "trigger")["payload"]["severity"] == severity


def test_tags_may_name_the_component_and_the_group(notice, incident) -> None:
    tagged = replace(incident, tags={"component": "basket", "group": "shop-eu"}, reason="")
    payload = event(notice(incident=tagged), "trigger")["payload"]
    assert (payload["component"], payload["group"], payload["class"]) == ("basket", "shop-eu", "check")


def test_without_links_nothing_is_linked(notice, incident) -> None:
    bare = replace(notice(incident=replace(incident, runbook="")), url="")
    assert not {"links", "client_url"} & set(event(bare, "trigger"))


def test_a_link_that_cannot_be_followed_is_left_out(notice, incident) -> None:
    odd = replace(notice(incident=replace(incident, runbook=f"https://x.example/{'x' * 5000}")), url="javascript:x")
    assert not {"links", "client_url"} & set(event(odd, "trigger"))


def test_long_texts_are_cut_to_what_pagerduty_takes(receiver, notice, incident) -> None:
    worst = "\x01"  # JSON takes six bytes for it
    long = replace(
        incident,
        id="i" * 300,
        subject=worst * 50_000,
        summary=worst * 50_000,
        reason=worst * 50_000,
        tags={f"{n:04}{worst * 500}": worst * 5000 for n in range(500)}
        | {"component": worst * 999, "group": "g" * 999},
        runbook=f"https://wiki.example/{worst * 2000}",
    )
    pagerduty(receiver).send(notice(incident=long))
    [request] = receiver.requests
    assert len(request.body) < 512_000
    sent = json.loads(request.body)
    payload, details = sent["payload"], sent["payload"]["custom_details"]
    assert sent["dedup_key"] == "i" * 255
    assert len(payload["summary"]) == 1024
    assert payload["summary"].endswith("…")
    assert {len(payload[name]) for name in ("source", "class", "component", "group")} == {255}
    assert (len(details["sentence"]), len(details["tags"])) == (4000, 50)
    assert max(len(value) for value in details["tags"].values()) == 400


def test_every_step_of_a_long_id_meets_the_same_alert(notice, incident) -> None:
    long = replace(incident, id="i" * 300)
    steps = ("firing", "repeat-1", "resolved")
    assert len({event(notice(step, long), "trigger")["dedup_key"] for step in steps}) == 1


def test_a_refused_event_is_given_up_with_pagerdutys_own_words(receiver, reply, notice) -> None:
    said = {"status": "invalid event", "message": "Event object is invalid", "errors": ["no source", "no severity"]}
    receiver.answer = lambda handler: reply(handler, 400, json.dumps(said).encode())
    found = failure(receiver, notice())
    assert found.permanent
    assert str(found) == "the host answered 400 Bad Request: Event object is invalid: no source; no severity"


def test_what_is_quoted_is_short_and_without_the_key(receiver, reply, notice) -> None:
    said = {"message": f"no integration {KEY}", "errors": ["e" * 1000], "status": "invalid event"}
    receiver.answer = lambda handler: reply(handler, 400, json.dumps(said).encode())
    found = str(failure(receiver, notice()))
    assert found.startswith("the host answered 400 Bad Request: no integration ***: eee")
    assert len(found) == len("the host answered 400 Bad Request: ") + QUOTED


def test_a_key_that_the_answer_writes_in_an_odd_way_is_masked_too(receiver, reply, notice) -> None:
    odd = "".join(f"\\u{ord(letter):04x}" for letter in KEY)
    receiver.answer = lambda handler: reply(handler, 400, f'{{"message": "bad {odd}"}}'.encode())
    assert str(failure(receiver, notice())) == "the host answered 400 Bad Request: bad ***"


@pytest.mark.parametrize("said", [lambda body: body, lambda body: body.hex().encode(), base64.b64encode])
def test_a_body_that_is_said_back_tells_no_key_however_it_is_written(receiver, reply, notice, said) -> None:
    key = 'R0UT1NG"<&>\\K3Y7c1f41d29'
    receiver.answer = lambda handler: reply(handler, 500, said(receiver.requests[-1].body))
    with pytest.raises(DeliveryFailed) as caught:
        PagerDuty(routing_key=key, url=receiver.url).send(notice())
    written = json.dumps(key)[1:-1].encode()
    assert "***" in str(caught.value)
    in_base64 = [base64.b64encode(written[start : start + 9]).decode() for start in (6, 7, 8)]  # one is in step
    for form in (written.decode(), written.hex(), *in_base64):
        assert form not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "quoted"),
    [
        (b"nope", ": nope"),
        (b'{"message": 5}', ': {"message": 5}'),
        (b'{"errors": "x"}', ': {"errors": "x"}'),
        (b"{}", ": {}"),
        (b'{"message": "\\u001b[31m"}', ""),
        (b'{"message": "\\ud800"}', ': {"message": "\\ud800"}'),
        (b'{"x": ' + b"[" * 9000, f': {{"x": {"[" * (QUOTED - 6)}'),
        (b"", ""),
    ],
)
def test_an_answer_that_is_not_pagerdutys_is_quoted_as_it_is_or_not_at_all(
    receiver, reply, notice, body, quoted
) -> None:
    receiver.answer = lambda handler: reply(handler, 403, body)
    found = failure(receiver, notice())
    assert found.permanent
    assert str(found) == f"the host answered 403 Forbidden{quoted}"


def test_a_channel_does_not_show_its_key() -> None:
    assert KEY not in repr(PagerDuty(routing_key=KEY, url="https://events.example/v2/enqueue"))


def test_a_template_says_the_summary(receiver, notice) -> None:
    template = {"summary": "{{ incident.subject }}\n of {{ tags.team }}"}
    assert PagerDuty(routing_key=KEY, url=receiver.url, template=template).send(notice()) == ""
    assert json.loads(receiver.requests[0].body)["payload"]["summary"] == "shop of shop"


def test_a_template_that_fails_loses_no_page(receiver, notice) -> None:
    remark = PagerDuty(routing_key=KEY, url=receiver.url, template={"summary": "{{ nix }}"}).send(notice())
    assert json.loads(receiver.requests[0].body)["payload"]["summary"] == f"■ DOWN: shop — {SENTENCE}"
    assert remark.startswith("the template of the summary fails, so the built-in one was used")
