"""The demo's inbox: keeps what arrives, newest first."""

from __future__ import annotations

import smtplib
import time
from email.message import EmailMessage

import httpx
import pytest

from nightowl.demo.inbox import Inbox


@pytest.fixture
def inbox():
    inbox = Inbox()
    inbox.start()
    yield inbox
    inbox.stop()


def mail(inbox: Inbox, subject: str, text: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "owl@shop.example", "ops@shop.example", subject
    message.set_content(text)
    message.add_alternative(f"<p>{text}</p>", subtype="html")
    with smtplib.SMTP("127.0.0.1", inbox.smtp_port) as client:
        client.send_message(message)


def post(inbox: Inbox, **content) -> httpx.Response:
    return httpx.post(inbox.webhook_url, trust_env=False, **content)


def test_a_mail_is_kept_with_its_subject_and_plain_text(inbox):
    mail(inbox, "■ payments is down — 503", "Seen from 3 of 3.\n")
    (message,) = inbox.messages()
    assert (message.kind, message.subject) == ("email", "■ payments is down — 503")
    assert message.text.splitlines() == ["Seen from 3 of 3."]
    assert abs(time.time() - message.received) < 60


def test_a_webhook_is_kept_as_readable_json_under_its_title(inbox):
    assert post(inbox, json={"title": "payments is down", "step": "firing"}).status_code == 200
    (message,) = inbox.messages()
    assert (message.kind, message.subject) == ("webhook", "payments is down")
    assert message.text == '{\n  "title": "payments is down",\n  "step": "firing"\n}'


@pytest.mark.parametrize("content", [{"json": [1]}, {"json": {"key": 1}}])
def test_a_webhook_of_another_shape_is_kept_as_well(inbox, content):
    assert post(inbox, **content).status_code == 200
    assert inbox.messages()[0].subject == "Webhook"


def test_what_is_not_json_is_refused(inbox):
    assert post(inbox, content=b"{").status_code == 400
    assert inbox.messages() == []


def test_the_newest_200_messages_are_kept_newest_first(inbox):
    for number in range(205):
        inbox.keep("email", str(number), "")
    assert [message.subject for message in inbox.messages()] == [str(number) for number in range(204, 4, -1)]


def test_the_page_shows_what_arrived_and_trusts_none_of_it(inbox):
    assert "Nothing has arrived yet." in httpx.get(inbox.page_url, trust_env=False).text
    post(inbox, json={"title": "<script>payments is down"})
    page = httpx.get(inbox.page_url, trust_env=False).text
    assert "&lt;script&gt;payments is down" in page
    assert "<script>" not in page
