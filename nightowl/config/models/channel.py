"""``[channel.NAME]``: one model for each kind."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from nightowl.config.fields import Headers, Line, Port, Seconds, Shape, WebUrl, one_line, refuse
from nightowl.config.models.table import Table

_LONGEST = 30.0
"""Seconds: a longer send would outlast the claim on its notice, and another notifier would repeat it."""


def _mailbox(found: str) -> str:
    if "@" not in one_line(found):
        raise refuse('an e-mail address such as "ops@example.org" or "Ops <ops@example.org>"')
    return found


Mailbox = Annotated[str, AfterValidator(_mailbox), Shape("e-mail address")]
"""Whom mail comes from or goes to."""


class Email(Table):
    """Notices by e-mail."""

    kind: Literal["email"]
    """`email`."""
    host: Annotated[Line, Field(min_length=1)]
    """The mail server."""
    port: Port | None = None
    """Its port. Without it: 587 for `starttls`, 465 for `tls`, 25 for `none`."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is secured. `starttls` never falls back to plain text."""
    verify: bool = True
    """Whether the server's certificate must be valid, trusted and made for `host`."""
    ca: str | None = None
    """CA certificates that the server's is verified by: a PEM file or text. Without it: the system's."""
    username: str | None = None
    """The account, where the server wants one."""
    password: str | None = None
    """Its password, best as `${env:NAME}`."""
    sender: Mailbox = Field(alias="from")
    """Whom the mail comes from."""
    to: Annotated[list[Mailbox], Field(min_length=1), Shape("list of e-mail addresses")]
    """Whom it goes to."""
    timeout: Annotated[float, Seconds(at_least=1, at_most=_LONGEST)] = 10.0
    """How long one delivery may take."""

    @model_validator(mode="after")
    def _account(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise refuse("username and password together, or neither")
        return self


class Webhook(Table):
    """Notices as JSON to a URL of yours, signed where `secret` is given."""

    kind: Literal["webhook"]
    """`webhook`."""
    url: WebUrl
    """Where the notice is posted."""
    secret: Annotated[str, Field(min_length=1)] | None = None
    """The key of the HMAC-SHA256 signature of each request, best as `${env:NAME}`. Without it: not signed."""
    headers: Headers = Field(default_factory=dict)
    """Headers to send beside NightOwl's own."""
    verify: bool = True
    """Whether the receiver's certificate must be valid, trusted and made for its host."""
    ca: str | None = None
    """CA certificates that the receiver's is verified by: a PEM file or text. Without it: the system's."""
    timeout: Annotated[float, Seconds(at_least=1, at_most=_LONGEST)] = 10.0
    """How long one delivery may take."""


class Slack(Table):
    """Notices to a Slack incoming webhook (or what understands the same, such as Mattermost)."""

    kind: Literal["slack"]
    """`slack`."""
    url: WebUrl
    """The address of the incoming webhook: a secret, best as `${env:NAME}`."""
    timeout: Annotated[float, Seconds(at_least=1, at_most=_LONGEST)] = 10.0
    """How long one delivery may take."""


class PagerDuty(Table):
    """Notices to PagerDuty by its Events API v2 (or to what understands the same)."""

    kind: Literal["pagerduty"]
    """`pagerduty`."""
    routing_key: Annotated[str, Field(min_length=1), AfterValidator(one_line)]
    """The integration key of a service or an event orchestration: a secret, best as `${env:NAME}`."""
    url: WebUrl = "https://events.pagerduty.com/v2/enqueue"
    """Where events are posted. Of PagerDuty's EU service region: `https://events.eu.pagerduty.com/v2/enqueue`."""
    timeout: Annotated[float, Seconds(at_least=1, at_most=_LONGEST)] = 10.0
    """How long one delivery may take."""


AnyChannel = Email | Webhook | Slack | PagerDuty
"""A channel of any kind."""

CHANNELS: dict[str, type[AnyChannel]] = {
    "email": Email,
    "webhook": Webhook,
    "slack": Slack,
    "pagerduty": PagerDuty,
}
"""The kinds of channels."""
