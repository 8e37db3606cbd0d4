"""Turns channel tables into the options of channels, and says what keeps a channel from telling anybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from nightowl.config import settings
from nightowl.config.checks import Bench, pem
from nightowl.config.models import channel as models
from nightowl.config.numbered import Problem

_MAIL_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_NUMBERS = {"syntax": "NO50", "name": "NO51", "value": "NO52", "json": "NO53"}


def channel(name: str, table: models.AnyChannel, bench: Bench) -> settings.ChannelSettings:
    """Return a channel of any kind."""
    if isinstance(table, models.PlugIn):
        options: settings.Options | settings.PlugIn = settings.PlugIn(kind=table.kind, values=table.values)
    else:
        options = _options(name, table, bench)
    return settings.ChannelSettings(name=name, options=options)


def channel_problems(table: models.AnyChannel, written: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what keeps a channel from telling anybody; ``written`` is its table with references as they stand."""
    if isinstance(table, models.Apprise) and find_spec("apprise") is None:
        yield Problem("NO54", ("kind",), None, "a kind that is installed: pip install 'nightowl[apprise]'")
    for key, text in _templates(table).items():
        is_json = isinstance(table, models.Webhook) and _is_json(table)
        what, allowed = _template_problem(text, is_json=is_json)
        if what and _at(written, ("template", *key)) != text:  # a reference, of which nothing is told
            allowed = "a template, with what the references in it stand for"
        if what:
            yield Problem(what, ("template", *key), None, allowed)


def _template_problem(text: str, *, is_json: bool) -> tuple[str, str]:
    from nightowl.core.notice_template import problem  # noqa: PLC0415 - Jinja2 is for those who have templates

    what, allowed = problem(text, is_json=is_json)
    return _NUMBERS.get(what, ""), allowed


def _at(written: Any, key: tuple[str, ...]) -> Any:
    return _at(written[key[0]], key[1:]) if key else written


def _is_json(table: models.Webhook) -> bool:
    from nightowl.core.notice_template import says_json  # noqa: PLC0415 - as below

    return table.template is not None and says_json(table.template.content_type)


def _templates(table: models.AnyChannel) -> dict[tuple[str, ...], str]:
    """Return the templates of a channel by where they stand below its ``template``."""
    found: dict[tuple[str, ...], str | None]
    match table:
        case models.Email(template=models.MailTemplate(subject=subject, body=body)):
            found = {("subject",): subject, ("body",): body}
        case models.Apprise(template=models.AppriseTemplate(title=title, body=body)):
            found = {("title",): title, ("body",): body}
        case models.Webhook(template=models.WebhookTemplate(body=whole)):
            found = {("body",): whole}
        case models.Slack(template=str(whole)) | models.PagerDuty(template=str(whole)):
            found = {(): whole}
        case _:
            found = {}
    return {key: text for key, text in found.items() if text is not None}


def _options(name: str, table: models.BuiltIn, bench: Bench) -> settings.Options:
    template = {(key or (_WHOLE[table.kind],))[0]: text for key, text in _templates(table).items()}
    match table:
        case models.Email():
            return _email(name, table, template, bench)
        case models.Webhook():
            return _webhook(name, table, template, bench)
        case models.Slack():
            return settings.Slack(url=table.url, template=template, timeout=table.timeout)
        case models.PagerDuty():
            return settings.PagerDuty(
                routing_key=table.routing_key, url=table.url, template=template, timeout=table.timeout
            )
        case models.Alertmanager():
            return _alertmanager(name, table, bench)
        case models.Apprise():
            return settings.Apprise(urls=tuple(table.urls), template=template, timeout=table.timeout)


_WHOLE = {"slack": "text", "pagerduty": "summary"}
"""What a template is of that is a text alone, by the kind of channel."""


def _email(name: str, table: models.Email, template: dict[str, str], bench: Bench) -> settings.Email:
    return settings.Email(
        host=table.host,
        port=table.port or _MAIL_PORTS[table.security],
        security=table.security,
        sender=table.sender,
        to=tuple(table.to),
        username=table.username or "",
        password=table.password or "",
        verify=table.verify,
        ca=pem(table.ca, ("channel", name, "ca"), bench),
        template=template,
        timeout=table.timeout,
    )


def _webhook(name: str, table: models.Webhook, template: dict[str, str], bench: Bench) -> settings.Webhook:
    return settings.Webhook(
        url=table.url,
        secret=table.secret or "",
        headers=table.headers,
        verify=table.verify,
        ca=pem(table.ca, ("channel", name, "ca"), bench),
        template=template,
        content_type=table.template.content_type if table.template else "application/json",
        timeout=table.timeout,
    )


def _alertmanager(name: str, table: models.Alertmanager, bench: Bench) -> settings.Alertmanager:
    return settings.Alertmanager(
        url=(table.url,) if isinstance(table.url, str) else tuple(table.url),
        resend=table.resend,
        headers=table.headers,
        verify=table.verify,
        ca=pem(table.ca, ("channel", name, "ca"), bench),
        timeout=table.timeout,
    )
