"""The time that attempts took, by phase: on a grid of moments, as a summary in words, and as a waterfall's bars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median, quantiles

import msgspec

from nightowl.core.values import Attempt, Outcome, Phases
from nightowl.web.words import plural, share, span, took

NAMES = {"dns": "DNS", "connect": "connect", "tls": "TLS", "first_byte": "wait", "transfer": "transfer"}
"""Phases in order of time, as people call them."""

RANGES = {"1h": 3600.0, "6h": 21600.0, "24h": 86400.0, "7d": 604800.0}
"""Ranges that a chart can show, in seconds."""

POINTS = 240
"""Points of a chart at most."""

READ = 20_000
"""Outcomes that a chart reads at most; beyond them the oldest part of its range stays empty."""


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the grid: the slowest good attempt in it (None: no good attempt, a gap)."""

    time: float
    phases: Phases | None
    duration: float | None


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """What a location measured of a check over a range of time; ``step`` in seconds."""

    location: str
    range: str
    step: float
    points: tuple[Point, ...]
    summary: str

    @property
    def measured(self) -> bool:
        """Whether there is anything to draw."""
        return any(point.phases for point in self.points)


class Bar(msgspec.Struct, frozen=True):
    """A phase in a waterfall, from ``left`` for ``width`` thousandths of its width."""

    phase: str
    left: float
    width: float


def chart(outcomes: Sequence[Outcome], location: str, wanted: str, every: float, now: float) -> Chart:
    """Put a location's kept attempts on a grid; where a step has several, the slowest good one stands for it."""
    length = RANGES[wanted]
    step = max(every, length / POINTS)
    good: list[Attempt] = []
    slowest: dict[int, Attempt] = {}
    for outcome in outcomes:
        figure = outcome.figure
        if outcome.location == location and figure and figure.good:
            good.append(figure)
            at = int(outcome.due // step)
            slowest[at] = max(slowest.get(at, figure), figure, key=lambda attempt: attempt.duration)
    first, last = int((now - length) // step) + 1, int(now // step)
    points = tuple(_point(at * step, slowest.get(at)) for at in range(first, last + 1))
    summary = _summary(good, location)
    if good and step > every:
        summary += f" A point is the slowest round of {span(step)}."
    return Chart(location=location, range=wanted, step=step, points=points, summary=summary)


def bars(attempt: Attempt, begin: float, scale: float) -> list[Bar]:
    """Lay an attempt's phases one after another on a line that begins at ``begin`` and is ``scale`` seconds long."""
    left = (attempt.started - begin) / scale * 1000
    shown = []
    for phase, seconds in present(attempt.phases):
        shown.append(Bar(phase, left, seconds / scale * 1000))
        left += seconds / scale * 1000
    rest = attempt.duration - sum(seconds for _, seconds in present(attempt.phases))
    if rest > 0.001 * scale:
        shown.append(Bar("rest", left, rest / scale * 1000))
    return shown


def present(phases: Phases) -> list[tuple[str, float]]:
    """The phases that took place, in order, with their seconds."""
    values = msgspec.structs.asdict(phases)
    return [(name, values[name]) for name in NAMES if values[name] is not None]


def _point(time: float, attempt: Attempt | None) -> Point:
    if attempt is None:
        return Point(time=time, phases=None, duration=None)
    return Point(time=time, phases=attempt.phases, duration=attempt.duration)


def _summary(good: Sequence[Attempt], location: str) -> str:
    if not good:
        return f"No good attempt from {location} in this range."
    times = sorted(attempt.duration for attempt in good)
    high = quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else times[0]
    told = f"median {took(median(times))}, 95 % within {took(high)}, slowest {took(times[-1])}"
    text = f"From {location}, over {plural(len(good), 'round')}: {told}."
    spent: Counter[str] = Counter()
    for attempt in good:
        spent.update(dict(present(attempt.phases)))
    if spent.total() > 0:
        phase, seconds = spent.most_common(1)[0]
        text += f" Most of the time went into {NAMES[phase]} ({share(round(seconds / spent.total(), 2), 1)})."
    return text
