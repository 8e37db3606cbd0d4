"""Locations: what each said of each check in the last round, and who works there; a bad column is its own problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from nightowl.core.values import CheckState, Place, State
from nightowl.ports import SeriesStore
from nightowl.web.page import Ask, Page
from nightowl.web.pages.checks import ROWS
from nightowl.web.presence import Presence, presence
from nightowl.web.rendering import View
from nightowl.web.words import plural

_LEAST = 3
"""Checks that a location must have before a bad share of them says something about the location."""


_LATELY = 60.0
"""Seconds after which the leader's last figures are too old to be shown."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A location in the last rounds: how many checks asked it, how many it left unanswered or stood alone with.

    ``offline`` counts those that it could not judge as its own control targets failed.
    """

    name: str
    labels: Mapping[str, str]
    asked: int
    silent: int
    dissenting: int
    offline: int

    @property
    def trouble(self) -> str:
        """A sentence where the column rather than its checks is bad (empty: it is not)."""
        if self.offline:
            return (
                f"{self.name} was offline: its own control targets failed too, so it had no vote on "
                f"{plural(self.offline, 'check')}."
            )
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


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds within which the locations of a round begin, in half of the rounds lately and in 95 % of them."""

    p50: float
    p95: float


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """The whole picture; ``rows`` are the worst first, ``total`` says how many there are.

    ``spread`` is None where no round has had several locations lately.
    """

    columns: tuple[Column, ...]
    rows: tuple[Cells, ...]
    total: int
    actors: tuple[Presence, ...]
    spread: Spread | None


def build(ask: Ask) -> View:
    """Gather the last rounds of all checks that run."""
    paused = {stored.name for stored in ask.unit.checks.all() if stored.paused}
    states = [
        state for state in ask.unit.rounds.states() if state.last and state.last.places and state.check not in paused
    ]
    locations = ask.handlers.locations()
    asked = {place.location for state in states if state.last for place in state.last.places}
    columns = tuple(
        _column(name, locations[name].labels if name in locations else {}, states)
        for name in sorted({*locations, *asked})
    )
    order = (State.DOWN, State.DEGRADED, State.UNKNOWN, State.UP)
    states.sort(key=lambda state: (order.index(state.verdict), not (state.last and state.last.dissent), state.check))
    rows = tuple(_cells(state) for state in states[:ROWS])
    data = Matrix(
        columns=columns,
        rows=rows,
        total=len(states),
        actors=tuple(map(presence, ask.unit.actors.all())),
        spread=_spread(ask.unit.series, ask.now),
    )
    return View(template="locations.html", title="Locations", data=data)


def _spread(series: SeriesStore, now: float) -> Spread | None:
    samples = series.window("nightowl_round_spread_seconds", {}, now - _LATELY, now)
    newest = {dict(sample.labels).get("quantile"): sample.value for sample in samples}
    return Spread(p50=newest["0.5"], p95=newest["0.95"]) if {"0.5", "0.95"} <= newest.keys() else None


def _column(name: str, labels: Mapping[str, str], states: Sequence[CheckState]) -> Column:
    lasts = [state.last for state in states if state.last]
    places = [place for last in lasts for place in last.places if place.location == name]
    return Column(
        name=name,
        labels=labels,
        asked=len(places),
        silent=sum(not place.voted for place in places),
        dissenting=sum(name in last.dissent for last in lasts),
        offline=sum(place.offline for place in places),
    )


def _cells(state: CheckState) -> Cells:
    last = state.last
    places = {place.location: place for place in last.places} if last else {}
    return Cells(check=state.check, state=state.verdict, due=last.due if last else 0.0, places=places)


PAGE = Page(path="/locations", build=build)
