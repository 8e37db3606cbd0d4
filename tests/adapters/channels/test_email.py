import logging
import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from threading import Thread

import pytest
from msgspec.structs import replace

from nightowl.adapters.channels.email import Email
from nightowl.core.errors import DeliveryFailed

# Under TLS from the first byte aiosmtpd does not see the TLS.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

SENDER = "NightOwl <owl@night.example>"


def channel(server, **options) -> Email:
    return Email(**{"host": "127.0.0.1", "port": server.port, "sender": SENDER, "to": ["ops@shop.example"], **options})


def failure(sending: Email, sent) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        sending.send(sent)
    return caught.value


def read(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_notice_arrives_as_text_and_html(mail_server, notice) -> None:
    server = mail_server()
    channel(server, security="none").send(notice())
    [message] = map(read, server.mailbox.messages)
    text = message.get_body(("plain",)).get_content()
    html = message.get_body(("html",)).get_content()
    assert message["Subject"] == "■ DOWN: shop"
    assert message["From"] == SENDER
    assert message["X-NightOwl-Key"] == "5f2c/firing/ops"
    assert message["Auto-Submitted"] == "auto-generated"
    for part in (text, html):
        assert "shop is down: connection refused, seen from 3 of 3 locations." in part
        assert "https://owl.example/incidents/5f2c" in part
        assert "https://wiki.example/shop" in part


def test_all_recipients_get_one_mail(mail_server, notice) -> None:
    server = mail_server()
    channel(server, security="none", to=["Ann <ann@x.example>", "bob@x.example"]).send(notice())
    assert server.mailbox.recipients == [["ann@x.example", "bob@x.example"]]
    assert read(server.mailbox.messages[0])["To"] == "Ann <ann@x.example>, bob@x.example"


def test_a_repeated_send_has_the_same_message_id_and_text(mail_server, notice) -> None:
    server = mail_server()
    channel(server, security="none").send(notice())
    channel(server, security="none").send(notice())
    first, second = map(read, server.mailbox.messages)
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] == second["Date"]
    assert first["Message-ID"].endswith("@night.example>")


def test_later_notices_of_an_incident_join_the_thread_of_the_first(mail_server, notice) -> None:
    server = mail_server()
    for step in ("firing", "repeat-1", "resolved"):
        channel(server, security="none").send(notice(step))
    first, *later = map(read, server.mailbox.messages)
    assert first["In-Reply-To"] is None
    assert {message["In-Reply-To"] for message in later} == {first["Message-ID"]}
    assert {message["References"] for message in later} == {first["Message-ID"]}
    assert len({message["Message-ID"] for message in (first, *later)}) == 3


def test_names_from_outside_cannot_add_headers_or_markup(mail_server, notice, incident) -> None:
    server = mail_server()
    evil = replace(incident, subject="a\r\nBcc: eve@x.example", summary="<script>alert(1)</script>\r\n.\r\nQUIT")
    channel(server, security="none").send(replace(notice(incident=evil), channel="x\r\nBcc: eve@x.example"))
    message = read(server.mailbox.messages[0])
    assert message["Bcc"] is None
    assert message["Subject"] == "■ DOWN: a Bcc: eve@x.example"
    assert "<script>" not in message.get_body(("html",)).get_content()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_under_tls_after_signing_in(mail_server, ca, account, notice, security) -> None:
    server = mail_server(security, account=True)
    username, password = account
    channel(server, security=security, ca=ca, username=username, password=password).send(notice())
    assert len(server.mailbox.messages) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_with_a_foreign_certificate_gets_nothing(mail_server, account, notice, security) -> None:
    server = mail_server(security)
    username, password = account
    found = failure(channel(server, security=security, username=username, password=password), notice())
    assert not found.permanent
    assert "certificate of 127.0.0.1 is not trusted" in str(found)
    assert server.mailbox.messages == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_for_another_name_is_not_trusted(mail_server, ca, notice, security) -> None:
    server = mail_server(security)
    found = failure(channel(server, security=security, ca=ca, host="localhost"), notice())
    assert "certificate of localhost is not trusted" in str(found)


def test_verification_can_be_switched_off(mail_server, notice) -> None:
    server = mail_server("tls")
    channel(server, security="tls", verify=False).send(notice())
    assert len(server.mailbox.messages) == 1


def test_starttls_never_falls_back_to_plain_text(mail_server, ca, notice) -> None:
    server = mail_server("none")
    found = failure(channel(server, security="starttls", ca=ca), notice())
    assert found.permanent
    assert "STARTTLS" in str(found)
    assert server.mailbox.messages == []


def test_a_wrong_password_is_permanent_and_not_told(mail_server, ca, notice) -> None:
    server = mail_server("tls", account=True)
    found = failure(channel(server, security="tls", ca=ca, username="owl", password="wrong-9d3e"), notice())
    assert found.permanent
    assert "535" in str(found)
    assert "wrong-9d3e" not in str(found)


@pytest.mark.parametrize(("answer", "permanent"), [("451 try later", False), ("554 no spam", True)])
def test_4xx_is_tried_again_and_5xx_is_permanent(mail_server, notice, answer, permanent) -> None:
    server = mail_server()
    server.mailbox.data_reply = answer
    found = failure(channel(server, security="none"), notice())
    assert found.permanent is permanent
    assert answer in str(found)


