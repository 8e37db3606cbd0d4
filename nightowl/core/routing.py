"""Which channels hear of an incident, by routes, and how: after which wait, together with which others, how often."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

import msgspec

from nightowl.core import matching
from nightowl.core.values import Escalation, Incident, Notice, Route, Severity

RESEND = "resend-"
"""How the steps of notices begin that are sent again and again to a channel that wants it so."""

_ANNOUNCING_STEPS = ("firing", "raised")
_LONGEST_GROUP = 200


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A channel, and how it hears of an incident.

    ``wait``: seconds that an incident which is not critical waits, from the first of its ``group`` on (empty: it is
    alone). ``repeat``: seconds between reminders (0: none).
    """

    channel: str
    wait: float = 0.0
    group: str = ""
    repeat: float = 0.0


def channel_subject(channel: str) -> str:
    """Return the subject of NightOwl's own incident about a channel that notices cannot be sent to."""
    return f"channel/{channel}"


def is_channel_subject(subject: str) -> bool:
    """Whether NightOwl's own incident of this subject is about a channel."""
    return subject.startswith(channel_subject(""))


def matches(route: Route, incident: Incident) -> bool:
    """Whether a route is meant for an incident."""
    return matching.matches(route.match, incident)


def addresses(incident: Incident, routes: Sequence[Route]) -> tuple[Address, ...]:
    """Return the channels of every route that matches, each once, in the order of the routes.

    Where several routes lead to a channel, the shortest wait and the shortest repeat count, and the first that groups.
    An incident about a channel never goes to that channel. Where its routes lead nowhere else, it goes to all the
    other channels that any route names: that notices are lost must reach somebody.
    """
    meant = [route for route in routes if matches(route, incident)]
    routed = [channel for channel in _named(meant) if not _is_about(incident, channel)]
    if incident.kind == "own" and not routed:
        others = [channel for channel in _named(routes) if not _is_about(incident, channel)]
        return tuple(Address(channel=channel) for channel in others)
    leading = {channel: [route for route in meant if channel in route.to] for channel in routed}
    return tuple(_address(channel, found, incident) for channel, found in leading.items())


def escalations(incident: Incident, routes: Sequence[Route]) -> list[tuple[float, Address]]:
    """Return after how many seconds which further channels hear, soonest first."""
    steps = [(step, route) for route in routes if matches(route, incident) for step in route.escalate]
    return [
        (step.after, _address(channel, [route], incident))
        for step, route in sorted(steps, key=_after)
        for channel in step.to
        if not _is_about(incident, channel)
    ]


def announces(step: str) -> bool:
    """Whether a channel that got a notice of this step has been told of the incident."""
    return step in _ANNOUNCING_STEPS


def is_resend(step: str) -> bool:
    """Whether a notice says again what its channel has heard, as that wants it so."""
    return step.startswith(RESEND)


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


def _named(routes: Iterable[Route]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(channel for route in routes for channel in route.to))


def _is_about(incident: Incident, channel: str) -> bool:
    return incident.kind == "own" and incident.subject == channel_subject(channel)


def _address(channel: str, routes: Sequence[Route], incident: Incident) -> Address:
    return Address(
        channel=channel,
        wait=min(route.wait for route in routes),
        group=next((_group(route, incident) for route in routes if route.group_by), ""),
        repeat=min((route.repeat for route in routes if route.repeat), default=0.0),
    )


def _group(route: Route, incident: Incident) -> str:
    """The name of a group; what an incident does not have is as good as empty."""
    name = "\n".join([route.name, *(f"{tag}={incident.tags.get(tag, '')}" for tag in route.group_by)])
    return name if len(name) <= _LONGEST_GROUP else sha256(name.encode()).hexdigest()


def _after(found: tuple[Escalation, Route]) -> float:
    return found[0].after
