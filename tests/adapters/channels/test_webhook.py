import hashlib
import hmac
import json
import time

import pytest
from msgspec.structs import replace

from nightowl.adapters.channels.http import retry_after
from nightowl.adapters.channels.webhook import Webhook
from nightowl.core.errors import DeliveryFailed

SECRET = "whsec-41d2"


def failure(channel: Webhook, sent) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        channel.send(sent)
    return caught.value


def test_a_notice_arrives_as_json_with_its_stable_key(receiver, notice) -> None:
    Webhook(url=receiver.url).send(notice())
    [request] = receiver.requests
    body = json.loads(request.body)
    assert request.path == "/hook"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["X-NightOwl-Key"] == body["key"] == "5f2c/firing/ops"
    assert body["step"] == "firing"
    assert body["title"] == "■ DOWN: shop"
    assert body["incident"]["summary"] == "shop is down: connection refused, seen from 3 of 3 locations"
    assert body["incident"]["resolved"] is None


def test_a_key_with_letters_that_no_header_takes_is_percent_encoded(receiver, notice) -> None:
    Webhook(url=receiver.url).send(replace(notice(), channel="naïve ops"))
    assert receiver.requests[0].headers["X-NightOwl-Key"] == "5f2c/firing/na%C3%AFve%20ops"


def test_the_signature_can_be_checked_with_the_secret_alone(receiver, notice) -> None:
    before = int(time.time())
    Webhook(url=receiver.url, secret=SECRET).send(notice())
    [request] = receiver.requests
    timestamp, digest = (part.split("=")[1] for part in request.headers["X-NightOwl-Signature"].split(","))
    expected = hmac.new(SECRET.encode(), timestamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert digest == expected
    assert before <= int(timestamp) <= time.time()


def test_without_a_secret_nothing_is_signed(receiver, notice) -> None:
    Webhook(url=receiver.url).send(notice())
    assert "X-NightOwl-Signature" not in receiver.requests[0].headers


def test_a_repeated_send_has_the_same_body(receiver, notice) -> None:
    channel = Webhook(url=receiver.url)
    channel.send(notice())
    channel.send(notice())
    assert receiver.requests[0].body == receiver.requests[1].body


def test_own_headers_are_sent_but_cannot_replace_those_of_nightowl(receiver, notice) -> None:
    Webhook(url=receiver.url, headers={"Authorization": "Bearer abc", "x-nightowl-key": "forged"}).send(notice())
    headers = receiver.requests[0].headers
    assert headers["Authorization"] == "Bearer abc"
    assert [value for name, value in headers.items() if name.lower() == "x-nightowl-key"] == ["5f2c/firing/ops"]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("17", 17.0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("Tue, 99 Nov 2023 22:14:20 GMT", None),
        ("²", None),
    ],
)
def test_retry_after_is_read_in_both_forms_and_garbage_is_none(value, seconds) -> None:
    assert retry_after(value, 1_700_000_000.0) == seconds


@pytest.mark.parametrize("url", ["gopher://127.0.0.1/", "file:///etc/passwd"])
def test_only_http_is_spoken(notice, url) -> None:
    found = failure(Webhook(url=url), notice())
    assert found.permanent
    assert "neither http nor https" in str(found)


def test_an_error_quotes_only_the_start_of_an_answer_and_no_secret(receiver, reply, notice) -> None:
    receiver.answer = lambda handler: reply(handler, 400, f"bad: {SECRET} Bearer abc ".encode() + b"x" * 100_000)
    found = failure(Webhook(url=receiver.url, secret=SECRET, headers={"Authorization": "Bearer abc"}), notice())
    assert str(found).startswith("the host answered 400 Bad Request: bad: *** *** xxx")
    assert len(str(found)) < 300


def test_an_answer_that_is_not_text_is_not_quoted(receiver, reply, notice) -> None:
    receiver.answer = lambda handler: reply(handler, 400, b"\x00\x1b[31m")
    assert str(failure(Webhook(url=receiver.url), notice())) == "the host answered 400 Bad Request"


