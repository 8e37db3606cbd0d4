"""``[test.NAME]``: unit tests of rules, in files of their own."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from nightowl.config.fields import Seconds, Shape, refuse
from nightowl.config.models.table import Table
from nightowl.core import notation, series
from nightowl.core.rule_state import Phase


def _notation(found: str) -> str:
    try:
        notation.values(found)
    except ValueError as error:
        raise refuse(f'values such as "0x3 10+5x4 _ 7": {error}') from None
    return found


def _series(found: str) -> str:
    try:
        series.parse(found)
    except ValueError:
        raise refuse("a series such as 'queue_length{queue=\"mail\"}'") from None
    return found


def _phase(found: object) -> Phase:
    if found not in [phase.value for phase in Phase]:
        raise refuse(f"one of {', '.join(Phase)}")
    return Phase(found)


SeriesName = Annotated[str, AfterValidator(_series)]
Notation = Annotated[str, AfterValidator(_notation)]
PhaseName = Annotated[Phase, PlainValidator(_phase), WithJsonSchema({"enum": list(Phase)}), Shape("state")]


class Expectation(Table):
    """What a rule must have come to at an instant."""

    at: Annotated[float, Seconds()]
    """The instant, counted from the first value."""
    rule: str
    """The rule."""
    state: PhaseName
    """OK, PENDING, FIRING, RECOVERING or NODATA."""
    series: SeriesName | None = None
    """Of which series. Without it: of the only one that the rule has by then."""


class RuleTest(Table):
    """Series, and what rules must come to over them."""

    every: Annotated[float, Seconds(at_least=1.0)] = 60.0
    """From one value, and one evaluation, to the next."""
    series: Annotated[dict[SeriesName, Notation], Field(min_length=1)]
    """Series by name, one value each `every`: `"0x3 10+5x4 _ 7"`."""
    expect: Annotated[list[Expectation], Field(min_length=1)]
    """What must have come of it."""
