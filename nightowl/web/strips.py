"""Rows of small cells, each one round or one day, as SVG paths.

State is height as well as colour, so that a strip reads in grey: down fills the cell, degraded two thirds, up one
third; unknown is a short hollow box in the middle; where there is nothing there is a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from markupsafe import Markup

from nightowl.core.sentences import cause
from nightowl.core.values import DayCount, State, Verdict
from nightowl.web import words
from nightowl.web.phases import Bar

HEIGHT = 24
"""Height of a strip in its own units; a cell is ``PITCH`` wide with its gap."""

PITCH = 6
_WIDTH = 5

ROUNDS = 60
"""Rounds that a strip has room for."""

LETTERS = {"u": State.UP, "g": State.DEGRADED, "d": State.DOWN, "k": State.UNKNOWN}
_TALL = {State.UP: 8, State.DEGRADED: 16, State.DOWN: HEIGHT}


class Cell(msgspec.Struct, frozen=True):
    """One cell: its state (None: a gap) and what a pointer over it is told."""

    state: State | None
    title: str = ""


def recent(letters: str) -> Markup:
    """Draw the last rounds of a check, newest at the right."""
    shown = [Cell(LETTERS[letter]) for letter in letters[-ROUNDS:]]
    gaps = [Cell(None)] * (ROUNDS - len(shown))
    return draw([*gaps, *shown], f"Last {words.plural(len(shown), 'round')}: {tally(c.state for c in shown)}")


def ninety_days(days: Sequence[DayCount], today: int, count: int = 90) -> Markup:
    """Draw the last days, today at the right, each in its worst state."""
    by_day = {day.day: day for day in days}
    cells = [day_cell(number, by_day.get(number)) for number in range(today - count + 1, today + 1)]
    total = sum(d.up + d.degraded + d.down for d in days)
    good = sum(d.up + d.degraded for d in days)
    bad = sum(bool(d.down) for d in days)
    seen = f"{words.share(good, total)} of rounds good, {words.plural(bad, 'day')} with a round down"
    return draw(cells, f"Last {count} days: {seen}" if days else f"Last {count} days: no rounds")


def day_cell(number: int, counted: DayCount | None) -> Cell:
    """One day, in its worst state."""
    if counted is None:
        return Cell(None)
    numbers = {
        State.DOWN: counted.down,
        State.DEGRADED: counted.degraded,
        State.UP: counted.up,
        State.UNKNOWN: counted.unknown,
    }
    worst = next((state for state, rounds in numbers.items() if rounds), None)
    told = ", ".join(f"{rounds:,} {state}" for state, rounds in numbers.items() if rounds)
    return Cell(worst, f"{words.day(number)}: {told}")


def lane(location: str, verdicts: Sequence[Verdict], chosen: float | None) -> Markup:
    """Draw what one location said, round by round; a frame is around the chosen round."""
    gaps = [Cell(None)] * (ROUNDS - len(verdicts))
    cells = [_place_cell(location, verdict) for verdict in verdicts]
    label = f"{location}, last {words.plural(len(cells), 'round')}: {tally(cell.state for cell in cells)}"
    at = next((number for number, verdict in enumerate(verdicts, len(gaps)) if verdict.due == chosen), None)
    return draw([*gaps, *cells], label, chosen=at)


def waterfall(bars: Sequence[Bar], number: int, duration: float) -> Markup:
    """Draw the phases of an attempt as bars on its round's line of time."""
    drawn = Markup("").join(
        Markup('<rect class="{}" x="{:.1f}" width="{:.1f}" height="12"/>').format(
            bar.phase, bar.left, max(2, bar.width)
        )
        for bar in bars
    )
    label = f"Attempt {number}: {words.took(duration)}"
    return Markup(
        '<svg class="waterfall" role="img" aria-label="{}" viewBox="0 0 1000 12" preserveAspectRatio="none">{}</svg>'
    ).format(label, drawn)


def tally(states: Iterable[State | None]) -> str:
    """Say how many of each: ``58 up, 2 down``."""
    seen = list(states)
    return ", ".join(f"{seen.count(state)} {state}" for state in State if state in seen) or "none yet"


def draw(cells: Sequence[Cell], label: str, chosen: int | None = None) -> Markup:
    """Draw cells as one labelled picture: a path a state, and a hit area with a title where a cell has one."""
    frame = (
        Markup("")
        if chosen is None
        else Markup('<path class="chosen" d="M{} 0h{}v{}h-{}z"/>').format(chosen * PITCH - 0.5, PITCH, HEIGHT, PITCH)
    )
    paths = {
        state: "".join(_cell(at, state) for at, cell in enumerate(cells) if cell.state is state) for state in State
    }
    drawn = Markup("").join(
        Markup('<path class="{}" d="{}"/>').format(state.value, path) for state, path in paths.items() if path
    )
    titles = Markup("").join(
        Markup('<rect class="hit" x="{}" width="{}" height="{}"><title>{}</title></rect>').format(
            at * PITCH, PITCH, HEIGHT, cell.title
        )
        for at, cell in enumerate(cells)
        if cell.title
    )
    return Markup(
        '<svg class="strip" role="img" aria-label="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">{}{}{}</svg>'
    ).format(label, len(cells) * PITCH - 1, HEIGHT, frame, drawn, titles)


def _place_cell(location: str, verdict: Verdict) -> Cell:
    place = next((place for place in verdict.places if place.location == location), None)
    if place is None:
        return Cell(None, f"{words.iso(verdict.due)}: not asked")
    if not place.voted:
        return Cell(State.UNKNOWN, f"{words.iso(verdict.due)}: no vote")
    why = f", {cause(place.reason, place.detail)}" if place.reason else ""
    return Cell(place.state, f"{words.iso(verdict.due)}: {place.state}, {words.took(place.duration)}{why}")


def _cell(at: int, state: State) -> str:
    left = at * PITCH
    if state is State.UNKNOWN:
        outer = f"M{left} 9h{_WIDTH}v6h-{_WIDTH}z"
        return f"{outer}M{left + 1} 10v4h{_WIDTH - 2}v-4z"
    tall = _TALL[state]
    return f"M{left} {HEIGHT - tall}h{_WIDTH}v{tall}h-{_WIDTH}z"
