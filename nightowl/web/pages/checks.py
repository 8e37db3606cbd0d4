"""All checks, worst first, filtered by what the URL says, 200 a page."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec

from nightowl.ports import CheckFilter
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View
from nightowl.web.rows import Row, row
from nightowl.web.wanted import state

ROWS = 200
"""Checks on one page: what a browser draws without effort."""


class CheckList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the list; ``number`` counts pages from 1, ``total`` the checks that match."""

    rows: tuple[Row, ...]
    total: int
    number: int
    wanted: CheckFilter
    counts: Mapping[str, int]
    locations: tuple[str, ...]

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // ROWS))

    @property
    def filtered(self) -> bool:
        """Whether the URL asks for some only."""
        return self.wanted != CheckFilter()

    def link(self, **changes: str) -> str:
        """The query of this list with some of its filters changed (back to the first page unless ``page`` is)."""
        asked = msgspec.structs.asdict(self.wanted) | changes
        query = urlencode({key: value for key, value in asked.items() if value})
        return f"?{query}" if query else "?"


def build(ask: Ask) -> View:
    """Find the page asked for."""
    asked_for = {key: ask.query.get(key, "").strip() for key in ("state", "tag", "location", "text")}
    wanted = CheckFilter(**asked_for | {"state": state(asked_for["state"])})
    asked = ask.query.get("page", "")
    number = max(1, int(asked)) if asked.isdecimal() and len(asked) < 7 else 1
    found = ask.unit.checks.page(wanted, (number - 1) * ROWS, ROWS)
    data = CheckList(
        rows=tuple(row(shown) for shown in found.rows),
        total=found.total,
        number=number,
        wanted=wanted,
        counts=ask.unit.checks.counts(),
        locations=tuple(sorted(ask.handlers.locations())),
    )
    return View(template="checks.html", title="Checks", data=data)


PAGE = Page(path="/checks", build=build)
