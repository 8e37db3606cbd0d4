"""Draws what each strategy does, and where it fails, into ``docs/images/strategy-*.svg``.

The series are made up; what is drawn of the rules is what the real strategies and the real machine find in them.
"""  # noqa: INP001 - a script, not a module

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from strategy_ink import Drawing, Note, Panel, svg

from nightowl.core.limits import Limit, relative_limit
from nightowl.core.points import Points, points
from nightowl.core.replay import instants
from nightowl.core.rule import Baseline, Rule

FOLDER = Path(__file__).with_name("images")

MINUTE, HOUR, DAY, WEEK = 60.0, 3600.0, 86_400.0, 604_800.0

# -- series ------------------------------------------------------------------------------------------------------------


def made(start: float, end: float, step: float, shape: Callable[[float], float], noise: float = 0.0) -> Points:
    """Samples of a shape, each off by up to ``noise``: always the same ones."""
    chance = random.Random(7)  # noqa: S311 - it draws pictures
    return points((at, shape(at) + chance.uniform(-noise, noise)) for at in instants(start, end, step))


def daily(at: float, least: float, most: float) -> float:
    """What has a rhythm: least at midnight, most at noon."""
    return least + (most - least) * (1 - math.cos(2 * math.pi * at / DAY)) / 2


def between(at: float, start: float, end: float) -> bool:
    """Whether an instant is in ``[start, end)``."""
    return start <= at < end


def pairs(found: Points) -> list[tuple[float, float]]:
    """Times with their values."""
    return list(zip(found.times, found.values, strict=True))


def counted(rates: Sequence[float], step: float, restarts: Sequence[int]) -> Points:
    """A counter that grows by these rates, and begins anew at these steps."""
    total, found = 0.0, []
    for number, rate in enumerate(rates):
        total = 0.0 if number in restarts else total + rate * step
        found.append((number * step, total))
    return points(found)


# -- drawings ----------------------------------------------------------------------------------------------------------


def clock(start: float, end: float, every: float, per: float = MINUTE, unit: str = "min") -> list[tuple[float, str]]:
    """Ticks by the time since the start."""
    return [(at, f"{at / per:g} {unit}") for at in instants(start, end, every)]


def floating(metric: str, limit: str, of: str = "median") -> Rule:
    """A limit above the last half hour."""
    baseline = Baseline(of="mean" if of == "mean" else "median", over=30 * MINUTE)
    return Rule(
        name="r", metric=metric, strategy="floating", baseline=baseline, limits=(relative_limit("above", limit),)
    )


def fixed(metric: str, limit: Limit, **keys: object) -> Rule:
    """A number as the limit."""
    return Rule(name="r", metric=metric, limits=(limit,), **keys)


def period(metric: str, limit: Limit, *compare: float, **keys: object) -> Rule:
    """A change since a day, or a day and a week ago."""
    return Rule(name="r", metric=metric, strategy="period", compare=compare, limits=(limit,), **keys)


def flutter() -> Drawing:
    """A figure that stays about its limit."""
    samples = made(0, 2 * HOUR, MINUTE, lambda at: 60 + 42 * math.exp(-(((at / HOUR - 1) / 0.5) ** 4)), 6)
    limit = Limit("above", 100.0)
    return Drawing("fixed-flutter", 0, 2 * HOUR, MINUTE, clock(0, 2 * HOUR, 20 * MINUTE), (
        Panel(fixed("queue_length", limit), samples, 130, [Note(HOUR, 25, "one episode, paged again and again")]),
        Panel(fixed("queue_length", limit, recover=80.0), samples, 130),
    ))  # fmt: skip


