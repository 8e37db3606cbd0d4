"""Charts of a few lines, drawn on the server, so that they are there without scripts."""

from __future__ import annotations

from itertools import chain

from markupsafe import Markup

from nightowl.core.cluster.charts import Line
from nightowl.core.strategies.judging import number
from nightowl.web import axis
from nightowl.web.axis import HEIGHT, WIDTH, Scale
from nightowl.web.cluster_charts import Chart
from nightowl.web.words import took

__all__ = ["HEIGHT", "WIDTH", "draw", "mark", "moments", "newest", "scale"]


def scale(chart: Chart) -> Scale:
    """The axis that shows all lines, from zero on."""
    return axis.scale(chain([0.0], *(_values(line) for line in chart.lines)))


def mark(chart: Chart, value: float) -> str:
    """A value as it is written beside the chart: ``1.5 k``, ``124 ms``."""
    return took(value) if chart.unit == "s" else axis.label(value)


def moments(chart: Chart) -> list[str]:
    """Five moments as they are written below the chart."""
    points = chart.lines[0].points
    return axis.moments(points[0][0], points[-1][0])


def newest(chart: Chart, line: Line) -> str:
    """The last value of a line, with its unit."""
    value = next((value for _, value in reversed(line.points) if value is not None), None)
    if value is None:
        return "no data"
    if chart.unit == "s":
        return took(value)
    return (f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}") + chart.unit


def draw(chart: Chart) -> Markup:
    """All lines over one axis."""
    upright = scale(chart)
    grid = "".join(f"M0 {upright.y(tick)}h{WIDTH}" for tick in upright.ticks)
    lines = Markup("").join(
        Markup('<path class="line n{}" d="{}"/>').format(at, _path(line, upright))
        for at, line in enumerate(chart.lines)
    )
    return Markup(
        '<svg class="pic" role="img" aria-label="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">'
        '<path class="grid" d="{}"/>{}</svg>'
    ).format(_summary(chart), WIDTH, HEIGHT, grid, lines)


def _summary(chart: Chart) -> str:
    told = (
        f"{line.name} between {number(min(_values(line)))} and {number(max(_values(line)))}"
        for line in chart.lines
        if _values(line)
    )
    return f"{chart.title}: {', '.join(told) or 'no data'}"


def _values(line: Line) -> list[float]:
    return [value for _, value in line.points if value is not None]


def _path(line: Line, upright: Scale) -> str:
    """The line; where there was no value there is a gap, and what stands alone is a dot."""
    start, end = line.points[0][0], line.points[-1][0]
    drawn, pen = [], "M"
    for at, value in line.points:
        if value is None:
            pen = "M"
            continue
        x = round(WIDTH * (at - start) / (end - start), 1) if end > start else WIDTH / 2
        drawn.append(f"{pen}{x} {upright.y(value)}{'h.1' if pen == 'M' else ''}")
        pen = "L"
    return "".join(drawn)
