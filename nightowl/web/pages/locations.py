"""Locations: what each said of each check in the last round; a bad column is a location's own problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from nightowl.core.values import CheckState, Place, State
from nightowl.web.page import Ask, Page
from nightowl.web.pages.checks import ROWS
from nightowl.web.rendering import View
from nightowl.web.words import plural

_LEAST = 3
"""Checks that a location must have before a bad share of them says something about the location."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A location in the last rounds: how many checks asked it, how many it left unanswered or stood alone with."""

    name: str
    labels: Mapping[str, str]
    asked: int
    silent: int
    dissenting: int

    @property
    def trouble(self) -> str:
        """A sentence where the column rather than its checks is bad (empty: it is not)."""
        if self.asked and self.silent == self.asked:
            return f"{self.name} answered for none of its {plural(self.asked, 'check')}: is an actor running there?"
        if self.asked >= _LEAST and 2 * self.silent >= self.asked:
            return (
                f"{self.name} left {self.silent} of {plural(self.asked, 'check')} unanswered: its actors need a look."
            )
        if self.asked >= _LEAST and 2 * self.dissenting >= self.asked:
            return (
                f"{self.name} says down where the others do not, for {self.dissenting} of "
                f"{plural(self.asked, 'check')}: its own connection needs a look."
            )
        return ""


class Cells(msgspec.Struct, frozen=True, kw_only=True):
    """A check's row: its cell by location."""

    check: str
    state: State
    due: float
    places: dict[str, Place]


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """The whole picture; ``rows`` are the worst first, ``total`` says how many there are."""

    columns: tuple[Column, ...]
    rows: tuple[Cells, ...]
    total: int


def build(ask: Ask) -> View:
    """Gather the last rounds of all checks that run."""
    paused = {stored.name for stored in ask.unit.checks.all() if stored.paused}
    states = [state for state in ask.unit.rounds.states() if state.last and state.check not in paused]
    locations = ask.handlers.locations()
    asked = {place.location for state in states if state.last for place in state.last.places}
    columns = tuple(
        _column(name, locations[name].labels if name in locations else {}, states)
        for name in sorted({*locations, *asked})
    )
    order = (State.DOWN, State.DEGRADED, State.UNKNOWN, State.UP)
    states.sort(key=lambda state: (order.index(state.verdict), not (state.last and state.last.dissent), state.check))
    rows = tuple(_cells(state) for state in states[:ROWS])
    return View(
        template="locations.html", title="Locations", data=Matrix(columns=columns, rows=rows, total=len(states))
    )


def _column(name: str, labels: Mapping[str, str], states: Sequence[CheckState]) -> Column:
    lasts = [state.last for state in states if state.last]
    places = [place for last in lasts for place in last.places if place.location == name]
    return Column(
        name=name,
        labels=labels,
        asked=len(places),
        silent=sum(not place.voted for place in places),
        dissenting=sum(name in last.dissent for last in lasts),
    )


def _cells(state: CheckState) -> Cells:
    last = state.last
    places = {place.location: place for place in last.places} if last else {}
    return Cells(check=state.check, state=state.verdict, due=last.due if last else 0.0, places=places)


PAGE = Page(path="/locations", build=build)
