"""The JSON Schema of a configuration, for editors."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from nightowl.config.models import BY_KIND, NAMED, SINGLE
from nightowl.config.models.table import Table


class _Generator(GenerateJsonSchema):
    """Writes defaults as they stand in a file (``"1m"``, not 60.0), and no null, which TOML does not have."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        written: Any = schema["schema"].get("serialization", {}).get("function")
        if made.get("default", ...) is None:
            del made["default"]
        elif "default" in made and written:
            made["default"] = written(schema["default"])
        return made


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a configuration file. Plug-ins may add kinds of checks."""
    of_kinds = [model for kinds in BY_KIND.values() for model in kinds.values()]
    models = [*SINGLE.values(), *(model for model in NAMED.values() if model), *of_kinds]
    references, definitions = models_json_schema(
        [(model, "validation") for model in models], by_alias=True, schema_generator=_Generator
    )

    def reference(model: type[Table]) -> dict[str, Any]:
        return dict(references[(model, "validation")])

    named = {
        table: reference(model) if model else {"oneOf": [reference(each) for each in BY_KIND[table].values()]}
        for table, model in NAMED.items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "NightOwl configuration",
        "type": "object",
        "additionalProperties": False,
        "properties": {table: reference(model) for table, model in SINGLE.items()}
        | {table: {"type": "object", "additionalProperties": inner} for table, inner in named.items()},
        "$defs": definitions["$defs"],
    }