def seasons() -> Drawing:
    """A number against what has a daily rhythm."""

    def orders(at: float) -> float:
        return daily(at, 8, 100) * (0.45 if between(at, 8.45 * DAY, 8.6 * DAY) else 1.0)

    samples = made(0, 10 * DAY, 600.0, orders, 3)
    lost = "half of the orders are lost"
    days = [(day * DAY / 2, "midnight" if day % 2 == 0 else "noon") for day in range(15, 20)]
    return Drawing("fixed-seasons", 7.5 * DAY, 9.5 * DAY, 600.0, days, (
        Panel(fixed("orders", Limit("below", 20.0)), samples, 120, [Note(8.53 * DAY, 109, f"{lost}, and not seen")]),
        Panel(period("orders", relative_limit("below", "-40%"), DAY, WEEK, average=HOUR), samples, 120,
              [Note(8.53 * DAY, 109, lost)]),
    ))  # fmt: skip


def shift() -> Drawing:
    """A level shift under a floating limit."""
    samples = made(-HOUR, 2 * HOUR, MINUTE, lambda at: 100.0 if at < 40 * MINUTE else 170.0, 4)
    note = Note(85 * MINUTE, 100, "still 70 % too much, and taken for normal")
    return Drawing("floating-shift", 0, 2 * HOUR, MINUTE, clock(0, 2 * HOUR, 20 * MINUTE), (
        Panel(floating("queue_length", "+20%"), samples, 240, [note]),
        Panel(fixed("queue_length", Limit("above", 150.0)), samples, 240),
    ))  # fmt: skip


def drift() -> Drawing:
    """A slow drift under a floating limit."""
    samples = made(-HOUR, 12 * HOUR, 3 * MINUTE, lambda at: 400 + 1000 * max(at, 0.0) / (12 * HOUR), 15)
    note = Note(8.5 * HOUR, 500, "a leak: three and a half times as much, and never a jump")
    return Drawing("floating-drift", 0, 12 * HOUR, 3 * MINUTE, clock(0, 12 * HOUR, 2 * HOUR, HOUR, "h"), (
        Panel(floating("memory_mib", "+20%"), samples, 1800, [note]),
        Panel(fixed("memory_mib", Limit("above", 1000.0)), samples, 1800),
    ))  # fmt: skip


def spike() -> Drawing:
    """A single spike in the baseline of a floating limit."""

    def latency(at: float) -> float:
        return 4000.0 if at == 20 * MINUTE else 160.0 if between(at, 32 * MINUTE, 44 * MINUTE) else 100.0

    samples = made(-HOUR, 80 * MINUTE, MINUTE, latency, 3)
    first = Note(20 * MINUTE, 25, "one spike")
    return Drawing("floating-spike", 0, 80 * MINUTE, MINUTE, clock(0, 80 * MINUTE, 10 * MINUTE), (
        Panel(floating("latency_ms", "+20%", "mean"), samples, 320, [first, Note(38 * MINUTE, 185, "hidden by it")]),
        Panel(floating("latency_ms", "+20%"), samples, 320, [first]),
    ))  # fmt: skip


def yesterday() -> Drawing:
    """The day after an unusual day."""

    def orders(at: float) -> float:
        surge = 2.6 if between(at, 8.45 * DAY, 8.6 * DAY) else 1.0
        return daily(at, 30, 100) * surge * (0.4 if between(at, 9.75 * DAY, 9.85 * DAY) else 1.0)

    samples = made(0, 10 * DAY, 600.0, orders, 3)
    odd = Note(8.74 * DAY, 215, "yesterday: bots")
    ticks = [
        (8 * DAY, "midnight"),
        (8.5 * DAY, "noon"),
        (9 * DAY, "midnight"),
        (9.5 * DAY, "noon"),
        (10 * DAY, "midnight"),
    ]
    limit = relative_limit("below", "-40%")
    return Drawing("period-yesterday", 8 * DAY, 10 * DAY, 600.0, ticks, (
        Panel(period("orders", limit, DAY, average=HOUR), samples, 300,
              [odd, Note(9.52 * DAY, 215, "today: as usual")]),
        Panel(period("orders", limit, DAY, WEEK, average=HOUR), samples, 300,
              [odd, Note(9.8 * DAY, 215, "a real fault")]),
    ))  # fmt: skip


