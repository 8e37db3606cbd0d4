"""Notices as signed JSON to a URL; ``docs/notices.md`` documents the body and how to check the signature."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec

from nightowl.adapters.channels.http import Request, accepted, post
from nightowl.adapters.channels.messages import compose
from nightowl.core.redaction import secrets_of_address
from nightowl.core.values import Notice

SHAPE = 1
"""The version of the body's shape; keys may be added within it, none changes its meaning."""


@dataclass(kw_only=True, frozen=True, repr=False)
class Webhook:
    """Posts notices as JSON; signed where there is a ``secret``. ``ca`` is PEM text, ``timeout`` seconds in all."""

    url: str
    secret: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    verify: bool = True
    ca: str = ""
    timeout: float = 10.0

    def send(self, notice: Notice) -> None:
        """Deliver, or raise ``DeliveryFailed``. The body of a repeated send is the same to the byte."""
        body = msgspec.json.encode(document(notice))
        now = time.time()
        request = Request(
            url=self.url,
            body=body,
            headers=self._headers(notice, body, int(now)),
            verify=self.verify,
            ca=self.ca,
            timeout=self.timeout,
            secrets=(self.secret, *self.headers.values(), *secrets_of_address(self.url)),
        )
        accepted(post(request), now)

    def _headers(self, notice: Notice, body: bytes, now: int) -> dict[str, str]:
        own = {"Content-Type": "application/json", "X-NightOwl-Key": quote(notice.key)}
        if self.secret:
            own["X-NightOwl-Signature"] = signature(self.secret, now, body)
        taken = {name.lower() for name in own}
        return {name: value for name, value in self.headers.items() if name.lower() not in taken} | own


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return ``t=TIMESTAMP,v1=HEX``: HMAC-SHA256 over the timestamp (Unix seconds), a full stop and the body."""
    digest = hmac.digest(secret.encode(), b"%d." % timestamp + body, "sha256")
    return f"t={timestamp},v1={digest.hex()}"


def document(notice: Notice) -> dict[str, Any]:
    """Return the body of a notice."""
    incident, message = notice.incident, compose(notice)
    return {
        "version": SHAPE,
        "key": notice.key,
        "step": notice.step,
        "channel": notice.channel,
        "created": notice.created,
        "title": message.heading,
        "text": message.sentence,
        "url": notice.url,
        "incident": {
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
        },
    }
