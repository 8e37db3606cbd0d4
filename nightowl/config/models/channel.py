"""``[channel.NAME]``: one model for each kind."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator

from nightowl.config.fields import Headers, Line, Port, Seconds, Shape, WebUrl, one_line, plain, refuse, web_url
from nightowl.config.models.table import Table

_MOST = 8
"""URLs of one channel at most."""

_LONGEST = 30.0
"""Seconds: a longer send would outlast the claim on its notice, and another notifier would repeat it."""


def _mailbox(found: str) -> str:
    if "@" not in one_line(found):
        raise refuse('an e-mail address such as "ops@example.org" or "Ops <ops@example.org>"')
    return found


Mailbox = Annotated[str, AfterValidator(_mailbox), Shape("e-mail address")]
"""Whom mail comes from or goes to."""


def _addresses(found: object) -> str | list[str]:
    """Return one URL or a list of them in the form in which it was given."""
    given = found if isinstance(found, list) else [found]
    if not 1 <= len(given) <= _MOST or len({str(one) for one in given}) < len(given):
        raise refuse(f"a URL, or a list of at most {_MOST} of them, each once")
    urls = [web_url(one if isinstance(one, str) else "") for one in given]
    return urls if isinstance(found, list) else urls[0]


def _apprise_url(found: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9+.-]*://\S+", one_line(found), re.IGNORECASE):
        raise refuse('a URL as apprise has them, such as "${env:TELEGRAM_URL}" for tgram://TOKEN/CHAT')
    return found


_URL_SCHEMA = {"type": "string"}
Addresses = Annotated[
    str | list[str],
    PlainValidator(_addresses),
    WithJsonSchema({"anyOf": [_URL_SCHEMA, {"type": "array", "items": _URL_SCHEMA, "minItems": 1, "maxItems": _MOST}]}),
    Shape("URL, or list of URLs"),
]
"""Where the members of a cluster are."""

AppriseUrl = Annotated[str, AfterValidator(_apprise_url)]
"""Whatever apprise understands."""

Template = Annotated[str, Field(min_length=1), Shape("template")]
"""A text with values of the notice in it."""


class MailTemplate(Table):
    """What mails say instead of the built-in message."""

    subject: Template | None = None
    """The subject, as one line."""
    body: Template | None = None
    """The text. There is no HTML beside it then."""


class WebhookTemplate(Table):
    """What is posted instead of the built-in document."""

    body: Template
    """The whole body; it is signed like any other."""
    content_type: Line = "application/json"
    """What it is. Of JSON it is proved that it is well-formed."""


class AppriseTemplate(Table):
    """What is sent instead of the built-in message."""

    title: Template | None = None
    """The title, as one line."""
    body: Template | None = None
    """The text."""


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
    template: MailTemplate | None = None
    """A template of the subject, the body or both. Without it: the built-in message."""
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
    template: WebhookTemplate | None = None
    """A template of the body. Without it: the built-in document."""
    timeout: Annotated[float, Seconds(at_least=1, at_most=_LONGEST)] = 10.0
    """How long one delivery may take."""


class Slack(Table):
    """Notices to a Slack incoming webhook (or what understands the same, such as Mattermost)."""

    kind: Literal["slack"]
    """`slack`."""
    url: WebUrl
    """The address of the incoming webhook: a secret, best as `${env:NAME}`."""
    template: Template | None = None
    """A template of the text, in Slack's mrkdwn. Without it: the built-in message."""
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
    template: Template | None = None
    """A template of the summary. Without it: state and sentence."""
    timeout: Annotated[float, Seconds(at_least=1, at_most=_LONGEST)] = 10.0
    """How long one delivery may take."""


class Alertmanager(Table):
    """Notices as alerts to Prometheus Alertmanagers, for teams that route, group and silence there."""

    kind: Literal["alertmanager"]
    """`alertmanager`."""
    url: Addresses
    """Where it is, such as `http://alertmanager.example:9093`; of a cluster every member."""
    resend: Annotated[float, Seconds(at_least=10, at_most=3600)] = 60.0
    """How often an open incident is told again. An alert that is not told again for four times as long ends by \
itself."""
    headers: Headers = Field(default_factory=dict)
    """Headers to send, such as `Authorization`."""
    verify: bool = True
    """Whether the receivers' certificates must be valid, trusted and made for their hosts."""
    ca: str | None = None
    """CA certificates that the receivers' are verified by: a PEM file or text. Without it: the system's."""
    timeout: Annotated[float, Seconds(at_least=1, at_most=_LONGEST)] = 10.0
    """How long one delivery may take."""


class Apprise(Table):
    """Notices to any service that [apprise](https://github.com/caronc/apprise) knows.

    Needs `pip install 'nightowl[apprise]'`.
    """

    kind: Literal["apprise"]
    """`apprise`."""
    urls: Annotated[list[AppriseUrl], Field(min_length=1, max_length=_MOST), Shape("list of apprise URLs")]
    """Whom to tell, as apprise writes it: secrets, each best as `${env:NAME}`."""
    template: AppriseTemplate | None = None
    """A template of the title, the body or both. Without it: the built-in message."""
    timeout: Annotated[float, Seconds(at_least=1, at_most=_LONGEST)] = 20.0
    """How long one delivery may take."""


class PlugIn(Table):
    """A channel of a plug-in's kind; what its keys may be is for the plug-in to say."""

    model_config = ConfigDict(extra="allow")

    kind: str
    """What the plug-in calls it."""

    @model_validator(mode="after")
    def _plain(self) -> Self:
        plain(self.values)
        return self

    @property
    def values(self) -> dict[str, Any]:
        """The plug-in's own keys."""
        return dict(self.model_extra or {})


BuiltIn = Email | Webhook | Slack | PagerDuty | Alertmanager | Apprise
"""A channel of a built-in kind."""

AnyChannel = BuiltIn | PlugIn
"""A channel of any kind."""

CHANNELS: dict[str, type[BuiltIn]] = {
    "email": Email,
    "webhook": Webhook,
    "slack": Slack,
    "pagerduty": PagerDuty,
    "alertmanager": Alertmanager,
    "apprise": Apprise,
}
"""The kinds of channels that need no plug-in."""
