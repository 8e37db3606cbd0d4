"""The form of a rule: its fields as a table, and which of them a strategy understands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from nightowl.core.errors import Mistake
from nightowl.core.strategies import BUILT_IN
from nightowl.web import fields
from nightowl.web.fields import Field, Groups
from nightowl.web.written import (
    read_amount,
    read_json,
    read_list,
    read_number,
    read_pairs,
    read_switch,
    write_amount,
    write_json,
    write_list,
    write_pairs,
    write_switch,
)

LIMITS = ("above", "below", "at_least", "at_most", "equals", "not_equals")
PLUG_IN = "plug-in"
"""What stands for the strategies of plug-ins, which may understand any field."""

ALL = "*"
"""What stands in ``by`` where all series become one."""

_FIXED = frozenset({"fixed"})
_PERIOD = frozenset({"period"})
_LIMITED = frozenset({"fixed", "floating", "period"})
_BY_POINTS = frozenset({"floating", "period"})

ONLY: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(LIMITS[:4], _LIMITED),
    **dict.fromkeys(LIMITS[4:], _FIXED),
    "recover": _FIXED,
    "baseline.of": frozenset({"floating"}),
    "baseline.over": frozenset({"floating"}),
    "baseline.gap": frozenset({"floating"}),
    "average": _PERIOD,
    "compare": _PERIOD,
    "min_base": _PERIOD,
    "on_zero": _PERIOD,
    "min_points": _BY_POINTS,
    "parameters": frozenset({PLUG_IN}),
}
"""Fields that mean something to some built-in strategies only."""


def _read_by(text: str) -> Any:
    return [] if text == ALL else read_list(text)


def _write_by(value: Any) -> str:
    return ALL if value == [] else write_list(value)


def _limit(key: str, label: str, hint: str = "") -> Field:
    return Field(key=key, label=label, hint=hint, read=read_amount, write=write_amount)


GROUPS: Groups = (
    (
        "What to look at",
        (
            Field(key="metric", label="Metric", wide=True, hint="Begin to type: those that are stored are proposed",
                  must="Give a metric, such as check_duration_seconds."),
            Field(key="where", label="Where", kind="lines", wide=True, mark="=",
                  read=read_pairs("="), write=write_pairs("="),
                  hint="One a line: phase=total; values are shell patterns: check=shop-*"),
            Field(key="by", label="Group by", hint=f"Labels with commas, whose series become one; {ALL}: all series",
                  read=_read_by, write=_write_by),
            Field(key="aggregate", label="Aggregate", kind="choice",
                  choices=("", "mean", "median", "last", "min", "max", "sum", "count"),
                  hint="Of the samples within the span beside, and of a group's series"),
            Field(key="over", label="Over", hint="A duration: 5m"),
            Field(key="counter", label="It only counts up", kind="choice", default="no", choices=("no", "yes"),
                  read=read_switch, write=write_switch, hint="yes: the rate a second is judged"),
            Field(key="difference", label="Minus this metric", hint="Series by series, where all labels agree"),
        ),
    ),
    (
        "When it is wrong",
        (
            Field(key="strategy", label="Strategy", kind="choice", default="fixed", choices=tuple(BUILT_IN), wide=True,
                  hint="fixed: a number; floating: against its own recent values; period: since a day, a week ago; "
                  "absent: no data"),
            Field(key="baseline.of", label="Baseline", kind="choice", default="median",
                  choices=("mean", "median", "last"), hint="A median is not moved by a spike"),
            Field(key="baseline.over", label="Of the last", hint="A duration: 30m",
                  must="Give the span that the baseline is taken of, such as 30m."),
            Field(key="average", label="Average over", hint="A duration: 10m",
                  must="Give the span to average, such as 10m."),
            Field(key="compare", label="Compare with", hint="How long ago, with commas: 1d, 1w; both must hold",
                  read=read_list, write=write_list, must="Say how long ago, such as 1d, 1w."),
            _limit("above", "Above", "A number; where it is relative +20%, +10 or +3 sigma"),
            _limit("below", "Below", "A number; where it is relative -20%"),
            _limit("at_least", "At least"),
            _limit("at_most", "At most"),
            _limit("equals", "Equal to"),
            _limit("not_equals", "Not equal to"),
            _limit("recover", "Recovers at", "Once it fires, it goes on until this is reached"),
            Field(key="baseline.gap", label="Baseline ends", hint="So long before now; without it 10s"),
            Field(key="min_points", label="Fewest samples", kind="number", default="1", read=read_number,
                  hint="With fewer nothing is known"),
            _limit("min_base", "Too little", "Averages up to this are too little for percents"),
            Field(key="on_zero", label="Then it is", kind="choice", default="unknown",
                  choices=("unknown", "ok", "breach_if_changed")),
            Field(key="parameters", label="Parameters", kind="lines", mark="=", hint="One a line: season = 7",
                  read=read_pairs("=", read_json), write=write_pairs(" = ", write_json)),
        ),
    ),
    (
        "When to say so",
        (
            Field(key="for", label="For", hint="How long it must be wrong: 5m; without it at once"),
            Field(key="keep_firing", label="Keep firing", hint="How long it goes on after that is over: 10m"),
            Field(key="severity", label="Severity", kind="choice", default="warning",
                  choices=("critical", "warning", "info")),
            Field(key="stale", label="A sample is current for", hint="Without it 50s; more than a check's interval"),
            Field(key="nodata", label="Missing data", kind="choice", default="keep",
                  choices=("keep", "ok", "alert", "nodata"),
                  hint="keep: changes nothing; ok, alert: reads as that; nodata: a warning of its own"),
            Field(key="nodata_after", label="Warning after", default="5m", hint="Of nodata"),
            Field(key="tags", label="Tags", kind="lines", hint="One a line: team=shop",
                  mark="=", read=read_pairs("="), write=write_pairs("=")),
            Field(key="depends_on", label="Depends on", read=read_list, write=write_list,
                  hint="Checks and rules: while one is down, nobody is told of this"),
            Field(key="runbook", label="Runbook", hint="A page that says what to do"),
        ),
    ),
)  # fmt: skip

FIELDS = tuple(field for _, inside in GROUPS for field in inside)


def groups(strategies: Sequence[str]) -> Groups:
    """The fields in their groups, with these strategies to choose from: the built-in ones first."""
    choices = tuple(sorted(strategies, key=lambda name: (name not in BUILT_IN, [*BUILT_IN, name].index(name), name)))
    return tuple(
        (title, tuple(replace(field, choices=choices) if field.key == "strategy" else field for field in inside))
        for title, inside in GROUPS
    )


def strategies(key: str) -> str:
    """The strategies that understand a field, with spaces (empty: all do)."""
    return " ".join(sorted(ONLY.get(key, ())))


def to_text(spec: Mapping[str, Any]) -> dict[str, str]:
    """A definition as the form shows it."""
    return fields.to_text(FIELDS, spec)


def to_spec(values: Mapping[str, str], base: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed as a definition; what was not touched, and keys of ``base`` that have no field, stay exactly."""
    return fields.to_spec(FIELDS, values, base, to_text(base))


def kept(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys of a definition that have no field: editing leaves them as they are."""
    return fields.kept(FIELDS, spec)


def by_field(mistakes: Sequence[Mistake], values: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Sort mistakes to the fields that they are about; what belongs to none comes second."""
    return fields.by_field(FIELDS, mistakes, values)
