"""How the API describes its errors: alike at every endpoint, whose models are therefore not made for each."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from nightowl.web.api.models import ErrorModel

_SCHEMAS = "#/components/schemas/{model}"

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"content": {"application/json": {"schema": {"$ref": _SCHEMAS.format(model=ErrorModel.__name__)}}}}
    for status in (401, 403, 404, 409, 422, 429, 503)
}
"""What any endpoint may answer instead, by status."""


class Described(FastAPI):
    """An application whose description has the schema that ``ERRORS`` names."""

    def openapi(self) -> dict[str, Any]:
        """Return the description of the API, which is made once."""
        if self.openapi_schema is None:
            schemas = super().openapi()["components"]["schemas"]
            _, errors = models_json_schema([(ErrorModel, "serialization")], ref_template=_SCHEMAS)
            named = sorted({**schemas, **errors["$defs"]}.items())
            schemas.clear()
            schemas.update(named)
        return super().openapi()
