"""Draws rules over series as SVG: the series, the limit with the band beyond it, and where the rule fires and pages.

What is drawn of a rule is what the real strategy and the real machine find.
"""  # noqa: INP001 - for a script beside it

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from nightowl.core.condition import Truth
from nightowl.core.evaluation import Evaluation, Finding
from nightowl.core.points import Points
from nightowl.core.replay import instants
from nightowl.core.rule import Rule
from nightowl.core.rule_sentence import sentence
from nightowl.core.rule_state import Phase
from nightowl.core.series import Series

WIDTH, PLOT, HEAD, FOOT = 760, 120, 44, 26
"""Pixels: of a drawing; of a panel's plot, what is above it, what is below it."""
LEFT, RIGHT = 56, 744
"""Pixels at which plots begin and end."""


class Note(NamedTuple):
    """A remark in a plot, centred at an instant and a value."""

    at: float
    value: float
    text: str


class Panel(NamedTuple):
    """A rule over a series. ``of_figure``: what is drawn is the figure that was judged, not the samples."""

    rule: Rule
    samples: Points
    top: float
    notes: Sequence[Note] = ()
    of_figure: bool = False


class Drawing(NamedTuple):
    """Panels over one span of time, evaluated every ``step`` seconds."""

    name: str
    start: float
    end: float
    step: float
    ticks: Sequence[tuple[float, str]]
    panels: Sequence[Panel]


STYLE = """
svg{--paper:#fff;--ink:#1f2328;--soft:#59636e;--grid:#d1d9e0;--line:#0a5bc4;--limit:#9a5b00;--fire:#c1121f}
@media(prefers-color-scheme:dark){svg{--paper:#151b23;--ink:#f0f6fc;--soft:#9198a1;--grid:#3d444d;--line:#6cb0ff;\
--limit:#e3a53c;--fire:#ff7b72}}
text{font:12px system-ui,sans-serif;fill:var(--ink)}
.note{paint-order:stroke;stroke:var(--paper);stroke-width:5px;stroke-linejoin:round}
.soft{fill:var(--soft);font-size:11px}.mid{text-anchor:middle}
.end{text-anchor:end}.grid{stroke:var(--grid)}.line{fill:none;stroke:var(--line);stroke-width:1.6}
.limit{fill:none;stroke:var(--limit);stroke-width:1.6;stroke-dasharray:5 3}.band{fill:var(--limit);opacity:.13}
.fire{fill:var(--fire);opacity:.2}.mark{fill:var(--fire)}.unknown{fill:var(--soft);opacity:.18}
"""


def svg(drawing: Drawing) -> str:
    """The drawing as an SVG file."""
    height = len(drawing.panels) * (HEAD + PLOT + FOOT) + 28
    body = [line for number, panel in enumerate(drawing.panels) for line in _panel(drawing, panel, number)]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">',
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" rx="8" style="fill:var(--paper)"/>',
        *body,
        *_legend(height - 16),
        "</svg>\n",
    ])  # fmt: skip


def found(drawing: Drawing, panel: Panel) -> list[Finding]:
    """What the rule finds at each instant of the drawing."""
    evaluation, all_found = Evaluation(panel.rule, drawing.step), []
    for now in instants(drawing.start, drawing.end, drawing.step):
        each = list(evaluation.at(now, {Series(panel.rule.metric): panel.samples}))
        evaluation.settle(each)
        all_found += each
    return all_found


def _panel(drawing: Drawing, panel: Panel, number: int) -> Iterator[str]:
    top = HEAD + number * (HEAD + PLOT + FOOT)
    findings = found(drawing, panel)

    def x(at: float) -> float:
        return LEFT + (at - drawing.start) / (drawing.end - drawing.start) * (RIGHT - LEFT)

    def y(value: float) -> float:
        return top + PLOT * (1 - min(max(value / panel.top, 0.0), 1.04))

    pages = sum(each.opens for each in findings)
    told = "never pages" if not pages else "pages once" if pages == 1 else f"pages {pages} times"
    title = f'{escape(sentence(panel.rule))}: <tspan font-weight="700">{told}</tspan>'
    yield f'<text x="{LEFT}" y="{top - 14}">{title}</text>'
    yield from _frame(drawing, panel, x, y, top)
    yield from _limit(panel, findings, x, y, top)
    yield from _states(drawing, findings, x, top)
    yield from _series(drawing, panel, findings, x, y)
    for note in panel.notes:
        yield f'<text class="note mid" x="{x(note.at):.0f}" y="{y(note.value) + 4:.0f}">{escape(note.text)}</text>'


