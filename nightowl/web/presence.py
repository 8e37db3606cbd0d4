"""An actor at a location, as people and programs see it."""

from __future__ import annotations

from typing import Literal

import msgspec

from nightowl.core.skew import MARKED, NOISE
from nightowl.core.values import ActorSeen
from nightowl.web.words import took


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """``state``: working, silent (it said no goodbye), offline, or clock (it is wrong). Moments are Unix seconds.

    ``skew``: by how many seconds its clock is fast (negative: slow; None: not known yet); ``holding``: batches.
    """

    name: str
    location: str
    state: Literal["working", "silent", "offline", "clock"]
    since: float
    heard: float
    skew: float | None
    holding: int

    @property
    def clock(self) -> str:
        """What is to be said of its clock."""
        if self.skew is None:
            return "not known yet"
        if abs(self.skew) < NOISE:
            return "right"
        return f"{took(abs(self.skew))} {'fast' if self.skew > 0 else 'slow'}"


def presence(seen: ActorSeen) -> Presence:
    """Say how an actor is; the worst first."""
    state: Literal["working", "silent", "offline", "clock"] = "working"
    if seen.silent is not None:
        state = "silent"
    elif seen.offline is not None:
        state = "offline"
    elif seen.skew is not None and abs(seen.skew) >= MARKED:
        state = "clock"
    return Presence(
        name=seen.name,
        location=seen.location,
        state=state,
        since=seen.since,
        heard=seen.heard,
        skew=seen.skew,
        holding=seen.holding,
    )
