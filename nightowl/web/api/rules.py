"""``/api/v1/rules``."""

from __future__ import annotations

from fastapi import APIRouter

from nightowl.web.api.rule_models import RuleModel
from nightowl.web.handlers import Handlers
from nightowl.web.rule_rows import rule_rows


def router(handlers: Handlers) -> APIRouter:
    """The endpoints of rules."""
    api = APIRouter(prefix="/rules", tags=["rules"])

    @api.get("", summary="All rules, worst first")
    def list_rules() -> list[RuleModel]:
        with handlers.store.read() as unit:
            rows = rule_rows(handlers.rules(), unit.rules.all(), unit.incidents.open())
        return [RuleModel.of_row(row) for row in rows]

    return api
