"""The kinds of channels, by the word that a configuration uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nightowl.adapters.channels.email import Email
from nightowl.adapters.channels.pagerduty import PagerDuty
from nightowl.adapters.channels.slack import Slack
from nightowl.adapters.channels.webhook import Webhook
from nightowl.core.errors import NotFound
from nightowl.ports import Channel

KINDS: dict[str, Callable[..., Channel]] = {
    "email": Email,
    "webhook": Webhook,
    "slack": Slack,
    "pagerduty": PagerDuty,
}
"""Each makes a channel of its options, given as keywords; durations are seconds, certificates PEM texts."""


def build(kind: str, options: Mapping[str, Any]) -> Channel:
    """Make a channel. Raises ``NotFound`` for an unknown kind; options were checked by the configuration."""
    if kind not in KINDS:
        raise NotFound(f"no channel is of the kind {kind}; there are {', '.join(KINDS)}")
    return KINDS[kind](**options)
