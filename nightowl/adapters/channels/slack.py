"""Notices to a Slack incoming webhook, or to what understands the same (Mattermost, Rocket.Chat).

Slack answers 200 ``ok``; 429 with Retry-After when it was told too much (about one message a second is allowed); 400,
403, 404 and 410 with a word (``no_service``, ``channel_is_archived``) when it never will take the message:
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import msgspec

from nightowl.adapters.channels.http import Request, accepted, post
from nightowl.core.messages import Message, compose, cut
from nightowl.core.notice_template import write
from nightowl.core.redaction import secrets_of_address
from nightowl.core.values import Notice

_HEADING = 150
_SENTENCE = 600
_VALUE = 400
_OTHER = 140
_TEXT = 4000
"""Characters taken. Slack takes 150, 3000, 2000 and 40,000; in all but the first, escaping may make five of one."""

_LISTED = 4
"""Other incidents in one block."""

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(kw_only=True, frozen=True, repr=False)
class Slack:
    """Posts notices to an incoming webhook, whose ``url`` is a secret. ``timeout`` is seconds in all.

    ``template`` may have a ``text`` in Slack's mrkdwn; the values that it puts in are escaped.
    """

    groups: ClassVar[bool] = True
    url: str
    template: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 10.0

    def send(self, notice: Notice) -> str:
        """Deliver, or raise ``DeliveryFailed``; return what went otherwise than meant (empty: nothing)."""
        written, remark = write(self.template, notice, _escaped)
        text = written.get("text", "").strip()
        body = msgspec.json.encode({"text": cut(text, _TEXT)} if text else payload(compose(notice)))
        request = Request(
            url=self.url,
            body=body,
            headers={"Content-Type": "application/json"},
            timeout=self.timeout,
            secrets=tuple(secrets_of_address(self.url)),
        )
        accepted(post(request), time.time())
        return remark


def payload(message: Message) -> dict[str, Any]:
    """Return the blocks of a message, and the text that notifications and screen readers use instead."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": cut(message.heading, _HEADING)}},
        {"type": "section", "text": _markdown(_escaped(cut(message.sentence, _SENTENCE)))},
    ]
    if message.others:
        blocks += _also(message.others)
    if message.facts:
        fields = [_markdown(f"*{name}*\n{_escaped(cut(value, _VALUE))}") for name, value in message.facts]
        blocks.append({"type": "section", "fields": fields})
    links = [("Runbook", message.runbook), ("Details", message.url)]
    linked = " · ".join(_link(name, target) for name, target in links if target)
    if linked:
        blocks.append({"type": "context", "elements": [_markdown(linked)]})
    return {"text": _escaped(f"{message.heading}\n{message.sentence}"), "blocks": blocks}


def _also(others: Sequence[str]) -> list[dict[str, Any]]:
    """Return the blocks that list other incidents: a few in each, so that escaping makes none of them too long."""
    lines = [f"• {_escaped(cut(line, _OTHER))}" for line in others]
    lists = ["\n".join(lines[at : at + _LISTED]) for at in range(0, len(lines), _LISTED)]
    return [{"type": "section", "text": _markdown(text)} for text in [f"*Also*\n{lists[0]}", *lists[1:]]]


def _markdown(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def _link(name: str, target: str) -> str:
    web = target.startswith(("http://", "https://")) and not set(target) & set("|<> ")
    return f"<{_escaped(target)}|{name}>" if web else f"{name}: {_escaped(target)}"


def _escaped(text: str) -> str:
    """Slack's three control characters: https://docs.slack.dev/messaging/formatting-message-text."""
    return text.translate(_ESCAPES)
