"""A heartbeat: whether its job calls, when it is expected to, where it calls, and what it said; a task likewise."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from nightowl.core.cron import in_words
from nightowl.core.values import DayCount, Heartbeat, Incident, Ping, Pulse
from nightowl.ports import CheckRow
from nightowl.web import access, heartbeats
from nightowl.web.availability import DAY, DAYS, SPANS, Availability, availability
from nightowl.web.definition import checked
from nightowl.web.masking import mask
from nightowl.web.page import Ask
from nightowl.web.rendering import View
from nightowl.web.rows import Row, row
from nightowl.web.words import span

CALLS = 20
"""Calls that are shown, the newest first."""

_CURL = "curl -fsS -m 10 --retry 5 -o /dev/null"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call; ``duration`` is the seconds from the start that it ends (None: there was none)."""

    ping: Ping
    duration: float | None = None


class HeartbeatPage(msgspec.Struct, frozen=True, kw_only=True):
    """All that the page shows.

    ``url`` is for operators only: empty for others, and where the one that works was made under another secret
    (``lost``). ``pulse`` None: nothing has been counted yet. ``mistake`` says why the definition cannot run.
    """

    row: Row
    plan: Heartbeat | None
    expects: str
    pulse: Pulse | None
    url: str
    lost: bool
    calls: list[Call]
    days: list[DayCount]
    today: int
    availability: list[Availability]
    incidents: list[Incident]
    spec: dict[str, Any]
    toml: str
    mistake: str

    @property
    def is_task(self) -> bool:
        """Whether a task is followed, which no job calls for."""
        return self.row.kind == "task"

    @property
    def command(self) -> str:
        """The call as a command."""
        return f"{_CURL} {self.url}"

    @property
    def crontab(self) -> str:
        """A line of a crontab that tells the job's exit code."""
        when = self.plan.cron if self.plan and self.plan.cron else "0 * * * *"
        return f"{when}  /path/to/job; {_CURL} {self.url}/$?"


def build(ask: Ask, shown: CheckRow) -> View:
    """Gather everything about a heartbeat."""
    name = shown.check.name
    check, mistake = checked(ask, shown.check)
    plan = check.heartbeat if check else None
    today = int(ask.now // DAY)
    days = ask.unit.rounds.days(name, today - DAYS + 1, today)
    incidents, _ = ask.unit.incidents.page(open_only=False, subject=name, offset=0, limit=5)
    spec = mask(shown.check.spec)
    has_url = heartbeats.is_heartbeat(shown.check) and _may_see(ask)
    path = heartbeats.path(ask.unit, ask.handlers.settings.secret_key, name) if has_url else ""
    data = HeartbeatPage(
        row=row(shown),
        plan=plan,
        expects=expects(plan) if plan else "",
        pulse=ask.unit.heartbeats.pulse(name),
        url=f"{ask.handlers.settings.link}{path}" if path else "",
        lost=has_url and not path,
        calls=calls(ask.unit.heartbeats.pings(name, CALLS + 1))[:CALLS],
        days=days,
        today=today,
        availability=[availability(days, today, length) for length in SPANS],
        incidents=incidents,
        spec=spec,
        toml=ask.handlers.spec_to_toml({name: spec}).strip(),
        mistake=mistake,
    )
    return View(template="heartbeat.html", title=name, data=data)


def expects(plan: Heartbeat) -> str:
    """Say when a job is expected to call: ``every 1 h``, ``at 03:00 every day, Europe/Paris``."""
    if plan.every:
        return f"every {span(plan.every)}"
    told = in_words(plan.cron)
    return f"{told[:1].lower()}{told[1:]}, {plan.timezone}"


def calls(pings: Iterable[Ping]) -> list[Call]:
    """Pair the ends of runs with their starts; both ways the newest first."""
    found: list[Call] = []
    started: float | None = None
    for ping in reversed(list(pings)):
        if ping.run:
            found.append(Call(ping=ping, duration=None if ping.started is None else max(0.0, ping.at - ping.started)))
        elif ping.signal == "start":
            started = ping.at
            found.append(Call(ping=ping))
        else:
            found.append(Call(ping=ping, duration=None if started is None else max(0.0, ping.at - started)))
            started = None
    return found[::-1]


def _may_see(ask: Ask) -> bool:
    return ask.visitor is not None and access.suffices(ask.visitor.role, "operator")
