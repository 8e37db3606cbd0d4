"""One check: how it is and why, its last 90 days, its locations over time, its phases, and one round in full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from nightowl.core.errors import NotFound
from nightowl.core.values import (
    Attempt,
    Certificate,
    Check,
    DayCount,
    Incident,
    Outcome,
    Verdict,
)
from nightowl.ports import CheckRow
from nightowl.web import curl, phases
from nightowl.web.availability import DAY, DAYS, SPANS, Availability, availability
from nightowl.web.definition import checked, found, written_every
from nightowl.web.heartbeats import is_heard
from nightowl.web.masking import mask
from nightowl.web.page import Ask, Page
from nightowl.web.pages import heartbeat
from nightowl.web.rendering import View
from nightowl.web.rows import Row, row
from nightowl.web.strips import ROUNDS
from nightowl.web.words import instant

_ASKED = 600.0
"""Seconds that a page speaks of a round that was asked for by hand."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt in a waterfall."""

    attempt: Attempt
    kept: bool
    bars: list[phases.Bar]


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """What one location did in a round; ``late``: it came after the round was closed and had no vote."""

    outcome: Outcome
    late: bool
    lines: list[Line]


class RoundView(msgspec.Struct, frozen=True, kw_only=True):
    """A round in full. ``scale``: seconds that the waterfall is wide; ``earlier``, ``later``: due moments."""

    verdict: Verdict
    lanes: list[Lane]
    missing: list[str]
    scale: float
    earlier: float | None
    later: float | None


class CheckPage(msgspec.Struct, frozen=True, kw_only=True):
    """All that the page shows. ``spec`` is masked; ``mistake`` says why the definition cannot run.

    ``asked`` is when a round was asked for by hand, where that is not long ago (Unix seconds).
    """

    row: Row
    every: float
    locations: tuple[str, ...]
    days: list[DayCount]
    today: int
    availability: list[Availability]
    verdicts: list[Verdict]
    round: RoundView | None
    chart: phases.Chart | None
    certificate: Certificate | None
    certificate_from: str
    incidents: list[Incident]
    curl: str
    spec: dict[str, Any]
    toml: str
    mistake: str
    asked: float | None


