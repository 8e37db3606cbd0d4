"""Making and editing a rule by a form, which draws beside it what the rule would have done."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor
from typing import Any

import msgspec

from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.core.rule import STEP, Rule
from nightowl.core.rule_sentence import sentence
from nightowl.core.rule_trace import Trace
from nightowl.core.strategies import BUILT_IN
from nightowl.ports import Unit
from nightowl.web import rule_form
from nightowl.web.backtest import PREVIEW, Backtest, Past, Tried, alone
from nightowl.web.handlers import Handlers
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View
from nightowl.web.rule_samples import SampleCache
from nightowl.web.rule_view import SPANS
from nightowl.web.rules_in_force import found

METRICS = 500
"""Names of metrics that a form proposes."""

UNNAMED = "name"
"""What a rule is called while it has no name."""

_USUAL = "3d"

_STILL = 30.0
"""Seconds for which previews end at the same moment, so that what was read can be used again."""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A mistake beside its field (empty: it belongs to none)."""

    key: str
    label: str
    text: str


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule as it is typed would have done over the ``last`` span; or why it is none.

    ``short``: the seconds that there are samples of, where these are fewer than the span's.
    ``tried`` counts the series that were looked at, ``paging`` those of them that would have paged. ``labels`` are
    those of the metric's series with their values. ``series`` is the one of ``trace``.
    """

    last: str
    mistakes: tuple[Refused, ...] = ()
    metric: str = ""
    labels: dict[str, list[str]] = {}
    toml: str = ""
    sentence: str = ""
    recover: float | None = None
    short: float | None = None
    total: int = 0
    tried: int = 0
    paging: int = 0
    pages: int = 0
    series: str = ""
    trace: Trace | None = None
    advice: str = ""
    cut: str = ""


class RuleForm(msgspec.Struct, frozen=True, kw_only=True):
    """The form as it stands; see ``edit.CheckForm``.

    ``metrics`` are proposed, ``strategies`` installed; ``read_only``: a file defines the rule.
    """

    name: str
    is_new: bool
    values: dict[str, str]
    metrics: tuple[str, ...]
    strategies: tuple[str, ...]
    errors: dict[str, str] = {}
    others: list[str] = []
    kept: tuple[str, ...] = ()
    read_only: bool = False
    preview: Preview | None = None
    last: str = _USUAL
    spans: tuple[str, ...] = tuple(SPANS)

    @property
    def groups(self) -> Any:
        """The fields, in their groups."""
        return rule_form.groups(self.strategies)

    @property
    def built_in(self) -> str:
        """The built-in strategies, with spaces."""
        return " ".join(BUILT_IN)

    def only(self, key: str) -> str:
        """The strategies that understand a field (empty: all do)."""
        return rule_form.strategies(key)


def build_new(ask: Ask) -> View:
    """A form for a new rule; ``?metric=`` and other fields fill it in."""
    values = rule_form.to_text({}) | {key: ask.query[key] for key in rule_form.to_text({}) if key in ask.query}
    preview = Previewer(ask.handlers).preview(ask.unit, "", values, {}, _USUAL) if values["metric"] else None
    return view(RuleForm(name="", is_new=True, values=values, **proposed(ask.handlers, ask.unit), preview=preview))


def build_edit(ask: Ask) -> View:
    """The form of a rule that there is."""
    defined = found(ask.handlers, ask.unit, ask.path["name"])
    values = rule_form.to_text(defined.spec)
    data = RuleForm(
        name=defined.name,
        is_new=False,
        values=values,
        **proposed(ask.handlers, ask.unit),
        kept=rule_form.kept(defined.spec),
        read_only=defined.origin == "file",
        preview=Previewer(ask.handlers).preview(ask.unit, defined.name, values, defined.spec, _USUAL),
    )
    return view(data)


def view(data: RuleForm) -> View:
    """Show the form, perhaps with its mistakes."""
    title = "Add a rule" if data.is_new else f"Try {data.name}" if data.read_only else f"Edit {data.name}"
    return View(template="rule_edit.html", title=title, data=data, status=422 if data.errors or data.others else 200)


def proposed(handlers: Handlers, unit: Unit) -> dict[str, Any]:
    """What a form proposes: metrics and strategies."""
    return {"metrics": tuple(unit.series_names.metrics()[:METRICS]), "strategies": tuple(sorted(handlers.strategies))}


class Previewer:
    """Tries what is typed; what one look has read is there for the next."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers
        self._cache = SampleCache()

    def preview(self, unit: Unit, name: str, values: Mapping[str, str], base: Mapping[str, Any], last: str) -> Preview:
        """Try what was typed; ``base`` is the definition that is edited."""
        handlers = self._handlers
        spec = rule_form.to_spec(values, base)
        toml = handlers.rule_to_toml(name or UNNAMED, spec).strip()
        metric = str(spec.get("metric", ""))
        beside = Preview(last=last, metric=metric, labels=_labels(unit, metric), toml=toml)
        try:
            rule = handlers.rule_from_spec(name or UNNAMED, spec)
        except ConfigurationError as error:
            return msgspec.structs.replace(beside, mistakes=_refused(error.mistakes, values))
        now = floor(handlers.clock.now() / _STILL) * _STILL
        with alone():
            past = Past(unit, handlers.clock, handlers.strategies, self._cache.history)
            tried = Backtest(past, rule, now - SPANS[last], now, PREVIEW).run()
        return _shown(beside, rule, tried)


def _shown(beside: Preview, rule: Rule, tried: Tried) -> Preview:
    return msgspec.structs.replace(
        beside,
        sentence=sentence(rule),
        recover=rule.recover,
        short=tried.end - tried.since if tried.since > tried.start + STEP else None,
        total=tried.total,
        tried=tried.tried,
        paging=len(tried.opened),
        pages=tried.pages,
        series=str(tried.chosen) if tried.chosen else "",
        trace=tried.trace,
        advice=tried.advice,
        cut=tried.cut,
    )


def _labels(unit: Unit, metric: str) -> dict[str, list[str]]:
    values: dict[str, set[str]] = {}
    for labels in unit.series_names.labels(metric) if metric else ():
        for label, value in labels:
            values.setdefault(label, set()).add(value)
    return {label: sorted(values[label]) for label in sorted(values)}


def _refused(mistakes: tuple[Mistake, ...], values: Mapping[str, str]) -> tuple[Refused, ...]:
    errors, others = rule_form.by_field(mistakes, values)
    labels = {field.key: field.label for field in rule_form.FIELDS} | {"name": "Name"}
    return (
        *(Refused(key=key, label=labels[key], text=text) for key, text in errors.items()),
        *(Refused(key="", label="", text=text) for text in others),
    )


NEW = Page(path="/rules/new", build=build_new, live=False)
EDIT = Page(path="/rules/{name}/edit", build=build_edit, live=False)
