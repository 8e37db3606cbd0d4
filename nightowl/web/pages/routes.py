"""Routes: which leads where, and a test: where would this go?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import msgspec

from nightowl.core.preview import Preview, Question
from nightowl.core.values import Route, Severity
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View
from nightowl.web.written import odd_line, read_pairs

Kind = Literal["check", "rule", "nodata", "own"]

FIELDS = ("name", "kind", "severity", "tags")
"""What the form asks for; all of it is text."""

_NAMES = 2000


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a name says of an incident by itself."""

    kind: Kind = "check"
    severity: str = "critical"
    tags: Mapping[str, str] = {}


class RouteTest(msgspec.Struct, frozen=True, kw_only=True):
    """The routes in force, and where an incident would go that the address describes (``found`` None: none is).

    ``typed`` is what stands in the form, ``asked`` what was tried, ``names`` those of checks and rules.
    """

    routes: tuple[Route, ...]
    names: tuple[str, ...]
    typed: Mapping[str, str]
    asked: Question | None = None
    found: Preview | None = None
    wrong: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """What there is to choose from."""
        return get_args(Kind)

    @property
    def severities(self) -> tuple[str, ...]:
        """What there is to choose from, worst first."""
        return tuple(sorted(Severity, key=lambda severity: -Severity(severity).rank))


def build(ask: Ask) -> View:
    """List the routes, and try what was asked."""
    typed = {field: ask.query.get(field, "").strip()[:1000] for field in FIELDS}
    stored, rules = ask.unit.checks.all(), ask.handlers.rules()
    wrong = odd_line(_lines(typed["tags"]), "=")
    asked = _question(ask, typed) if any(typed.values()) and not wrong else None
    data = RouteTest(
        routes=tuple(ask.handlers.telling().routes),
        names=tuple(sorted({*(check.name for check in stored), *rules}))[:_NAMES],
        typed=typed,
        asked=asked,
        found=ask.handlers.where(asked) if asked else None,
        wrong=f'"{wrong[:80]}" is no tag: write name=value, with commas between' if wrong else "",
    )
    return View(template="routes.html", title="Routes", data=data, status=422 if wrong else 200)


def _question(ask: Ask, typed: Mapping[str, str]) -> Question:
    """Return the incident that is meant; what is not said is as of the check or rule of that name."""
    known = _known(ask, typed["name"])
    kind = next((kind for kind in get_args(Kind) if kind == typed["kind"]), known.kind)
    severity = typed["severity"] if typed["severity"] in list(Severity) else known.severity
    tags = read_pairs("=")(_lines(typed["tags"])) or dict(known.tags)
    return Question(name=typed["name"], kind=kind, severity=Severity(severity), tags=tags, at=ask.now)


def _known(ask: Ask, name: str) -> Known:
    stored = ask.unit.checks.get(name)
    if stored is not None:
        spec: Mapping[str, Any] = stored.spec
        severity, tags = str(spec.get("severity", "critical")), spec.get("tags", {})
        return Known(severity=severity if severity in list(Severity) else "critical", tags=dict(tags))
    rule = ask.handlers.rules().get(name.partition("{")[0])
    return Known(kind="rule", severity=rule.severity, tags=rule.tags) if rule else Known()


def _lines(tags: str) -> str:
    return "\n".join(part.strip() for part in tags.split(","))


PAGE = Page(path="/routes", build=build, live=False)
