"""Notices to PagerDuty as alert events of its Events API v2, or to what understands the same.

It answers 202 when it has taken an event, 400 with a JSON object (``message``, ``errors``) when it never will, 429 when
it was told too much, and 5xx. An event has at most 512 KB:
https://developer.pagerduty.com/docs/events-api-v2-overview and
https://developer.pagerduty.com/docs/send-alert-event
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from nightowl.adapters.channels.http import QUOTED, Answer, Request, accepted, post
from nightowl.core.errors import DeliveryFailed
from nightowl.core.messages import Message, compose, cut
from nightowl.core.notice_template import write
from nightowl.core.redaction import hiding, secrets_of_address
from nightowl.core.values import Incident, Notice, Severity

Action = Literal["trigger", "resolve"]
"""What an event does to the alert of its ``dedup_key``: open it or add to it, or close it."""

_KEY = 255
_SUMMARY = 1024
"""Characters that PagerDuty takes at most; for the others it names no limit."""

_NAME = 255
_VALUE = 400
_SENTENCE = 4000
_LINK = 2048
_TAGS = 50
"""Of these lengths (and so many tags) an event stays far below 512 KB, though JSON may make six bytes of one."""

_ANSWER = 4000
"""Characters of an answer to look for its words in: what stands around them is not quoted."""

_SEVERITIES = {Severity.CRITICAL: "critical", Severity.WARNING: "warning", Severity.INFO: "info"}
"""PagerDuty's words; its ``error``, between critical and warning, has no counterpart."""


@dataclass(kw_only=True, frozen=True, repr=False)
class PagerDuty:
    """Sends events to an integration, whose ``routing_key`` is a secret. ``timeout`` is seconds in all.

    ``template`` may have a ``summary``.
    """

    routing_key: str
    url: str
    template: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 10.0

    def send(self, notice: Notice) -> str:
        """Deliver, or raise ``DeliveryFailed``; return what went otherwise than meant (empty: nothing).

        A test opens an alert and resolves it at once, for no other notice would ever do so.
        """
        written, remark = write(self.template, notice)
        summary = " ".join(written.get("summary", "").split())
        if notice.step == "test":
            self._open_and_close(notice, summary)
        else:
            self._enqueue(event(notice, "resolve" if notice.step == "resolved" else "trigger", summary), self.timeout)
        return remark

    def _open_and_close(self, notice: Notice, summary: str) -> None:
        self._enqueue(event(notice, "trigger", summary), self.timeout / 2)
        try:
            self._enqueue(event(notice, "resolve", summary), self.timeout / 2)
        except DeliveryFailed as failure:
            raise DeliveryFailed(
                f"an alert was opened, but not resolved: {failure}",
                permanent=failure.permanent,
                retry_after=failure.retry_after,
            ) from None

    def _enqueue(self, told: Mapping[str, Any], timeout: float) -> None:
        # An answer may say the body back in any form, and there the key stands as JSON writes it.
        in_json = msgspec.json.encode(self.routing_key).decode()[1:-1]
        secrets = (self.routing_key, in_json, *secrets_of_address(self.url))
        request = Request(
            url=self.url,
            body=msgspec.json.encode({"routing_key": self.routing_key, **told}),
            headers={"Content-Type": "application/json"},
            timeout=timeout,
            secrets=secrets,
            kept=_ANSWER,
        )
        accepted(_in_its_words(post(request), secrets), time.time())


def event(notice: Notice, action: Action, summary: str = "") -> dict[str, Any]:
    """Return the event for a notice, all but its ``routing_key``; ``summary`` stands for the built-in one.

    The ``dedup_key`` is the incident's id, so what follows an incident's first notice meets the alert that it opened.
    A ``resolve`` needs no payload, but what it has is kept in the alert's log.
    """
    incident, message = notice.incident, compose(notice)
    links = [("Details", message.url), ("Runbook", message.runbook)]
    linked = [{"href": target, "text": text} for text, target in links if _is_link(target)]
    client = {"client": "NightOwl"} | ({"client_url": message.url} if _is_link(message.url) else {})
    return {
        "event_action": action,
        "dedup_key": incident.id[:_KEY],
        "payload": _payload(notice, message, summary or f"{message.heading} — {message.sentence}"),
        **client,
        **({"links": linked} if linked else {}),
    }


def _payload(notice: Notice, message: Message, summary: str) -> dict[str, Any]:
    """Return PagerDuty's common event format: https://support.pagerduty.com/main/docs/pd-cef."""
    incident = notice.incident
    named = {name: cut(incident.tags[name], _NAME) for name in ("component", "group") if incident.tags.get(name)}
    return {
        "summary": cut(summary, _SUMMARY),
        "source": cut(incident.subject, _NAME),
        "severity": _SEVERITIES[incident.severity],
        "timestamp": datetime.fromtimestamp(incident.opened, UTC).isoformat(timespec="milliseconds"),
        **named,
        "class": cut(incident.reason or incident.kind, _NAME),
        "custom_details": _details(notice, message),
    }


def _details(notice: Notice, message: Message) -> dict[str, Any]:
    incident = notice.incident
    details = {
        "sentence": cut(message.sentence, _SENTENCE),
        "reason": cut(incident.reason, _VALUE),
        "kind": incident.kind,
        "step": notice.step,
        "key": cut(notice.key, _VALUE),
        "tags": _tags(incident),
    }
    return {name: value for name, value in details.items() if value}


def _tags(incident: Incident) -> dict[str, str]:
    return {cut(name, _NAME): cut(value, _VALUE) for name, value in sorted(incident.tags.items())[:_TAGS]}


def _is_link(target: str) -> bool:
    """Whether a link is one that can be followed: half of an address leads nowhere, so none is cut."""
    return target.startswith(("http://", "https://")) and len(target) <= _LINK


class _Refusal(msgspec.Struct):
    """What PagerDuty says when it does not take an event."""

    message: str = ""
    errors: list[str] = []


def _in_its_words(answer: Answer, secrets: tuple[str, ...]) -> Answer:
    """Return an answer with PagerDuty's sentences in place of the JSON around them.

    They are masked once more, because JSON can write a secret in more ways than were looked for in its text.
    """
    try:
        refusal = msgspec.json.decode(answer.text, type=_Refusal)
        words = ": ".join(filter(None, [refusal.message, "; ".join(refusal.errors)]))
    except (msgspec.MsgspecError, RecursionError):  # the latter for what is nested deeply
        words = ""
    text = hiding(secrets)(" ".join((words or answer.text).split()))
    return msgspec.structs.replace(answer, text=text[:QUOTED])
