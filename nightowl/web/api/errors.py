"""Errors of the API: always one shape, whoever found the mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from nightowl.core.errors import Mistake
from nightowl.core.refusals import allowed
from nightowl.web.site import Problem, json_response


def invalid(_: Request, error: Exception) -> Response:
    """Exception handler: what FastAPI refuses, said as our own mistakes are."""
    assert isinstance(error, RequestValidationError)
    mistakes = tuple(_mistake(found, error.body) for found in error.errors())
    return json_response(Problem(error="The request has mistakes.", mistakes=mistakes), 422)


def _mistake(found: Mapping[str, Any], body: object) -> Mistake:
    if found["type"] == "json_invalid":
        before = str(body)[: found["loc"][1]]
        line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
        why = f"something else from line {line}, column {column} on ({found['ctx']['error']})"
        return Mistake(file="", key="body", found=why, allowed="JSON")
    key = ".".join(str(part) for part in found["loc"][1:]) or str(found["loc"][0])
    return Mistake(file="", key=key, found=_shown(found.get("input")), allowed=_allowed(found))


def _allowed(found: Mapping[str, Any]) -> str:
    return allowed(found["type"], found.get("ctx", {}), found.get("input"), table="an object")


def _shown(value: object) -> str:
    """What was sent, where it is a short plain thing; bodies may hold secrets."""
    return repr(value)[:80] if isinstance(value, str | int | float | bool | None) else f"a {type(value).__name__}"
