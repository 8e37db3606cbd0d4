"""Real apprise, which posts JSON to a receiver of ours."""

import json
import logging
import sys
import time

import pytest
from msgspec.structs import replace

from nightowl.adapters.channels.apprise import Apprise
from nightowl.core.errors import DeliveryFailed
from nightowl.core.routing import trial
from nightowl.core.values import Severity

SENTENCE = "shop is down: connection refused, seen from 3 of 3 locations."


def url_of(receiver, path: str = "s3cret-path") -> str:
    return f"{receiver.url.replace('http://', 'json://')}/{path}"


def failure(channel: Apprise, sent) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        channel.send(sent)
    return caught.value


def test_a_notice_arrives_as_title_and_body(receiver, notice) -> None:
    assert Apprise(urls=(url_of(receiver),)).send(notice()) == ""
    [request] = receiver.requests
    said = json.loads(request.body)
    assert request.path == "/hook/s3cret-path"
    assert request.headers["User-Agent"] == "NightOwl"
    assert (said["title"], said["type"]) == ("■ DOWN: shop", "failure")
    assert said["message"].splitlines()[0] == SENTENCE
    assert "Runbook: https://wiki.example/shop" in said["message"]


@pytest.mark.parametrize(
    ("step", "severity", "word"),
    [
        ("firing", Severity.CRITICAL, "failure"),
        ("repeat-1", Severity.WARNING, "warning"),
        ("firing", Severity.INFO, "info"),
        ("resolved", Severity.CRITICAL, "success"),
    ],
)
def test_apprise_is_told_how_bad_it_is(receiver, notice, incident, step, severity, word) -> None:
    Apprise(urls=(url_of(receiver),)).send(notice(step, replace(incident, severity=severity)))
    assert json.loads(receiver.requests[0].body)["type"] == word


def test_a_test_is_no_failure(receiver) -> None:
    Apprise(urls=(url_of(receiver),)).send(trial("ops", "", 1.0))
    assert json.loads(receiver.requests[0].body)["type"] == "info"


def test_a_template_says_title_and_body(receiver, notice) -> None:
    template = {"title": "{{ incident.subject }}\n is out", "body": "{{ sentence | upper }}"}
    Apprise(urls=(url_of(receiver),), template=template).send(notice())
    said = json.loads(receiver.requests[0].body)
    assert (said["title"], said["message"]) == ("shop is out", SENTENCE.upper())


def test_a_template_that_fails_loses_no_page(receiver, notice) -> None:
    remark = Apprise(urls=(url_of(receiver),), template={"title": "{{ nix }}", "body": "{{ step }}"}).send(notice())
    said = json.loads(receiver.requests[0].body)
    assert (said["title"], said["message"]) == ("■ DOWN: shop", "firing")
    assert remark.startswith("the template of the title fails, so the built-in one was used")


def test_one_that_fails_is_tried_again_alone(receiver, reply, notice) -> None:
    broken = {"/hook/b"}
    receiver.answer = lambda handler: reply(handler, 503 if handler.path in broken else 200)
    channel = Apprise(urls=(url_of(receiver, "a"), url_of(receiver, "b")))
    found = failure(channel, notice())
    assert str(found).startswith("urls[1] (json): Failed to send JSON POST notification")
    broken.clear()
    channel.send(notice())
    assert sorted(request.path for request in receiver.requests) == ["/hook/a", "/hook/b", "/hook/b"]
    channel.send(notice("repeat-1"))
    assert len(receiver.requests) == 5


def test_a_url_that_apprise_does_not_know_is_permanent_and_does_not_stop_the_others(receiver, notice, caplog) -> None:
    assert failure(Apprise(urls=("nosuch://s3cret-token",)), notice()).permanent
    remark = Apprise(urls=("nosuch://s3cret-token", url_of(receiver))).send(notice())
    assert remark == "urls[0] (nosuch): apprise does not understand the URL"
    assert remark in caplog.text
    assert len(receiver.requests) == 1


def test_nothing_that_apprise_says_of_a_url_can_be_read_anywhere(receiver, reply, free_port, notice, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.answer = lambda handler: reply(handler, 500)
    urls = (
        url_of(receiver),
        f"json://user:s3cret-password@127.0.0.1:{free_port}/s3cret-path",
        "json://s3cret-host.invalid/?+X-Token=s3cret-header",
        "tgram://s3cret-bot/12315544/",
        "nosuch://s3cret-token",
    )
    found = failure(Apprise(urls=urls), notice())
    assert "s3cret" not in str(found)
    assert "s3cret" not in caplog.text
    assert "s3cret" not in repr(Apprise(urls=urls))


def test_one_that_hangs_keeps_none_of_the_others_from_being_told(receiver, reply, notice) -> None:
    receiver.answer = lambda handler: receiver.closing.wait() if handler.path == "/hook/a" else reply(handler, 200)
    began = time.monotonic()
    found = failure(Apprise(urls=(url_of(receiver, "a"), url_of(receiver, "b")), timeout=2.5), notice())
    assert time.monotonic() - began < 20
    assert str(found) == "urls[0] (json): no end within 2.5 s"
    assert {request.path for request in receiver.requests} == {"/hook/a", "/hook/b"}


def test_sends_that_never_end_do_not_pile_up(receiver, notice) -> None:
    receiver.answer = lambda handler: receiver.closing.wait()
    channel = Apprise(urls=tuple(url_of(receiver, str(number)) for number in range(8)), timeout=0.2)
    failure(channel, notice())
    assert str(failure(channel, notice())) == "8 earlier sends have not ended yet"
    assert len(receiver.requests) <= 8


def test_without_the_extra_the_error_names_it(monkeypatch, notice) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    found = failure(Apprise(urls=("json://127.0.0.1/",)), notice())
    assert str(found).endswith("the channel needs the package apprise: pip install 'nightowl[apprise]'")
    assert not found.permanent
