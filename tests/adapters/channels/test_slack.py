import json

import pytest
from msgspec.structs import replace

from nightowl.adapters.channels.slack import Slack, payload
from nightowl.core.errors import DeliveryFailed
from nightowl.core.messages import compose


def test_a_notice_arrives_as_blocks_with_shape_and_word(receiver, notice) -> None:
    Slack(url=receiver.url).send(notice())
    body = json.loads(receiver.requests[0].body)
    header, sentence, facts, links = body["blocks"]
    assert header["text"] == {"type": "plain_text", "text": "■ DOWN: shop"}
    assert sentence["text"]["text"] == "shop is down: connection refused, seen from 3 of 3 locations."
    assert "*Severity*\ncritical" in [field["text"] for field in facts["fields"]]
    assert "<https://owl.example/incidents/5f2c|Details>" in links["elements"][0]["text"]
    assert body["text"].startswith("■ DOWN: shop\n")


def test_without_links_and_facts_there_are_no_empty_blocks(notice, incident) -> None:
    bare = replace(notice("test", replace(incident, runbook="")), url="")
    assert [block["type"] for block in payload(compose(bare))["blocks"]] == ["header", "section"]


def test_control_characters_of_slack_are_escaped(notice, incident) -> None:
    evil = replace(incident, summary="shop <!channel> & b", tags={"t": "<@U1>"}, runbook="https://x.example/|<!here>")
    written = json.dumps(payload(compose(notice(incident=evil))))
    assert "shop &lt;!channel&gt; &amp; b" in written
    assert "<!" not in written
    assert "<@" not in written


def test_texts_stay_within_the_limits_of_slack(notice, incident) -> None:
    long = replace(incident, subject="s" * 500, summary="<" * 5000, tags={f"t{n}": "&" * 100 for n in range(50)})
    header, sentence, facts, _ = payload(compose(notice(incident=long)))["blocks"]
    assert len(header["text"]["text"]) <= 150
    assert len(sentence["text"]["text"]) <= 3000
    assert all(len(field["text"]) <= 2000 for field in facts["fields"])
    assert len(facts["fields"]) <= 10


@pytest.mark.parametrize(
    ("status", "word"), [(400, b"invalid_payload"), (404, b"no_service"), (410, b"channel_is_archived")]
)
def test_what_slack_never_will_take_is_permanent_and_said_in_its_word(receiver, reply, notice, status, word) -> None:
    receiver.answer = lambda handler: reply(handler, status, word)
    with pytest.raises(DeliveryFailed, match=word.decode()) as caught:
        Slack(url=receiver.url).send(notice())
    assert caught.value.permanent
    assert receiver.url not in str(caught.value)


def test_a_channel_does_not_show_its_address() -> None:
    assert "T0/B0" not in repr(Slack(url="https://hooks.slack.example/services/T0/B0/x"))


def test_a_template_says_the_text_and_what_it_puts_in_is_escaped(receiver, notice, incident) -> None:
    template = {"text": "*{{ incident.subject }}* <{{ url }}|Details> {{ sentence }}"}
    evil = replace(incident, summary="shop <!channel> & b")
    assert Slack(url=receiver.url, template=template).send(notice(incident=evil)) == ""
    assert json.loads(receiver.requests[0].body) == {
        "text": "*shop* <https://owl.example/incidents/5f2c|Details> shop &lt;!channel&gt; &amp; b."
    }


def test_a_template_that_fails_loses_no_page(receiver, notice) -> None:
    remark = Slack(url=receiver.url, template={"text": "{{ nix }}"}).send(notice())
    assert json.loads(receiver.requests[0].body)["text"].startswith("■ DOWN: shop")
    assert remark.startswith("the template of the text fails, so the built-in one was used")


def test_other_incidents_are_listed_within_the_limits_of_slack(notice, incident) -> None:
    others = (replace(incident, subject="&" * 500),) * 60
    lists = [
        block["text"]["text"]
        for block in payload(compose(replace(notice(), others=others)))["blocks"]
        if block["type"] == "section" and "text" in block
    ][1:]
    assert lists[0].startswith("*Also*\n• ■ DOWN: &amp;")
    assert all(len(text) <= 3000 for text in lists)
    assert len(payload(compose(replace(notice(), others=others)))["blocks"]) <= 50
    assert lists[-1].endswith("• and 10 more")
