"""Whatever a model of what is taken refuses is told in NightOwl's words: every key, with all sorts of junk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from nightowl.config import models
from nightowl.core.refusals import UNTOLD, allowed
from nightowl.web import app
from nightowl.web.api.models import Model as Given

LONG = "x" * 1_000
JUNK = [
    *(None, "", "x", LONG, "\ud800", "2025-11-20", "2025-11-20T18:57", b"x"),
    *(-1, 0, 1, 0.5, 10**30, 1e300, float("nan"), float("inf"), True),
    *(date(2025, 11, 20), datetime(2025, 11, 20), datetime(2025, 11, 20, tzinfo=UTC)),  # noqa: DTZ001
    *([], [None], [""], [{}], ["x"] * 1_100, [-1, 0.5, "x"], {}, {"x": 1}, {"": None}, {"x": [{}]}),
]
LIBRARY = re.compile(r"Input|should|Value error|Field required|permitted|valid (string|integer|number|list|dictionary)")
"""How pydantic speaks."""


def ours(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """All models of NightOwl's below ``model``, but those of what the API gives."""
    for each in model.__subclasses__():
        if issubclass(each, Given):
            continue
        if each.__module__.startswith("nightowl."):
            yield each
        yield from ours(each)


MODELS = sorted(set(ours(BaseModel)), key=lambda model: (model.__module__, model.__qualname__))


def test_models_of_the_configuration_and_of_the_api_are_among_them() -> None:
    assert {models.NAMED["cluster"], models.SINGLE["metrics"]} <= set(MODELS)
    assert any(model.__module__.startswith(f"{app.__name__.rpartition('.')[0]}.api.") for model in MODELS)


def refused(model: type[BaseModel], value: Any) -> list[Any]:
    try:
        model.model_validate(value)
    except ValidationError as error:
        return list(error.errors(include_url=False))
    return []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_refusal_is_in_our_words(model: type[BaseModel]) -> None:
    keys = [field.alias or name for name, field in model.model_fields.items()]
    details = [*refused(model, {}), *refused(model, 5), *refused(model, {"no such key": 1})]
    for key in keys:
        for junk in JUNK:
            details += refused(model, {key: junk})
    for detail in details:
        said = allowed(detail["type"], detail.get("ctx", {}), detail["input"])
        assert said, detail
        assert said != UNTOLD, detail
        assert not LIBRARY.search(said), detail


@pytest.mark.parametrize(
    ("kind", "context", "found", "words"),
    [
        ("greater_than_equal", {"ge": 1}, 0, "a number of at least 1"),
        ("greater_than", {"gt": 0.0}, 0.0, "a number above 0"),
        ("less_than_equal", {"le": 0.5}, 1, "a number of at most 0.5"),
        ("less_than", {"lt": 9}, 9, "a number below 9"),
        ("too_short", {"field_type": "Value", "min_length": 1}, "", "at least 1 character"),
        ("string_too_long", {"max_length": 40}, "x", "at most 40 characters"),
        ("too_long", {"max_length": 3}, [1, 2, 3, 4], "a list of at most 3"),
        ("literal_error", {"expected": "'a' or 'b'"}, "c", '"a" or "b"'),
        ("extra_forbidden", {}, 1, "no such key"),
        ("int_parsing", {}, "x", "a whole number"),
    ],
)
def test_bounds_and_lengths_are_told(kind: str, context: dict[str, Any], found: object, words: str) -> None:
    assert allowed(kind, context, found) == words
