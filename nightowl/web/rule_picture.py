"""What a rule saw of a series, as a picture: the figure, the limits as a band, when it would have paged, its phases.

Drawn on the server, so that it is there without scripts. It is stretched to the page's width, and what is written
beside it is HTML.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from markupsafe import Markup

from nightowl.core.rule_state import Phase
from nightowl.core.rule_trace import Band, Gap, Stay, Trace
from nightowl.core.strategies.judging import number
from nightowl.web import axis
from nightowl.web.axis import HEIGHT, WIDTH, Scale
from nightowl.web.words import iso, plural, span, times

LANE = 14
"""Height of the lane of phases."""

SPANS = {"6h": "6 hours", "24h": "24 hours", "3d": "3 days", "7d": "7 days"}
"""The spans of pictures in words."""

_TITLED = 80
"""Things that are told one by one to a pointer; more would only be in each other's way."""

_TALL = {Phase.FIRING: LANE, Phase.RECOVERING: 9, Phase.PENDING: 9, Phase.NODATA: 6, Phase.OK: 3}


def scale(trace: Trace, recover: float | None) -> Scale:
    """The axis that shows all figures and limits."""
    figures = [value for _, value in trace.points if value is not None]
    limits = [side for each in trace.band for side in (each.lower, each.upper) if side is not None]
    return axis.scale([*figures, *limits, *([recover] if recover is not None else [])])


def moments(trace: Trace) -> list[str]:
    """Five moments as they are written below a picture."""
    return axis.moments(trace.start, trace.end)


def summary(trace: Trace) -> str:
    """The picture in words."""
    firing = sum(stay.end - stay.start for stay in trace.stays if stay.phase is Phase.FIRING)
    figures = [value for _, value in trace.points if value is not None]
    told = f"Between {number(min(figures))} and {number(max(figures))}" if figures else "No figure"
    paged = f"would have paged {times(len(trace.opened))}" if trace.opened else "would not have paged"
    return f"{told}; {paged}{f', firing for {span(firing)} in all' if firing else ''}."


def phases(trace: Trace) -> set[Phase]:
    """The phases that the picture has."""
    return {stay.phase for stay in trace.stays}


def limited(trace: Trace) -> bool:
    """Whether the picture has a limit."""
    return any(each.lower is not None or each.upper is not None for each in trace.band)


def draw(trace: Trace, recover: float | None) -> Markup:
    """The figure with its limits and the moments at which it would have paged."""
    upright = scale(trace, recover)
    parts = [
        *(_path("beyond", each) for each in _beyond(trace, upright)),
        _path("grid", "".join(f"M0 {upright.y(tick)}h{WIDTH}" for tick in upright.ticks)),
        _path("figure", _line(trace, upright)),
        *(_path("limit", each) for each in _limits(trace, upright)),
        _path("recover", f"M0 {upright.y(recover)}h{WIDTH}" if recover is not None else ""),
        _path("pages", "".join(f"M{_x(trace, at)} 0v{HEIGHT}" for at in trace.opened)),
        *_titles(((at, at, f"would have paged at {iso(at)}") for at in trace.opened), trace, HEIGHT, len(trace.opened)),
    ]
    return _svg("pic", summary(trace), HEIGHT, parts)


def lane(trace: Trace) -> Markup:
    """The phases: the worse, the taller."""
    of_phase = {phase: [stay for stay in trace.stays if stay.phase is phase] for phase in _TALL}
    parts = [
        _path(phase.lower(), "".join(_block(trace, stay, _TALL[phase]) for stay in stays))
        for phase, stays in of_phase.items()
    ]
    told = (
        (stay.start, stay.end, f"{stay.phase} for {span(stay.end - stay.start)}, from {iso(stay.start)}")
        for stay in trace.stays
    )
    parts.append(_path("unknown", "".join(_block(trace, gap, 3) for gap in trace.gaps)))
    label = ", ".join(f"{phase} {plural(len(stays), 'time')}" for phase, stays in of_phase.items() if stays)
    return _svg("stays", f"Phases: {label}", LANE, [*parts, *_titles(told, trace, LANE, len(trace.stays))])


def _svg(kind: str, label: str, height: int, parts: Iterable[Markup]) -> Markup:
    return Markup(
        '<svg class="{}" role="img" aria-label="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">{}</svg>'
    ).format(kind, label, WIDTH, height, Markup("").join(parts))


def _path(kind: str, drawn: str) -> Markup:
    return Markup('<path class="{}" d="{}"/>').format(kind, drawn) if drawn else Markup("")


def _titles(told: Iterable[tuple[float, float, str]], trace: Trace, height: int, count: int) -> Iterator[Markup]:
    """What a pointer is told over a part of the picture."""
    if count > _TITLED:
        return
    for start, end, text in told:
        left = _x(trace, start)
        width = max(8.0, round(_x(trace, end) - left, 1))
        left = left if end > start else round(left - 4, 1)
        yield Markup('<rect class="hit" x="{}" width="{}" height="{}"><title>{}</title></rect>').format(
            left, width, height, text
        )


def _x(trace: Trace, at: float) -> float:
    length = trace.end - trace.start
    return round(WIDTH * (at - trace.start) / length, 1) if length else WIDTH / 2


def _line(trace: Trace, upright: Scale) -> str:
    """The figure; where there was none there is a gap, and what stands alone is a dot."""
    drawn, pen = [], "M"
    for at, value in trace.points:
        if value is None:
            pen = "M"
            continue
        drawn.append(f"{pen}{_x(trace, at)} {upright.y(value)}{'h.1' if pen == 'M' else ''}")
        pen = "L"
    return "".join(drawn)


def _limits(trace: Trace, upright: Scale) -> Iterator[str]:
    for side in ("lower", "upper"):
        for run in _runs(trace.band, side):
            yield "M" + "L".join(f"{_x(trace, at)} {upright.y(bound)}" for at, bound in run)


def _beyond(trace: Trace, upright: Scale) -> Iterator[str]:
    """Where figures break a limit: from it to the end of the picture."""
    for side, edge in (("lower", HEIGHT), ("upper", 0)):
        for run in _runs([each for each in trace.band if each.lower != each.upper], side):
            along = "L".join(f"{_x(trace, at)} {upright.y(bound)}" for at, bound in run)
            yield f"M{_x(trace, run[0][0])} {edge}L{along}V{edge}z"


def _runs(band: Sequence[Band], side: str) -> Iterator[list[tuple[float, float]]]:
    """The parts of a limit between which it is not known."""
    run: list[tuple[float, float]] = []
    for each in band:
        bound = getattr(each, side)
        if bound is not None:
            run.append((each.at, bound))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _block(trace: Trace, stay: Stay | Gap, tall: int) -> str:
    left = _x(trace, stay.start)
    width = max(2.0, round(_x(trace, stay.end) - left, 1))
    return f"M{left} {LANE - tall}h{width}v{tall}h-{width}z"
