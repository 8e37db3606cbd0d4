"""``[rule.NAME]``."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from nightowl.config.fields import Line, Seconds, Shape, Tags, WebUrl, Whole, each_once, refuse
from nightowl.config.models.table import Table
from nightowl.core.limits import relative_limit

LONGEST_LOOK = 400 * 86_400.0
"""Seconds that a rule may look back: as long as rollups are kept by default."""

MOST_PERIODS = 8
"""Periods that a rule may compare with: each has samples of its own in memory."""

MOST_LABELS = 50
"""Labels that a rule may name."""

LONGEST_PATTERN = 500
"""Characters of a pattern, or of the name of a metric."""


def _amount(found: object) -> float | str:
    if isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found):
        return float(found)
    try:
        relative_limit("above", found if isinstance(found, str) else "")
    except ValueError:
        raise refuse('a number, or where the limit is relative a text such as "+20%", "-5" or "+3 sigma"') from None
    return str(found)


Amount = Annotated[
    float | str,
    PlainValidator(_amount),
    WithJsonSchema({"type": ["number", "string"]}),
    Shape("number, or relative text"),
]
"""Where a limit lies."""


def _metric(found: str) -> str:
    if not 0 < len(found) <= LONGEST_PATTERN or any(sign in found for sign in '{}"\n'):
        raise refuse('the name of a metric such as "celery_queue_length"; labels go into where')
    return found


Metric = Annotated[str, AfterValidator(_metric), Shape("name of a metric")]


def _finite(found: float) -> float:
    if not math.isfinite(found):
        raise refuse("a finite number")
    return found


Number = Annotated[float, AfterValidator(_finite), Shape("number")]


def _unique(found: list[str]) -> list[str]:
    if len(set(found)) < len(found) or len(found) > MOST_LABELS:
        raise refuse(f"a list of up to {MOST_LABELS} names of labels, each once")
    return found


def _labels(found: dict[str, str]) -> dict[str, str]:
    if len(found) > MOST_LABELS or any(len(text) > LONGEST_PATTERN for pair in found.items() for text in pair):
        raise refuse(f"up to {MOST_LABELS} labels, their names and patterns of up to {LONGEST_PATTERN} characters")
    return found


def _periods(found: list[float]) -> list[float]:
    if len(set(found)) < len(found) or len(found) > MOST_PERIODS:
        raise refuse(f"a list of up to {MOST_PERIODS} durations, each once")
    return found


Look = Annotated[float, Seconds(at_least=1.0, at_most=LONGEST_LOOK)]
"""A span of samples."""

LabelNames = Annotated[list[Line], AfterValidator(_unique), Shape("list of names")]
Labels = Annotated[dict[str, Line], AfterValidator(_labels), Shape("table of name to pattern")]


def _is_plain(found: object) -> bool:
    """Whether a value is the same in JSON, in which rules travel too."""
    if isinstance(found, dict):
        return all(map(_is_plain, found.values()))
    if isinstance(found, list):
        return all(map(_is_plain, found))
    return isinstance(found, str | bool | int) or (isinstance(found, float) and math.isfinite(found))


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    if not _is_plain(found):
        raise refuse("texts, finite numbers, true, false, lists and tables of them; dates as texts")
    return found


Parameters = Annotated[dict[str, Any], AfterValidator(_plain), Shape("table")]
"""What a plug-in asks for."""


def _identifiers(found: object) -> str | list[str]:
    if isinstance(found, list) and found and all(isinstance(each, str) for each in found):
        return [str(each) for each in found]
    if isinstance(found, str) and found:
        return found
    raise refuse("a list of texts, or the path of a text file with one a line")


_TEXT = {"type": "string"}
Identifiers = Annotated[
    str | list[str],
    PlainValidator(_identifiers),
    WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}),
    Shape("list of texts, or path of a file"),
]
"""What a rule is evaluated for."""


class Baseline(Table):
    """Of a floating limit: what it is relative to."""

    of: Literal["mean", "median", "last"] = "median"
    """What is taken of the samples; `last` is the newest of them. A mean is polluted by a spike, a median is not."""
    over: Look
    """The span of samples that it is taken of."""
    gap: Annotated[float, Seconds(at_most=LONGEST_LOOK)] | None = None
    """How long before now the span ends. Without it: one step of 10 seconds, so that now's own sample is left out."""


