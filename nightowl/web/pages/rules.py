"""Rules: what each says, and the series that it is not at rest for, worst first."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View
from nightowl.web.rule_rows import RuleRow, rule_rows
from nightowl.web.rules_in_force import in_force

SERIES = 20
"""Series of a rule that are listed; the others are counted."""


class RuleList(msgspec.Struct, frozen=True, kw_only=True):
    """The rules in force; of each, the worst series. ``broken`` says why others cannot be evaluated."""

    rows: tuple[RuleRow, ...]
    broken: dict[str, str] = {}


def build(ask: Ask) -> View:
    """List the rules beside where they stand."""
    defined = in_force(ask.handlers, ask.unit)
    rules = {name: each.rule for name, each in defined.items() if each.rule}
    rows = rule_rows(rules, ask.unit.rules.all(), ask.unit.incidents.open())
    data = RuleList(
        rows=tuple(replace(row, series=row.series[:SERIES]) for row in rows),
        broken={name: each.mistake for name, each in defined.items() if each.mistake},
    )
    return View(template="rules.html", title="Rules", data=data)


PAGE = Page(path="/rules", build=build)
