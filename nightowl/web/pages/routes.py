"""Routes: which leads where, and a test: where would this go?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import msgspec

from nightowl.core.preview import Preview, Question
from nightowl.core.values import Route, Severity
from nightowl.web import asked, rules_in_force
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View
from nightowl.web.written import odd_line, read_pairs

FIELDS = ("name", "kind", "severity", "tags")
"""What the form asks for; all of it is text."""

_NAMES = 2000


class RouteTest(msgspec.Struct, frozen=True, kw_only=True):
    """The routes in force, and where an incident would go that the address describes (``found`` None: none is).

    ``typed`` is what stands in the form, ``asked`` what was tried, ``names`` those of checks and rules,
    ``source`` which of them has the name (``none``: nothing).
    """

    routes: tuple[Route, ...]
    names: tuple[str, ...]
    typed: Mapping[str, str]
    asked: Question | None = None
    found: Preview | None = None
    source: str = "none"
    wrong: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What there is to choose from."""
        return get_args(asked.Kind)

    @property
    def severities(self) -> tuple[str, ...]:
        """What there is to choose from, worst first."""
        return tuple(sorted(Severity, key=lambda severity: -Severity(severity).rank))


def build(ask: Ask) -> View:
    """List the routes, and try what was asked."""
    typed = {field: ask.query.get(field, "").strip()[:1000] for field in FIELDS}
    names = {check.name for check in ask.unit.checks.all()} | set(rules_in_force.in_force(ask.handlers, ask.unit))
    wrong = odd_line(_lines(typed["tags"]), "=")
    known = asked.known(ask.handlers, ask.unit, typed["name"])
    meant = _question(ask, typed, known) if any(typed.values()) and not wrong else None
    data = RouteTest(
        routes=tuple(ask.handlers.telling().routes),
        names=tuple(sorted(names))[:_NAMES],
        typed=typed,
        asked=meant,
        found=ask.handlers.where(meant) if meant else None,
        source=known.source,
        wrong=f'"{wrong[:80]}" is no tag: write name=value, with commas between' if wrong else "",
    )
    return View(template="routes.html", title="Routes", data=data, status=422 if wrong else 200)


def _question(ask: Ask, typed: Mapping[str, str], found: asked.Known) -> Question:
    """Return the incident that is meant; what is not said is as of the check or rule of that name."""
    kind = next((kind for kind in get_args(asked.Kind) if kind == typed["kind"]), None)
    severity = Severity(typed["severity"]) if typed["severity"] in list(Severity) else None
    tags = read_pairs("=")(_lines(typed["tags"]))
    return asked.question(found, typed["name"], ask.now, kind=kind, severity=severity, tags=tags)


def _lines(tags: str) -> str:
    return "\n".join(part.strip() for part in tags.split(","))


PAGE = Page(path="/routes", build=build, live=False)