class Rule(Table):
    """A condition on series: a strategy and its limits. Each series that it finds has a state of its own."""

    metric: Metric | None = None
    """The metric whose series are judged, such as `check_up`. On a source either this or `query`."""
    source: str | None = None
    """The source whose series are judged. Without it: those of NightOwl's own."""
    query: Annotated[Line, Field(min_length=1, max_length=4000)] | None = None
    """Instead of `metric` and `where`: what to ask the source, in its own language."""
    identifiers: Identifiers | None = None
    """What `$id` stands for in `query`, `metric` and `where`: a list, or the path of a text file with one a line. The \
rule is evaluated for each of them, and its series carry it as the label `id`."""
    where: Labels = Field(default_factory=dict)
    """Labels that a series must carry, their values as shell patterns: `{ cluster = "shop", queue_name = "mail*" }`."""
    by: LabelNames | None = None
    """Labels to group by, such as `["check"]`: series that agree in these become one. `[]`: all become one. Without \
it: each is judged by itself."""
    aggregate: Literal["mean", "median", "last", "min", "max", "sum", "count"] | None = None
    """What is made of the samples within `over`, and with `by` of the series of a group. Without it: the newest \
sample, and the sum of a group."""
    over: Look | None = None
    """The span before now that `aggregate`, the rate of a counter and `absent` look at. Without it: `stale`."""
    difference: Metric | None = None
    """A second metric, which is subtracted series by series where all labels agree, or with `by` those named there."""
    counter: bool = False
    """Whether the metric only counts up: the rate a second is judged, and a fall is a restart from 0."""
    strategy: str = "fixed"
    """`fixed`: against a number. `floating`: against the series' own recent values. `period`: the change since a day \
or a week ago. `absent`: no data. Or a plug-in's."""
    parameters: Parameters = Field(default_factory=dict)
    """What the strategy of a plug-in asks for, such as `{ hours = 4 }`; built-in strategies take none."""
    above: Amount | None = None
    """The limit is broken by more than this: a number for `fixed`, `"+20%"`, `"+10"` or `"+3 sigma"` for `floating`, \
`"+40%"` for `period`. May stand together with `below`."""
    below: Amount | None = None
    """Broken by less than this; relative ones as a rule with a minus: `"-20%"`."""
    at_least: Amount | None = None
    """Broken by this or more."""
    at_most: Amount | None = None
    """Broken by this or less."""
    equals: Amount | None = None
    """Of a fixed limit: broken by exactly this."""
    not_equals: Amount | None = None
    """Of a fixed limit: broken by anything but this."""
    recover: Number | None = None
    """Of a fixed limit: once firing, the rule goes on until the figure is back on the good side of this, so that it \
does not flutter."""
    stale: Look | None = None
    """How old a sample may be and still be the current one. Without it: 5 steps, which is 50 seconds. Of \
checks, more than their `every`."""
    baseline: Baseline | None = None
    """What a floating limit is relative to."""
    average: Look | None = None
    """Of `period`: the span whose mean is compared with that of the same span so long ago."""
    compare: Annotated[list[Look], AfterValidator(_periods)] = Field(default_factory=list)
    """Of `period`: how long ago; with several, such as `["1d", "1w"]`, the limit must be broken against each."""
    min_points: Annotated[int, Whole(1, 1_000_000)] = 1
    """The fewest samples that a baseline or an average is taken of; with fewer the condition is unknown."""
    min_base: Number = 0.0
    """Of `period`: averages up to this, either side of zero, are too little to take percents of."""
    on_zero: Literal["unknown", "ok", "breach_if_changed"] = "unknown"
    """Of `period`: what to think where the average then was too little."""
    for_: Annotated[float, Seconds()] = Field(default=0.0, alias="for")
    """How long the limit must be broken before the rule fires. Without it: at once."""
    keep_firing: Annotated[float, Seconds()] = 0.0
    """How long it goes on firing after the limit is no longer broken: breaches close together are one incident."""
    nodata: Literal["keep", "ok", "alert", "nodata"] = "keep"
    """What missing data does: `keep` leaves things as they are, `ok` and `alert` read it so, `nodata` opens a warning \
of its own after `nodata_after`."""
    nodata_after: Annotated[float, Seconds(at_most=LONGEST_LOOK)] = 300.0
    """With `nodata = "nodata"`: how long data must be missing."""
    severity: Literal["info", "warning", "critical"] = "warning"
    """How much it matters; routes choose by it."""
    tags: Tags = Field(default_factory=dict)
    """Names and values to filter, group and route by: `{ team = "shop" }`."""
    depends_on: Annotated[list[Line], AfterValidator(each_once), Shape("list of names")] = Field(default_factory=list)
    """Checks and rules without which this one cannot be well: while one of them is down, nobody is told that this one \
is, too."""
    runbook: WebUrl | None = None
    """A page that says what to do; it stands in every notice."""
