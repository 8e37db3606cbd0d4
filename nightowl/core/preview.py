"""Where an incident would go: which routes match, who hears at once and who later, and what holds that back."""

from __future__ import annotations

from typing import Literal

import msgspec

from nightowl.core.routing import Address, addresses, escalations, matches
from nightowl.core.suppression import Around, in_words, suppression
from nightowl.core.telling import Telling
from nightowl.core.values import Incident, Route, Severity, Suppression


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """An incident to try: what it is about, how bad, with which tags, opened ``at`` (Unix seconds)."""

    name: str
    kind: Literal["check", "rule", "nodata", "cluster", "own"]
    severity: Severity
    tags: dict[str, str]
    at: float


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A channel that would hear: by which routes, after how many seconds, together with which others.

    ``group`` has the tags and values in which others must agree (empty: it is alone).
    """

    channel: str
    routes: tuple[str, ...]
    after: float
    group: dict[str, str] = {}
    repeat: float = 0.0


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """Where it would go. ``escalation`` is counted from the first notice; ``suppressed`` says what holds it back."""

    routes: tuple[str, ...]
    channels: tuple[Told, ...]
    escalation: tuple[Told, ...]
    parents: tuple[str, ...] = ()
    suppression: Suppression | None = None
    suppressed: str = ""


def preview(incident: Incident, around: Around, telling: Telling, now: float) -> Preview:
    """Say what would become of an incident that opened at ``now``."""
    parents = telling.parents_of(incident)
    settles = max((each.settles for each in parents), default=0.0)
    routed = addresses(incident, telling.routes)
    names = {address.channel for address in routed}
    later = [(after, each) for after, each in escalations(incident, telling.routes) if each.channel not in names]
    held = suppression(incident, (), around, telling, now)
    return Preview(
        routes=tuple(route.name for route in telling.routes if matches(route, incident)),
        channels=tuple(_told(each, max(settles, _wait(each, incident)), incident, telling) for each in routed),
        escalation=tuple(_told(each, after, incident, telling) for after, each in later),
        parents=tuple(dict.fromkeys(each.name for each in parents)),
        suppression=held,
        suppressed=in_words(held) if held else "",
    )


def _wait(address: Address, incident: Incident) -> float:
    return 0.0 if incident.severity is Severity.CRITICAL else address.wait


def _told(address: Address, after: float, incident: Incident, telling: Telling) -> Told:
    leading = [route for route in telling.routes if matches(route, incident) and _leads(route, address.channel)]
    grouping = next((route.group_by for route in leading if route.group_by), ()) if address.group else ()
    return Told(
        channel=address.channel,
        routes=tuple(route.name for route in leading),
        after=after,
        group={tag: incident.tags.get(tag, "") for tag in grouping},
        repeat=address.repeat,
    )


def _leads(route: Route, channel: str) -> bool:
    return channel in route.to or any(channel in step.to for step in route.escalate)
