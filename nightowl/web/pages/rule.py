"""One rule: what it says, its series, one of them drawn with its limits, and what came of it."""

from __future__ import annotations

import msgspec

from nightowl.core.rule_trace import Trace
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View
from nightowl.web.rule_view import SPANS, RuleView, drawn, view
from nightowl.web.rules_in_force import found


class RulePage(msgspec.Struct, frozen=True, kw_only=True):
    """All that the page shows. ``series`` is the one that is drawn (empty: none), ``last`` the span of the picture.

    ``recover`` is where the rule lets go once it fires; ``cut`` says what the picture leaves out.
    """

    view: RuleView
    runbook: str
    recover: float | None
    series: str
    last: str
    trace: Trace | None
    cut: str
    spans: tuple[str, ...] = tuple(SPANS)


def build(ask: Ask) -> View:
    """Gather everything about the rule of the path."""
    defined = found(ask.handlers, ask.unit, ask.path["name"])
    shown = view(ask.handlers, ask.unit, defined, ask.now)
    rule = defined.rule
    last = ask.query.get("last", "")
    last = last if last in SPANS else next(iter(SPANS))
    series = ask.query.get("series") or (shown.series.rows[0].row.series if shown.series.rows else "")
    tried = drawn(ask.handlers, ask.unit, rule, series, last) if rule and series and not rule.source else None
    data = RulePage(
        view=shown,
        runbook=rule.runbook if rule else "",
        recover=rule.recover if rule else None,
        series=series,
        last=last,
        trace=tried.trace if tried else None,
        cut=tried.cut if tried else "",
    )
    return View(template="rule.html", title=shown.name, data=data)


PAGE = Page(path="/rules/{name}", build=build, live=False)
