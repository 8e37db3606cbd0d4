"""Maintenance: the windows of the coming weeks, by the clocks there and by the reader's. Files define them."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

import msgspec

from nightowl.core.cron import is_timezone
from nightowl.core.maintenance import current
from nightowl.core.values import Incident, Maintenance
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View
from nightowl.web.weeks import MOST, Day, Window, by_week, coming

NEXT = 20
"""Windows that are listed one by one."""

_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A maintenance as defined: ``when`` in words, ``until`` when it is on (None: it is not).

    ``holds`` counts the incidents that it holds back now.
    """

    maintenance: Maintenance
    when: str
    until: float | None
    holds: int


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """The coming weeks as of ``now`` in the reader's ``zone``; ``unknown`` is one that was asked for and is none."""

    now: float
    zone: str
    unknown: str
    plans: tuple[Plan, ...]
    windows: tuple[Window, ...]
    weeks: tuple[tuple[Day, ...], ...]

    @property
    def ahead(self) -> tuple[Window, ...]:
        """Those that are not over."""
        return tuple(window for window in self.windows if window.end > self.now)

    @property
    def next(self) -> tuple[Window, ...]:
        """The first of them."""
        return self.ahead[:NEXT]

    @property
    def is_cut(self) -> bool:
        """Whether there are more than can be shown."""
        return len(self.windows) >= MOST


def build(ask: Ask) -> View:
    """Look at the coming weeks."""
    asked = ask.query.get("zone", "").strip()[:60]
    name = asked if asked and is_timezone(asked) else "UTC"
    plans, zone = ask.handlers.telling().maintenance, ZoneInfo(name)
    found = coming(plans, ask.now, zone)
    data = Calendar(
        now=ask.now,
        zone=name,
        unknown="" if name == asked else asked,
        plans=tuple(_plans(plans, ask.unit.incidents.open(), ask.now)),
        windows=tuple(found),
        weeks=by_week(found, ask.now, zone),
    )
    return View(template="maintenance.html", title="Maintenance", data=data)


def _plans(plans: Iterable[Maintenance], incidents: Iterable[Incident], now: float) -> Iterable[Plan]:
    on = {plan.name: until for plan, until in current(plans, now)}
    held = [one.suppressed.by for one in incidents if one.suppressed and one.suppressed.kind == "maintenance"]
    for plan in plans:
        yield Plan(maintenance=plan, when=_when(plan), until=on.get(plan.name), holds=held.count(plan.name))


def _when(plan: Maintenance) -> str:
    """``Tuesdays and Fridays at 22:00``."""
    minutes = int(plan.start // 60)
    at = f"at {minutes // 60:02}:{minutes % 60:02}"
    if plan.rrule:
        return f"by {plan.rrule} {at}"
    if len(plan.days) == len(_DAYS):
        return f"every day {at}"
    names = [_DAYS[day] for day in plan.days]
    return f"{' and '.join(filter(None, [', '.join(names[:-1]), *names[-1:]]))} {at}"


PAGE = Page(path="/maintenance", build=build, live=False)
