"""``/api/v1/rules``: definitions, where they stand, and what they would have done."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query, Response
from msgspec.structs import replace

from nightowl.core.errors import ConfigurationError, Mistake, NotFound
from nightowl.web import rule_changes
from nightowl.web.api.asking import Asking
from nightowl.web.api.endpoints import Endpoints
from nightowl.web.api.rule_models import BacktestAsk, BacktestModel, RuleDetail, RuleModel, RuleSpec, TraceModel
from nightowl.web.backtest import ASKED, Backtest, Past, alone
from nightowl.web.handlers import Handlers
from nightowl.web.rule_rows import rule_rows
from nightowl.web.rule_view import drawn, view
from nightowl.web.rules_in_force import found, in_force

LONGEST = 31 * 86_400.0
"""Seconds that a backtest may go back."""

TRIED = "tried"
"""The name by which mistakes of a rule that is only tried are told."""


def endpoints(handlers: Handlers) -> Endpoints:
    """The endpoints of rules."""
    api = Endpoints("/rules", "rules")

    @api.get("", summary="All rules, worst first")
    def list_rules() -> list[RuleModel]:
        with handlers.store.read() as unit:
            rules = {name: each.rule for name, each in in_force(handlers, unit).items() if each.rule}
            rows = rule_rows(rules, unit.rules.all(), unit.incidents.open())
        return [RuleModel.of_row(row) for row in rows]

    @api.post("/backtest", summary="Try a rule on what the store remembers")
    def backtest(asked: BacktestAsk) -> BacktestModel:
        """Nothing is defined. It is bounded in series, samples and time: `cut` says what was left out."""
        now = handlers.clock.now()
        rule = handlers.rule_from_spec(TRIED, asked.rule.model_dump())
        end = asked.end.timestamp() if asked.end else now
        start = asked.start.timestamp() if asked.start else end - _seconds(handlers, "last", asked.last)
        if not 0 < end - start <= LONGEST:
            raise _mistake("from" if asked.start else "last", f"{end - start:g} s", "a span of up to 31 days")
        bounds = replace(ASKED, every=_seconds(handlers, "every", asked.every))
        with alone(), handlers.store.read() as unit:
            tried = Backtest(
                Past(unit, handlers.clock, handlers.strategies), rule, start, end, bounds, traced=False
            ).run()
        return BacktestModel.of_tried(tried)

    @api.get("/{name}", summary="One rule with its definition, its series now, and its incidents")
    def get_rule(name: str) -> RuleDetail:
        return _rule(handlers, name)

    @api.put("/{name}", summary="Define a rule", description="Idempotent. 201 where the rule is new.")
    def put_rule(name: str, spec: RuleSpec, author: Asking, response: Response) -> RuleDetail:
        is_new = rule_changes.put(handlers, author, name, spec.model_dump())
        response.status_code = 201 if is_new else 200
        return _rule(handlers, name)

    @api.delete("/{name}", status_code=204, summary="Forget a rule; what is open of it is resolved")
    def delete_rule(name: str, author: Asking) -> None:
        rule_changes.remove(handlers, author, name)

    @api.get("/{name}/history", summary="What a rule saw of one of its series: figures, limits, phases")
    def get_history(
        name: str,
        series: Annotated[str, Query(min_length=1, examples=['celery_queue_length{queue_name="mail"}'])],
        last: Annotated[Literal["6h", "24h", "3d", "7d"], Query(description="The span until now.")] = "6h",
    ) -> TraceModel:
        with handlers.store.read() as unit:
            rule = found(handlers, unit, name).rule
            if rule is None:
                raise NotFound(f"{name} cannot be evaluated, and so has seen nothing.")
            tried = drawn(handlers, unit, rule, series, last)
        return TraceModel.of_tried(series, tried)

    return api


def _rule(handlers: Handlers, name: str) -> RuleDetail:
    with handlers.store.read() as unit:
        return RuleDetail.of_view(view(handlers, unit, found(handlers, unit, name), handlers.clock.now()))


def _seconds(handlers: Handlers, key: str, text: str) -> float:
    try:
        if seconds := handlers.parse_duration(text):
            return seconds
    except ValueError:
        pass
    raise _mistake(key, f'"{text}"', 'a duration such as "30s" or "7d"')


def _mistake(key: str, found: str, allowed: str) -> ConfigurationError:
    return ConfigurationError([Mistake(file="", key=key, found=found, allowed=allowed)])
