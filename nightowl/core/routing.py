"""Who is told what about an incident: routes and changes in, notices out.

What is due follows from three facts: the change, the routes, and which channels were *told* (have a notice of
the incident already, waiting or sent). A channel hears *firing* first, and *resolved* exactly when it heard that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from math import floor

from nightowl.core.values import Change, Incident, Notice, Route, Severity

AT_LEAST = ">="
"""Before a severity in a route's match: that one or a greater one."""

_ANNOUNCING_STEPS = ("firing", "raised")
_ANNOUNCING_CHANGES = ("opened", "raised")
_RANKS = {str(severity): severity.rank for severity in Severity}


def channel_subject(channel: str) -> str:
    """Return the subject of NightOwl's own incident about a channel that notices cannot be sent to."""
    return f"channel/{channel}"


def is_channel_subject(subject: str) -> bool:
    """Whether NightOwl's own incident of this subject is about a channel."""
    return subject.startswith(channel_subject(""))


def channels_for(incident: Incident, routes: Sequence[Route]) -> tuple[str, ...]:
    """Return the channels of every route that matches, each once, in the order of the routes.

    An incident about a channel never goes to that channel. Where its routes lead nowhere else, it goes to all the
    other channels that any route names: that notices are lost must reach somebody.
    """
    routed = _without_failed(incident, _named(route for route in routes if matches(route, incident)))
    if incident.kind == "own" and not routed:
        return _without_failed(incident, _named(routes))
    return routed


def matches(route: Route, incident: Incident) -> bool:
    """Whether everything that the route asks for holds.

    ``severity``, ``name`` (the subject), ``kind`` and the names of tags map to shell patterns, case being heeded;
    a severity may also be written ``>=warning``. A tag that the incident does not carry matches nothing.
    """
    return all(_holds(key, wanted, incident) for key, wanted in route.match.items())


def severity_matches(wanted: str, severity: Severity) -> bool:
    """Whether a severity is ``>=`` the one wanted, or like the pattern that is wanted."""
    if wanted.startswith(AT_LEAST):
        least = _RANKS.get(wanted.removeprefix(AT_LEAST).strip())
        return least is not None and severity.rank >= least
    return fnmatchcase(severity, wanted)


def notices(change: Change, routes: Sequence[Route], told: Sequence[str], public_url: str, now: float) -> list[Notice]:
    """Return the notices that a change calls for, given the channels ``told`` so far.

    Opened: *firing* to the routed channels. Raised: *raised* to the routed channels, *firing* to those of them that
    have not been told yet. Resolved: *resolved* to those told. An acknowledgement or a note is not announced.
    """
    incident = change.incident
    if change.event == "resolved":
        steps = dict.fromkeys(told, "resolved")
    elif change.event in _ANNOUNCING_CHANGES:
        known = told if change.event == "raised" else ()
        steps = {channel: "raised" if channel in known else "firing" for channel in channels_for(incident, routes)}
    else:
        steps = {}
    return [_notice(incident, step, channel, public_url, now, change.text) for channel, step in steps.items()]


def reminders(
    incident: Incident, told_at: Mapping[str, float], routes: Sequence[Route], public_url: str, now: float
) -> list[Notice]:
    """Return the reminders that are due for an open incident that nobody has acknowledged.

    ``told_at`` has the channels told so far with the time of their newest notice; each is reminded again after the
    shortest ``repeat`` of its matching routes. The number in the step counts periods since the incident opened, so
    the same reminder worked out twice has the same key.
    """
    if not incident.open or incident.acknowledged is not None:
        return []
    due = []
    for channel in channels_for(incident, routes):
        every = _repeat(incident, channel, routes)
        if every and channel in told_at and now - told_at[channel] >= every:
            step = f"repeat-{max(1, floor((now - incident.opened) / every))}"
            due.append(_notice(incident, step, channel, public_url, now))
    return due


def announces(step: str) -> bool:
    """Whether a channel that got a notice of this step has been told of the incident."""
    return step in _ANNOUNCING_STEPS


def trial(channel: str, public_url: str, now: float) -> Notice:
    """Return the notice that tries a channel out; it is about no real incident."""
    incident = Incident(
        id=f"test-{now:.0f}",
        kind="own",
        subject=channel_subject(channel),
        severity=Severity.INFO,
        summary=f"This is a test of the channel {channel}. Nothing is wrong.",
        opened=now,
    )
    return Notice(incident=incident, step="test", channel=channel, created=now, url=public_url)


def _holds(key: str, wanted: str, incident: Incident) -> bool:
    if key == "severity":
        return severity_matches(wanted, incident.severity)
    facts = {**incident.tags, "name": incident.subject, "kind": incident.kind}
    return key in facts and fnmatchcase(facts[key], wanted)


def _named(routes: Iterable[Route]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(channel for route in routes for channel in route.to))


def _without_failed(incident: Incident, channels: tuple[str, ...]) -> tuple[str, ...]:
    if incident.kind != "own":
        return channels
    return tuple(channel for channel in channels if channel_subject(channel) != incident.subject)


def _repeat(incident: Incident, channel: str, routes: Sequence[Route]) -> float:
    periods = [route.repeat for route in routes if channel in route.to and route.repeat and matches(route, incident)]
    return min(periods, default=0.0)


def _notice(incident: Incident, step: str, channel: str, public_url: str, now: float, text: str = "") -> Notice:
    url = f"{public_url.rstrip('/')}/incidents/{incident.id}" if public_url else ""
    return Notice(incident=incident, step=step, channel=channel, created=now, text=text, url=url)