@pytest.mark.parametrize(("answer", "permanent"), [("450 mailbox busy", False), ("550 no such user", True)])
def test_a_refused_recipient_is_named(mail_server, notice, answer, permanent) -> None:
    server = mail_server()
    server.mailbox.refuse = {"ops@shop.example": answer}
    found = failure(channel(server, security="none"), notice())
    assert found.permanent is permanent
    assert str(found) == f"ops@shop.example refused: {answer}"


def test_a_recipient_refused_for_now_is_tried_again_alone(mail_server, notice) -> None:
    server = mail_server()
    server.mailbox.refuse = {"bob@x.example": "450 greylisted"}
    sending = channel(server, security="none", to=["ann@x.example", "Bob <bob@x.example>"])
    assert not failure(sending, notice()).permanent
    server.mailbox.refuse = {}
    sending.send(notice())
    assert server.mailbox.recipients == [["ann@x.example"], ["bob@x.example"]]
    sending.send(notice("resolved"))
    assert server.mailbox.recipients[-1] == ["ann@x.example", "bob@x.example"]


def test_a_recipient_refused_for_good_does_not_stop_the_others(mail_server, notice, caplog) -> None:
    server = mail_server()
    server.mailbox.refuse = {"bob@x.example": "550 no such user"}
    with caplog.at_level(logging.WARNING):
        channel(server, security="none", to=["ann@x.example", "bob@x.example"]).send(notice())
    assert server.mailbox.recipients == [["ann@x.example"]]
    assert "bob@x.example refused: 550 no such user; the other recipients got it" in caplog.text


def test_a_refused_connection_is_tried_again(free_port, notice) -> None:
    sending = Email(host="127.0.0.1", port=free_port, sender=SENDER, to=["ops@x.example"], security="none")
    found = failure(sending, notice())
    assert not found.permanent
    assert str(found) == "127.0.0.1: Connection refused"


class TalkingServer:
    """Says what it is told to say to each line, whatever the line is; nothing more to say: it hangs."""

    def __init__(self, *replies: bytes) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._replies = replies
        self._thread = Thread(target=self._talk)
        self._thread.start()

    def _talk(self) -> None:
        connection, _ = self._socket.accept()
        with connection, connection.makefile("rb") as lines:
            for answer in self._replies:
                connection.sendall(answer)
                if not answer.startswith(b"354"):
                    lines.readline()
                else:
                    list(iter(lines.readline, b".\r\n"))
            lines.read()

    def close(self) -> None:
        self._thread.join()
        self._socket.close()


@pytest.fixture
def talking() -> Iterator[list[TalkingServer]]:
    servers: list[TalkingServer] = []
    yield servers
    for server in servers:
        server.close()


def test_a_server_that_hangs_is_given_up_in_time_and_tried_again(talking, notice) -> None:
    talking.append(TalkingServer(b"220 ready\r\n"))
    found = failure(channel(talking[0], security="none", timeout=0.3), notice())
    assert not found.permanent
    assert str(found) == "no answer from 127.0.0.1 within 0.3 s"


def test_a_server_that_takes_the_mail_and_then_hangs_has_taken_it(talking, notice) -> None:
    replies = (b"220 ready\r\n", b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 taken\r\n")
    talking.append(TalkingServer(*replies))
    channel(talking[0], security="none", timeout=60).send(notice())


def test_a_channel_does_not_show_its_password() -> None:
    shown = repr(Email(host="x", port=25, sender=SENDER, to=[], password="hoot-7c1f"))
    assert "hoot-7c1f" not in shown


def test_a_template_says_subject_and_text_and_nothing_else(mail_server, notice) -> None:
    server = mail_server()
    template = {"subject": "{{ incident.subject }}\r\nBcc: x@y.example", "body": "{{ sentence }}"}
    assert channel(server, security="none", template=template).send(notice()) == ""
    [received] = [message_from_bytes(raw, policy=policy.default) for raw in server.mailbox.messages]
    assert (received["Subject"], received["Bcc"]) == ("shop Bcc: x@y.example", None)
    assert received.get_content_type() == "text/plain"
    assert received.get_content().strip() == "shop is down: connection refused, seen from 3 of 3 locations."


def test_a_template_of_the_subject_leaves_the_rest_as_it_is(mail_server, notice) -> None:
    server = mail_server()
    channel(server, security="none", template={"subject": "{{ step }}"}).send(notice())
    [received] = [message_from_bytes(raw, policy=policy.default) for raw in server.mailbox.messages]
    assert received["Subject"] == "firing"
    assert received.get_content_type() == "multipart/alternative"


def test_a_template_that_fails_loses_no_page(mail_server, notice) -> None:
    server = mail_server()
    remark = channel(server, security="none", template={"subject": "{{ nix }}", "body": "{{ incident.nix }}"}).send(
        notice()
    )
    [received] = [message_from_bytes(raw, policy=policy.default) for raw in server.mailbox.messages]
    assert received["Subject"] == "■ DOWN: shop"
    assert "the template of the subject fails" in remark
    assert "the template of the body fails" in remark


def test_other_incidents_are_listed_in_text_and_html(mail_server, notice, incident) -> None:
    server = mail_server()
    channel(server, security="none").send(
        replace(notice(), others=(replace(incident, subject="d<b", summary="d<b is down"),))
    )
    [received] = [message_from_bytes(raw, policy=policy.default) for raw in server.mailbox.messages]
    text, html = (part.get_content() for part in received.iter_parts())
    assert "- ■ DOWN: d<b — d<b is down" in text
    assert "<li>■ DOWN: d&lt;b — d&lt;b is down</li>" in html
