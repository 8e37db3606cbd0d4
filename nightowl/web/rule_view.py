"""A rule with all that there is to tell of it: for its page, and for programs."""

from __future__ import annotations

from typing import Any

import msgspec

from nightowl.core.errors import NotFound
from nightowl.core.rule import Rule
from nightowl.core.series import parse
from nightowl.core.values import Incident, Origin
from nightowl.ports import Unit
from nightowl.web.backtest import PICTURE, Backtest, Past, Tried
from nightowl.web.handlers import Handlers
from nightowl.web.rule_rows import RuleRow, rule_rows
from nightowl.web.rule_samples import find
from nightowl.web.rule_series import LISTED, SeriesList, SeriesNow, series_list
from nightowl.web.rules_in_force import Defined

SPANS = {"6h": 21_600.0, "24h": 86_400.0, "3d": 259_200.0, "7d": 604_800.0}
"""Spans that a picture can show, in seconds."""

INCIDENTS = 20
"""Incidents that are listed."""

WEEK = 604_800.0


class RuleView(msgspec.Struct, frozen=True, kw_only=True):
    """A rule, where it stands, and what it did.

    ``row`` is None where it cannot be evaluated, and ``mistake`` then says why. ``advice`` says what there is where no
    series matches; where they are read from a ``source``, nothing is known of them here. ``pages`` counts the incidents
    of the last seven days.
    """

    name: str
    origin: Origin
    spec: dict[str, Any]
    toml: str
    row: RuleRow | None
    mistake: str = ""
    source: str = ""
    total: int = 0
    advice: str = ""
    series: SeriesList = SeriesList()
    incidents: tuple[Incident, ...] = ()
    pages: int = 0


def view(handlers: Handlers, unit: Unit, defined: Defined, now: float) -> RuleView:
    """Gather it."""
    rule = defined.rule
    toml = handlers.rule_to_toml(defined.name, defined.spec).strip() if defined.spec else ""
    recent = unit.incidents.of_rule(defined.name, 1000)
    view = RuleView(
        name=defined.name,
        origin=defined.origin,
        spec=defined.spec,
        toml=toml,
        row=None,
        mistake=defined.mistake,
        incidents=tuple(recent[:INCIDENTS]),
        pages=sum(incident.opened > now - WEEK for incident in recent),
    )
    return view if rule is None else _evaluated(handlers, view, unit, rule, now)


def _evaluated(handlers: Handlers, view: RuleView, unit: Unit, rule: Rule, now: float) -> RuleView:
    standings = {each.series: each for each in unit.rules.all() if each.rule == rule.name}
    [row] = rule_rows({rule.name: rule}, standings.values(), unit.incidents.open())
    if rule.source:
        rows = tuple(SeriesNow(row=each, sentence=each.why) for each in row.series[:LISTED])
        return msgspec.structs.replace(view, row=row, source=rule.source, series=SeriesList(rows=rows))
    found = find(unit, rule)
    return msgspec.structs.replace(
        view,
        row=row,
        total=found.total,
        advice=found.advice,
        series=series_list(unit, rule, row, standings, found, now, handlers.strategies),
    )


def drawn(handlers: Handlers, unit: Unit, rule: Rule, series: str, last: str) -> Tried:
    """What a rule saw of one of its series lately. Raises ``NotFound`` for what names no series of its kind."""
    try:
        wanted = parse(series)
    except ValueError:
        raise NotFound(f"{series} names no series.") from None
    now, past = handlers.clock.now(), Past(unit, handlers.clock, handlers.strategies)
    return Backtest(past, rule, now - SPANS[last], now, PICTURE, wanted=wanted).run()
