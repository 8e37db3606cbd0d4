"""Notices as signed JSON to a URL; ``docs/notices.md`` documents the body and how to check the signature."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from nightowl.adapters.channels.http import Request, accepted, post
from nightowl.core.messages import compose
from nightowl.core.notice_template import says_json, write
from nightowl.core.redaction import secrets_of_address
from nightowl.core.values import Incident, Notice

JSON = "application/json"

SHAPE = 1
"""The version of the body's shape; keys may be added within it, none changes its meaning."""


@dataclass(kw_only=True, frozen=True, repr=False)
class Webhook:
    """Posts notices as JSON; signed where there is a ``secret``. ``ca`` is PEM text, ``timeout`` seconds in all.

    ``template`` may have a ``body``, which is sent instead, as ``content_type``: one of JSON only if it is well-formed.
    """

    groups: ClassVar[bool] = True
    url: str
    secret: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    verify: bool = True
    ca: str = ""
    template: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON
    timeout: float = 10.0

    def send(self, notice: Notice) -> str:
        """Deliver, or raise ``DeliveryFailed``; return what went otherwise than meant (empty: nothing).

        The body of a repeated send is the same to the byte.
        """
        written, remark = write(self.template, notice, is_json=says_json(self.content_type))
        templated = "body" in written
        body = written["body"].encode() if templated else msgspec.json.encode(document(notice))
        now = time.time()
        request = Request(
            url=self.url,
            body=body,
            headers={"Content-Type": self.content_type if templated else JSON} | self._headers(notice, body, int(now)),
            verify=self.verify,
            ca=self.ca,
            timeout=self.timeout,
            secrets=(self.secret, *self.headers.values(), *secrets_of_address(self.url)),
        )
        accepted(post(request), now)
        return remark

    def _headers(self, notice: Notice, body: bytes, now: int) -> dict[str, str]:
        own = {"X-NightOwl-Key": quote(notice.key)}
        if self.secret:
            own["X-NightOwl-Signature"] = signature(self.secret, now, body)
        taken = {"content-type", *(name.lower() for name in own)}
        return {name: value for name, value in self.headers.items() if name.lower() not in taken} | own


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return ``t=TIMESTAMP,v1=HEX``: HMAC-SHA256 over the timestamp (Unix seconds), a full stop and the body."""
    digest = hmac.digest(secret.encode(), b"%d." % timestamp + body, "sha256")
    return f"t={timestamp},v1={digest.hex()}"


def document(notice: Notice) -> dict[str, Any]:
    """Return the body of a notice."""
    message = compose(notice)
    return {
        "version": SHAPE,
        "key": notice.key,
        "step": notice.step,
        "channel": notice.channel,
        "created": notice.created,
        "title": message.heading,
        "text": message.sentence,
        "url": notice.url,
        "incident": _incident(notice.incident),
        "others": [_incident(other) for other in notice.others],
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "kind": incident.kind,
        "subject": incident.subject,
        "severity": incident.severity,
        "summary": incident.summary,
        "reason": incident.reason,
        "opened": incident.opened,
        "resolved": incident.resolved,
        "acknowledged": incident.acknowledged,
        "acknowledged_by": incident.acknowledged_by,
        "tags": incident.tags,
        "runbook": incident.runbook,
    }