Scale = Callable[[float], float]


def _frame(drawing: Drawing, panel: Panel, x: Scale, y: Scale, top: float) -> Iterator[str]:
    """The axes with their ticks."""
    for share in (0, 0.5, 1):
        at = y(panel.top * share)
        yield f'<path class="grid" d="M{LEFT} {at:.0f}H{RIGHT}"/>'
        yield f'<text class="soft end" x="{LEFT - 6}" y="{at + 4:.0f}">{panel.top * share:g}</text>'
    for at, label in drawing.ticks:
        side = "end" if x(at) > RIGHT - 30 else "mid" if x(at) > LEFT + 30 else ""
        yield f'<text class="soft {side}" x="{x(at):.0f}" y="{top + PLOT + 16}">{label}</text>'


def _limit(panel: Panel, findings: Sequence[Finding], x: Scale, y: Scale, top: float) -> Iterator[str]:
    """The limit, and the band beyond it."""
    rising = bool(panel.rule.limits) and panel.rule.limits[0].rising
    edge = top if rising else top + PLOT
    for run in _runs([(each.at, each.condition.bound) for each in findings]):
        drawn = _path(run, x, y)
        yield f'<path class="band" d="{drawn}L{x(run[-1][0]):.0f} {edge}L{x(run[0][0]):.0f} {edge}Z"/>'
        yield f'<path class="limit" d="{drawn}"/>'


def _states(drawing: Drawing, findings: Sequence[Finding], x: Scale, top: float) -> Iterator[str]:
    """When it fires, with a mark where it pages; when it knows nothing."""
    for kind, drawn in (("fire", lambda each: each.after.phase is Phase.FIRING),
                        ("unknown", lambda each: each.condition.truth is Truth.UNKNOWN)):  # fmt: skip
        for run in _runs([(each.at, 1.0 if drawn(each) else None) for each in findings]):
            left, right = x(run[0][0]), x(min(run[-1][0] + drawing.step, drawing.end))
            yield f'<rect class="{kind}" x="{left:.1f}" y="{top}" width="{right - left:.1f}" height="{PLOT}"/>'
    for each in findings:
        if each.opens:
            yield f'<path class="mark" d="M{x(each.at) - 6:.1f} {top - 9}h12l-6 10z"/>'


def _series(drawing: Drawing, panel: Panel, findings: Sequence[Finding], x: Scale, y: Scale) -> Iterator[str]:
    """The samples, or the figure that was judged; a gap is a gap."""
    if panel.of_figure:
        drawn = [(each.at, each.condition.value) for each in findings]
    else:
        known = dict(zip(panel.samples.times, panel.samples.values, strict=True))
        every = min(b - a for a, b in zip(panel.samples.times, panel.samples.times[1:], strict=False))
        drawn = [(at, known.get(at)) for at in instants(drawing.start, drawing.end, every)]
    for run in _runs(drawn):
        yield f'<path class="line" d="{_path(run, x, y)}"/>'


def _runs(drawn: Sequence[tuple[float, float | None]]) -> Iterator[list[tuple[float, float]]]:
    """Stretches without a gap."""
    run: list[tuple[float, float]] = []
    for at, value in [*drawn, (0.0, None)]:
        if value is not None:
            run.append((at, value))
        elif run:
            yield run
            run = []


def _path(run: Sequence[tuple[float, float]], x: Scale, y: Scale) -> str:
    """A line through the points of a stretch, without those in the middle of a level part."""
    at = [(f"{x(moment):.0f}", f"{y(value):.1f}") for moment, value in run]
    ends = (0, len(at) - 1)
    kept = [
        each for place, each in enumerate(at) if place in ends or not at[place - 1][1] == each[1] == at[place + 1][1]
    ]
    return "M" + "L".join(f"{left} {up}" for left, up in kept)


def _legend(at: float) -> Iterator[str]:
    row = (
        ('<path class="line" d="M0 -4h22"/>', "series", 80),
        (
            '<path class="limit" d="M0 -4h22"/><path class="band" d="M0 -4h22v-7h-22z"/>',
            "limit, and what breaks it",
            180,
        ),
        ('<rect class="fire" y="-11" width="22" height="13"/>', "fires", 74),
        ('<path class="mark" d="M5 -9h12l-6 10z"/>', "pages", 74),
        ('<rect class="unknown" y="-11" width="22" height="13"/>', "unknown", 0),
    )
    left = LEFT
    for ink, text, width in row:
        yield f'<g transform="translate({left} {at})">{ink}<text class="soft" x="28" y="0">{text}</text></g>'
        left += width