def zero() -> Drawing:
    """Percents of next to nothing."""
    chance = random.Random(3)  # noqa: S311 - it draws pictures
    few = {at: float(chance.choice((0, 0, 0, 1, 1, 2, 4))) for at in instants(0, 2 * DAY, 600.0)}

    def jobs(at: float) -> float:
        by_day = between(at % DAY, 8 * HOUR, 18 * HOUR)
        return (80.0 if between(at, DAY + 13 * HOUR, DAY + 15 * HOUR) else 35.0) + few[at] if by_day else few[at]

    samples = made(0, 2 * DAY, 600.0, jobs)
    ticks = [(DAY + hour * HOUR, f"{hour}:00") for hour in range(0, 25, 4)]
    limit, span = relative_limit("above", "+100%"), HOUR
    return Drawing("period-zero", DAY, 2 * DAY, 600.0, ticks, (
        Panel(period("jobs", limit, DAY, average=span), samples, 100,
              [Note(DAY + 20.4 * HOUR, 50, "a few jobs more: + 100 %")]),
        Panel(period("jobs", limit, DAY, average=span, min_base=10.0, on_zero="ok"), samples, 100,
              [Note(DAY + 20.4 * HOUR, 50, "min_base = 10: too few to judge")]),
    ))  # fmt: skip


def counter() -> Drawing:
    """Counters, raw and as rates, and what is no counter."""
    rates = [15.0 if between(minute, 120, 140) else 5.0 for minute in range(-30, 181)]
    total = points((at - 30 * MINUTE, value) for at, value in pairs(counted(rates, MINUTE, (75, 185))))
    level = made(-30 * MINUTE, 3 * HOUR, MINUTE, lambda _: 1000.0, 100)
    rate = {"counter": True, "over": 5 * MINUTE}
    return Drawing("fixed-counter", 0, 3 * HOUR, MINUTE, clock(0, 3 * HOUR, 30 * MINUTE), (
        Panel(fixed("requests_total", Limit("above", 25_000.0)), total, 50_000,
              [Note(90 * MINUTE, 38_000, "above by age, not by load")]),
        Panel(fixed("requests_total", Limit("above", 10.0), **rate), total, 20, of_figure=True,
              notes=[Note(45 * MINUTE, 7.8, "a restart does no harm")]),
        Panel(fixed("memory_mib", Limit("above", 10.0), **rate), level, 20, of_figure=True,
              notes=[Note(90 * MINUTE, 2, "no counter: a steady 1000 MiB, every fall of which is read as a restart")]),
    ))  # fmt: skip


def absent() -> Drawing:
    """Data that ends, and data that comes and says nothing."""
    rule = Rule(name="r", metric="rows_imported", strategy="absent", over=10 * MINUTE)
    shape = made(-HOUR, 2 * HOUR, 2 * MINUTE, lambda _: 60.0, 25)
    ended = points((at, value) for at, value in pairs(shape) if not between(at, 40 * MINUTE, 80 * MINUTE))
    stuck = points((at, value if at < 40 * MINUTE else 0.0) for at, value in pairs(shape))
    gone = points((at, value) for at, value in pairs(shape) if at < 40 * MINUTE)
    return Drawing("absent", 0, 2 * HOUR, MINUTE, clock(0, 2 * HOUR, 20 * MINUTE), (
        Panel(rule, ended, 100),
        Panel(rule, stuck, 100, [Note(80 * MINUTE, 30, "samples come, and say that nothing works")]),
        Panel(rule, gone, 100, [Note(85 * MINUTE, 30, "switched off on purpose: fires until the rule is removed")]),
    ))  # fmt: skip


DRAWINGS = (flutter, seasons, counter, shift, drift, spike, yesterday, zero, absent)


def drawings() -> dict[Path, str]:
    """Every drawing by the file that it belongs into."""
    return {FOLDER / f"strategy-{drawing.name}.svg": svg(drawing) for drawing in (draw() for draw in DRAWINGS)}


if __name__ == "__main__":
    for path, text in drawings().items():
        path.write_text(text, encoding="utf-8")
