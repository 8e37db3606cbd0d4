"""Rules: what each says, and the series that it is not at rest for, worst first."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View
from nightowl.web.rule_rows import RuleRow, rule_rows

SERIES = 20
"""Series of a rule that are listed; the others are counted."""


class RuleList(msgspec.Struct, frozen=True, kw_only=True):
    """The rules in force; of each, the worst series."""

    rows: tuple[RuleRow, ...]


def build(ask: Ask) -> View:
    """List the rules beside where they stand."""
    rows = rule_rows(ask.handlers.rules(), ask.unit.rules.all(), ask.unit.incidents.open())
    data = RuleList(rows=tuple(replace(row, series=row.series[:SERIES]) for row in rows))
    return View(template="rules.html", title="Rules", data=data)


PAGE = Page(path="/rules", build=build)
