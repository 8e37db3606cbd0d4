"""Errors of the API: always one shape, whoever found the mistake."""

from __future__ import annotations

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from nightowl.core.errors import Mistake
from nightowl.web.site import Problem, json_response


def invalid(_: Request, error: Exception) -> Response:
    """Exception handler: what FastAPI refuses, said as our own mistakes are."""
    assert isinstance(error, RequestValidationError)
    mistakes = tuple(
        Mistake(
            file="",
            key=".".join(str(part) for part in found["loc"][1:]) or str(found["loc"][0]),
            found=_shown(found.get("input")),
            allowed=found["msg"],
        )
        for found in error.errors()
    )
    return json_response(Problem(error="The request has mistakes.", mistakes=mistakes), 422)


def _shown(value: object) -> str:
    """What was sent, where it is a short plain thing; bodies may hold secrets."""
    return repr(value)[:80] if isinstance(value, str | int | float | bool | None) else f"a {type(value).__name__}"
