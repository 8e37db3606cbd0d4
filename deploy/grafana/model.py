"""From dashboards as values to Grafana's JSON model (schema 39, which Grafana 10.4 and later read)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from deploy.grafana.boards import FULL, GREEN, Board, Panel, Row, Source, Target, Variable

SCHEMA = 39
TAG = "nightowl"
ALL = {"prometheus": ".*", "graphite": "*", "cloudwatch": "*"}
"""What stands for all values of a variable in a query."""

REFRESH = {"prometheus": "30s", "graphite": "30s", "cloudwatch": "1m"}
"""How often a dashboard asks anew: CloudWatch's metrics come once a minute, and each question costs money."""

Json = dict[str, Any]

_PAGES: Json = {
    "name": "nightowl",
    "label": "NightOwl's address",
    "type": "textbox",
    "query": "http://127.0.0.1:5555",
    "current": {"text": "http://127.0.0.1:5555", "value": "http://127.0.0.1:5555"},
}


def dashboard(board: Board) -> Json:
    """Return the JSON model of a dashboard."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.says,
        "tags": [TAG, board.source],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": REFRESH[board.source],
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "links": _links(board.source),
        "templating": {"list": [_source_variable(board.source), *_variables(board), dict(_PAGES)]},
        "panels": list(_panels(board)),
    }


def _links(source: Source) -> list[Json]:
    others = {"type": "dashboards", "title": "NightOwl", "tags": [TAG, source], "asDropdown": True, "icon": "dashboard"}
    pages = {"type": "link", "title": "NightOwl's pages", "url": "${nightowl}/", "icon": "external link"}
    return [others | {"includeVars": True, "keepTime": True}, pages | {"targetBlank": True}]


def _source_variable(source: Source) -> Json:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": source, "refresh": 1}


def _variables(board: Board) -> Iterator[Json]:
    for variable in board.variables:
        shown: Json = {"name": variable.name, "label": variable.label}
        shown |= {"multi": variable.several, "includeAll": variable.several}
        if variable.several:
            shown |= {"allValue": ALL[board.source], "current": {"text": "All", "value": "$__all"}}
        yield shown | (_choice(variable.options) if variable.options else _found(variable, board.source))


def _choice(options: Sequence[str]) -> Json:
    listed = [{"text": each, "value": each, "selected": each == options[0]} for each in options]
    current = {"text": options[0], "value": options[0]}
    return {"type": "custom", "query": ",".join(options), "options": listed, "current": current}


def _found(variable: Variable, source: Source) -> Json:
    found = {"type": "query", "datasource": _datasource(source), "query": variable.query, "refresh": 2, "sort": 1}
    return found | ({"regex": variable.matching} if variable.matching else {})


def _datasource(source: Source) -> Json:
    return {"type": source, "uid": "${datasource}"}


def _panels(board: Board) -> Iterator[Json]:
    number = top = 0
    for row in board.rows:
        number += 1
        place = _place(0, top, FULL, 1)
        yield {"id": number, "type": "row", "title": row.title, "collapsed": False, "gridPos": place, "panels": []}
        top += 1
        for panel, left, down in _laid_out(row):
            number += 1
            place = _place(left, top + down, panel.width, panel.height)
            yield _panel(panel, board.source) | {"id": number, "gridPos": place}
        top += _height(row)


def _place(left: int, top: int, width: int, height: int) -> Json:
    return {"x": left, "y": top, "w": width, "h": height}


def _laid_out(row: Row) -> Iterator[tuple[Panel, int, int]]:
    """Yield panels from left to right, with the column and the line below the row's head where each begins."""
    left = top = tallest = 0
    for panel in row.panels:
        if left + panel.width > FULL:
            left, top, tallest = 0, top + tallest, 0
        yield panel, left, top
        left, tallest = left + panel.width, max(tallest, panel.height)


def _height(row: Row) -> int:
    return max(top + panel.height for panel, _, top in _laid_out(row))


def _panel(panel: Panel, source: Source) -> Json:
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": _datasource(source),
        "targets": list(_targets(panel.targets, source)),
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
        "transformations": _transformations(panel),
    }


def _targets(targets: Iterable[Target], source: Source) -> Iterator[Json]:
    for letter, target in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", targets, strict=False):
        asked: Json = {"refId": letter, "datasource": _datasource(source), **target.query}
        if source == "prometheus":
            asked |= {"instant": target.instant, "range": not target.instant}
            asked["format"] = "table" if target.instant else "time_series"
        yield asked


def _defaults(panel: Panel) -> Json:
    steps = [{"color": GREEN, "value": None}, *({"color": color, "value": value} for value, color in panel.steps)]
    shown: Json = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}}
    shown["color"] = {"mode": "thresholds" if panel.steps or panel.words else "palette-classic"}
    if panel.words:
        options = {value: {"text": text, "color": color} for value, (text, color) in panel.words.items()}
        shown["mappings"] = [{"type": "value", "options": options}]
    if panel.kind == "timeseries":
        shown["custom"] = {
            "lineWidth": 1,
            "fillOpacity": 20 if panel.stacked or panel.steps else 0,
            "gradientMode": "scheme" if panel.steps else "none",  # a line has the colour of what it reaches
            "thresholdsStyle": {"mode": "dashed" if panel.steps else "off"},
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
            "showPoints": "never",
            "spanNulls": False,
        }
    return shown


def _options(panel: Panel) -> Json:
    if panel.kind == "stat":
        reduce = {"calcs": ["lastNotNull"], "fields": "", "values": False}
        return {"reduceOptions": reduce, "colorMode": "value", "graphMode": "area", "textMode": "auto"}
    if panel.kind == "table":
        return {"showHeader": True, "cellHeight": "sm"}
    legend = {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]}
    return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}


def _transformations(panel: Panel) -> list[Json]:
    if not panel.joined:
        return []
    times = {"Time": True} | {f"Time {number}": True for number in range(1, len(panel.targets) + 1)}
    return [
        {"id": "joinByField", "options": {"byField": panel.joined, "mode": "outer"}},
        {"id": "organize", "options": {"excludeByName": times}},
    ]