def test_a_receiver_with_a_certificate_of_the_given_authority_is_trusted(tls_receiver, ca, notice) -> None:
    Webhook(url=tls_receiver.url, ca=ca).send(notice())
    assert len(tls_receiver.requests) == 1


def test_a_receiver_with_a_foreign_certificate_gets_nothing(tls_receiver, notice) -> None:
    found = failure(Webhook(url=tls_receiver.url), notice())
    assert not found.permanent
    assert "not trusted" in str(found)
    assert tls_receiver.requests == []


def test_a_certificate_for_another_name_is_not_trusted(tls_receiver, ca, notice) -> None:
    found = failure(Webhook(url=tls_receiver.url.replace("127.0.0.1", "localhost"), ca=ca), notice())
    assert "not trusted" in str(found)


def test_verification_can_be_switched_off(tls_receiver, notice) -> None:
    Webhook(url=tls_receiver.url, verify=False).send(notice())
    assert len(tls_receiver.requests) == 1


def test_a_channel_does_not_show_its_secrets() -> None:
    assert SECRET not in repr(Webhook(url="https://x.example/", secret=SECRET))


def test_a_template_is_the_whole_body_and_signed_like_any_other(receiver, notice) -> None:
    template = {"body": '{"text": {{ sentence | tojson }}}'}
    headers = {"content-type": "text/x-forged"}
    Webhook(url=receiver.url, secret=SECRET, template=template, headers=headers).send(notice())
    [request] = receiver.requests
    assert json.loads(request.body) == {"text": "shop is down: connection refused, seen from 3 of 3 locations."}
    timestamp, digest = (part.split("=")[1] for part in request.headers["X-NightOwl-Signature"].split(","))
    assert digest == hmac.new(SECRET.encode(), timestamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert (request.headers["Content-Type"], request.headers["X-NightOwl-Key"]) == (
        "application/json",
        "5f2c/firing/ops",
    )


def test_a_template_may_be_of_any_type(receiver, notice) -> None:
    Webhook(url=receiver.url, template={"body": "ü {{ step }}"}, content_type="text/plain; charset=utf-8").send(
        notice()
    )
    assert receiver.requests[0].headers["Content-Type"] == "text/plain; charset=utf-8"
    assert receiver.requests[0].body.decode() == "ü firing"


def test_a_template_that_fails_loses_no_page(receiver, notice) -> None:
    remark = Webhook(url=receiver.url, template={"body": "{{ nix }}"}, content_type="text/plain").send(notice())
    assert receiver.requests[0].headers["Content-Type"] == "application/json"
    assert json.loads(receiver.requests[0].body)["step"] == "firing"
    assert remark == "the template of the body fails, so the built-in one was used: 'nix' is undefined"


@pytest.mark.parametrize("content_type", ["application/json", "Application/Problem+JSON; charset=utf-8"])
def test_a_template_of_json_that_makes_none_loses_no_page(receiver, notice, incident, content_type) -> None:
    labelled = replace(incident, kind="rule", subject='slow{check="shop"}')
    template = {"body": '{"a": "{{ incident.subject }}"}'}
    remark = Webhook(url=receiver.url, template=template, content_type=content_type).send(notice(incident=labelled))
    assert receiver.requests[0].headers["Content-Type"] == "application/json"
    assert json.loads(receiver.requests[0].body)["incident"]["subject"] == 'slow{check="shop"}'
    assert remark.startswith("the template of the body fails, so the built-in one was used: it makes no JSON")


def test_other_incidents_are_told_like_the_first(receiver, notice, incident) -> None:
    Webhook(url=receiver.url).send(replace(notice(), others=(replace(incident, id="77", subject="db"),)))
    body = json.loads(receiver.requests[0].body)
    assert body["title"] == "■ DOWN: shop and 1 more"
    assert body["others"] == [body["incident"] | {"id": "77", "subject": "db"}]
