"""One event of a task to the URL of a hook: ``docs/hooks.md`` documents the body and how to check the signature."""

from __future__ import annotations

import time

from nightowl.adapters.channels.http import Request, accepted, post
from nightowl.adapters.channels.webhook import JSON, signature
from nightowl.core.cluster.settings import HookSettings
from nightowl.core.redaction import secrets_of_address


def deliver(hook: HookSettings, key: str, body: bytes) -> None:
    """Post ``body``, or raise ``DeliveryFailed``."""
    now = time.time()
    headers = {"Content-Type": JSON, "X-NightOwl-Key": key}
    if hook.secret:
        headers["X-NightOwl-Signature"] = signature(hook.secret, int(now), body)
    request = Request(
        url=hook.url,
        body=body,
        headers=headers,
        verify=hook.verify,
        ca=hook.ca,
        timeout=hook.timeout,
        secrets=tuple(secret for secret in (hook.secret, *secrets_of_address(hook.url)) if secret),
    )
    accepted(post(request), now)
