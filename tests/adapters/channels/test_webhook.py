import hashlib
import hmac
import json
import os
import socket
import struct
import time
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler

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


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
def test_a_client_error_is_permanent(receiver, reply, notice, status) -> None:
    receiver.answer = lambda handler: reply(handler, status, b"no such\r\n hook")
    found = failure(Webhook(url=receiver.url), notice())
    assert found.permanent
    assert str(status) in str(found)
    assert str(found).endswith(": no such hook")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_an_error_that_may_pass_is_tried_again(receiver, reply, notice, status) -> None:
    receiver.answer = lambda handler: reply(handler, status)
    found = failure(Webhook(url=receiver.url), notice())
    assert not found.permanent
    assert found.retry_after is None


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_passed_on(receiver, reply, notice, status) -> None:
    receiver.answer = lambda handler: reply(handler, status, Retry_After="120")
    assert failure(Webhook(url=receiver.url), notice()).retry_after == 120.0


def test_retry_after_as_a_date_is_passed_on(receiver, reply, notice) -> None:
    receiver.answer = lambda handler: reply(handler, 429, Retry_After=formatdate(time.time() + 3600, usegmt=True))
    found = failure(Webhook(url=receiver.url), notice()).retry_after
    assert found is not None
    assert 3000 < found <= 3601


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


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(receiver, reply, notice, status) -> None:
    receiver.answer = lambda handler: reply(handler, status, Location=f"{receiver.url}/elsewhere")
    found = failure(Webhook(url=receiver.url), notice())
    assert found.permanent
    assert "redirects are not followed" in str(found)
    assert len(receiver.requests) == 1


def test_a_receiver_that_hangs_is_given_up_in_time_and_tried_again(receiver, notice) -> None:
    receiver.answer = lambda handler: receiver.closing.wait()
    found = failure(Webhook(url=receiver.url, timeout=0.2), notice())
    assert not found.permanent
    assert str(found) == "no answer within 0.2 s"


def reset(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(handler.connection.detach())


def close(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def garbage(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"220 mail.example ESMTP\r\n")
    handler.close_connection = True


@pytest.mark.parametrize("answer", [reset, close, garbage])
def test_a_broken_answer_is_tried_again(receiver, notice, answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
    receiver.answer = answer
    found = failure(Webhook(url=receiver.url), notice())
    assert not found.permanent
    assert "libcurl" not in str(found)


def test_a_refused_connection_is_tried_again_and_the_url_is_not_told(free_port, notice) -> None:
    found = failure(Webhook(url=f"http://user:hidden@127.0.0.1:{free_port}/token"), notice())
    assert not found.permanent
    assert str(found) == "the host does not accept the connection"


@pytest.mark.parametrize("url", ["gopher://127.0.0.1/", "file:///etc/passwd"])
def test_only_http_is_spoken(notice, url) -> None:
    found = failure(Webhook(url=url), notice())
    assert found.permanent
    assert "neither http nor https" in str(found)


def test_an_answer_without_end_is_cut_off_and_the_notice_counts_as_taken(receiver, notice) -> None:
    def pour(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        while not receiver.closing.is_set():
            handler.wfile.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")

    receiver.answer = pour
    Webhook(url=receiver.url, timeout=60).send(notice())


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