def build(ask: Ask) -> View:
    """Gather everything about the check of the path."""
    name = ask.path["name"]
    shown = found(ask)
    if is_heard(shown.check):
        return heartbeat.build(ask, shown)
    check, mistake = checked(ask, shown.check)
    today = int(ask.now // DAY)
    days = ask.unit.rounds.days(name, today - DAYS + 1, today)
    this = _round(ask, name, shown)
    certificate, seen_at = _certificate(this)
    incidents, _ = ask.unit.incidents.page(open_only=False, subject=name, offset=0, limit=5)
    spec = mask(shown.check.spec)
    locations = check.locations if check else tuple(p.location for p in this.verdict.places) if this else ()
    data = CheckPage(
        row=row(shown),
        every=check.every if check else written_every(ask, shown.check),
        locations=locations,
        days=days,
        today=today,
        availability=[availability(days, today, length) for length in SPANS],
        verdicts=_matrix(ask, name, this),
        round=this,
        chart=_chart(ask, name, check),
        certificate=certificate,
        certificate_from=seen_at,
        incidents=incidents,
        curl=curl.command(check.target, shown.check.spec.get("auth", {})) if check else "",
        spec=spec,
        toml=ask.handlers.spec_to_toml({name: spec}).strip(),
        mistake=mistake,
        asked=_asked(ask),
    )
    return View(template="check.html", title=name, data=data)


def build_chart(ask: Ask) -> View:
    """Only the chart, for the script that draws it."""
    check, mistake = checked(ask, found(ask).check)
    drawn = _chart(ask, ask.path["name"], check)
    if drawn is None:
        raise NotFound(mistake or "This check runs at no location.")
    return View(template="", title="", data=drawn)


def _chart(ask: Ask, name: str, check: Check | None) -> phases.Chart | None:
    if check is None or not check.locations:
        return None
    asked = ask.query.get("location", "")
    location = asked if asked in check.locations else check.locations[0]
    wanted = ask.query.get("range", "")
    wanted = wanted if wanted in phases.RANGES else "1h"
    start = ask.now - phases.RANGES[wanted]
    outcomes = ask.unit.rounds.outcome_range(name, start, ask.now, phases.READ)
    return phases.chart(outcomes, location, wanted, check.every, ask.now)


def _matrix(ask: Ask, name: str, this: RoundView | None) -> list[Verdict]:
    """The newest rounds; where an older one was chosen, those around it."""
    newest = ask.unit.rounds.verdicts(name, 0, ask.now, ROUNDS)
    if this is None or not newest or this.verdict.due >= newest[0].due:
        return newest
    around = ask.unit.rounds.verdicts(name, 0, this.verdict.due, ROUNDS // 2)
    pitch = (around[-1].due - around[0].due) / max(1, len(around) - 1)
    after = ask.unit.rounds.verdicts(name, this.verdict.due, this.verdict.due + pitch * ROUNDS / 2, ROUNDS // 2)
    return [*around, *after]


def _round(ask: Ask, name: str, shown: CheckRow) -> RoundView | None:
    due = _chosen(ask.query, shown)
    verdicts = ask.unit.rounds.verdicts(name, due - 0.0005, due + 0.0005, 1) if due else []
    if not due or not verdicts:
        return None
    verdict = verdicts[0]
    outcomes = ask.unit.rounds.outcomes(name, verdict.due)
    late = ask.unit.rounds.late(name, verdict.due)
    begin = {outcome.location: min((a.started for a in outcome.attempts), default=0.0) for outcome in outcomes}
    ends = [a.started + a.duration - begin[o.location] for o in outcomes for a in o.attempts]
    scale = max([0.001, *ends])
    earlier = ask.unit.rounds.verdicts(name, 0, verdict.due - 0.0005, 1)
    later = ask.unit.rounds.verdicts(name, verdict.due + 0.0005, ask.now, ROUNDS)
    return RoundView(
        verdict=verdict,
        lanes=[_lane(outcome, outcome.location in late, begin[outcome.location], scale) for outcome in outcomes],
        missing=[p.location for p in verdict.places if p.location not in {o.location for o in outcomes}],
        scale=scale,
        earlier=earlier[0].due if earlier else None,
        later=later[0].due if later else None,
    )


def _chosen(query: Mapping[str, str], shown: CheckRow) -> float | None:
    """The due moment that the URL names, else the last round's."""
    if query.get("round"):
        try:
            return instant(query["round"])
        except ValueError:
            raise NotFound("round: an ISO 8601 moment, as in 2026-01-31T12:00:00Z, is expected.") from None
    return shown.state.last.due if shown.state and shown.state.last else None


def _asked(ask: Ask) -> float | None:
    try:
        moment = instant(ask.query.get("asked", ""))
    except ValueError:
        return None
    return moment if ask.now - _ASKED <= moment <= ask.now else None


def _lane(outcome: Outcome, late: bool, begin: float, scale: float) -> Lane:
    lines = [
        Line(attempt=attempt, kept=at == outcome.kept, bars=phases.bars(attempt, begin, scale))
        for at, attempt in enumerate(outcome.attempts)
    ]
    return Lane(outcome=outcome, late=late, lines=lines)


def _certificate(this: RoundView | None) -> tuple[Certificate | None, str]:
    """The certificate that ends first, and where it was seen."""
    seen = [
        (attempt.certificate, lane.outcome.location)
        for lane in (this.lanes if this else ())
        for attempt in lane.outcome.attempts
        if attempt.certificate
    ]
    return min(seen, key=lambda pair: pair[0].not_after, default=(None, ""))


PAGE = Page(path="/checks/{name}", build=build)
