"""Whatever a receiver does, every kind of channel that speaks HTTP makes the same of it, and in time."""

import os
import socket
import struct
import time
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler

import pytest

from nightowl.adapters.channels.alertmanager import Alertmanager
from nightowl.adapters.channels.apprise import Apprise
from nightowl.adapters.channels.pagerduty import PagerDuty
from nightowl.adapters.channels.slack import Slack
from nightowl.adapters.channels.webhook import Webhook
from nightowl.core.errors import DeliveryFailed

SPEAKING: dict[str, Callable] = {
    "webhook": lambda url, timeout: Webhook(url=url, timeout=timeout),
    "slack": lambda url, timeout: Slack(url=url, timeout=timeout),
    "pagerduty": lambda url, timeout: PagerDuty(routing_key="k3y", url=url, timeout=timeout),
    "alertmanager": lambda url, timeout: Alertmanager(url=(url,), timeout=timeout),
}
"""The kinds that send by NightOwl's own requests."""

KINDS = SPEAKING | {"apprise": lambda url, timeout: Apprise(urls=(url.replace("http://", "json://"),), timeout=timeout)}


@pytest.fixture(params=KINDS)
def kind(request) -> str:
    return request.param


@pytest.fixture(params=SPEAKING)
def speaking(request) -> str:
    return request.param


def failure(kind: str, url: str, notice, timeout: float = 10.0) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        KINDS[kind](url, timeout).send(notice())
    assert "/hook" not in str(caught.value)
    assert "libcurl" not in str(caught.value)
    return caught.value


def test_a_notice_that_is_taken_is_sent_once(kind, receiver, notice):
    assert not KINDS[kind](receiver.url, 10.0).send(notice())
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [201, 202, 204])
def test_any_2xx_is_a_yes(kind, receiver, reply, notice, status):
    receiver.answer = lambda handler: reply(handler, status, b"")
    KINDS[kind](receiver.url, 10.0).send(notice())


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
def test_a_client_error_is_permanent(speaking, receiver, reply, notice, status):
    receiver.answer = lambda handler: reply(handler, status, b"no such\r\n hook")
    found = failure(speaking, receiver.url, notice)
    assert found.permanent
    assert str(status) in str(found)
    assert str(found).endswith(": no such hook")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_an_error_that_may_pass_is_tried_again(kind, receiver, reply, notice, status):
    receiver.answer = lambda handler: reply(handler, status)
    found = failure(kind, receiver.url, notice)
    assert (found.permanent, found.retry_after) == (False, None)
    assert str(status) in str(found)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_passed_on(speaking, receiver, reply, notice, status):
    receiver.answer = lambda handler: reply(handler, status, Retry_After="120")
    assert failure(speaking, receiver.url, notice).retry_after == 120.0


def test_retry_after_as_a_date_is_passed_on(speaking, receiver, reply, notice):
    receiver.answer = lambda handler: reply(handler, 429, Retry_After=formatdate(time.time() + 3600, usegmt=True))
    found = failure(speaking, receiver.url, notice).retry_after
    assert found is not None
    assert 3000 < found <= 3601


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(kind, receiver, reply, notice, status):
    receiver.answer = lambda handler: reply(handler, status, Location=f"{receiver.url}/elsewhere")
    found = failure(kind, receiver.url, notice)
    assert len(receiver.requests) == 1
    assert kind == "apprise" or (found.permanent and "redirects are not followed" in str(found))


def reset(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(handler.connection.detach())


def close(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def garbage(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"220 mail.example ESMTP\r\n")
    handler.close_connection = True


@pytest.mark.parametrize("answer", [reset, close, garbage])
def test_a_broken_answer_is_tried_again(kind, receiver, notice, answer):
    receiver.answer = answer
    assert not failure(kind, receiver.url, notice).permanent


def test_a_refused_connection_is_tried_again_and_the_url_is_not_told(kind, free_port, notice):
    found = failure(kind, f"http://user:hidden@127.0.0.1:{free_port}/token", notice)
    assert not found.permanent
    assert "hidden" not in str(found)
    assert "token" not in str(found)


def drip(start: bytes) -> Callable:
    """Return what answers a letter at a time, without an end."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(start)
        while not handler.server.ending.wait(0.05):
            handler.wfile.write(b"x")

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        lambda handler: handler.server.ending.wait(),
        drip(b"HTTP/1.1 200 OK\r\nX-Slow: "),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"),
    ],
    ids=["hangs", "drips headers", "drips a body"],
)
def test_a_receiver_that_does_not_end_is_given_up_in_time_and_tried_again(kind, receiver, notice, answer):
    receiver.answer = answer
    began = time.monotonic()
    found = failure(kind, receiver.url, notice, timeout=0.25)
    assert time.monotonic() - began < 5
    assert not found.permanent
    assert "within 0.25 s" in str(found)


def test_an_answer_without_end_is_cut_off_and_the_notice_counts_as_taken(speaking, receiver, notice):
    def pour(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        while not receiver.closing.is_set():
            handler.wfile.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")

    receiver.answer = pour
    SPEAKING[speaking](receiver.url, 60.0).send(notice())


def test_a_huge_answer_is_quoted_no_further_than_its_start(kind, receiver, reply, notice):
    receiver.answer = lambda handler: reply(handler, 500, b"x" * 10_000_000)
    assert len(str(failure(kind, receiver.url, notice))) < 300


def test_a_channel_does_not_show_where_it_sends(kind):
    assert "token" not in repr(KINDS[kind]("http://127.0.0.1/token", 10.0))
