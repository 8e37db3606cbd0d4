"""``/api/v1/series``: samples over a window."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated

from fastapi import Query

from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.web.api.endpoints import Endpoints
from nightowl.web.api.models import Moment, SeriesModel
from nightowl.web.handlers import Handlers

LONGEST = 7 * 86400.0
"""Seconds that one window may span."""


def endpoints(handlers: Handlers) -> Endpoints:
    """The endpoint of series."""
    api = Endpoints("/series", "series")

    @api.get("", summary="The samples of series in a window", description="With `from` < time <= `to`.")
    def get_series(
        metric: Annotated[str, Query(min_length=1, examples=["check_duration_seconds"])],
        where: Annotated[
            list[str] | None, Query(description="Labels that the series must carry: `name=value`, repeated.")
        ] = None,
        start: Annotated[Moment | None, Query(alias="from", description="An hour ago without it.")] = None,
        end: Annotated[Moment | None, Query(alias="to", description="Now without it.")] = None,
    ) -> list[SeriesModel]:
        until = end.timestamp() if end else handlers.clock.now()
        since = start.timestamp() if start else until - 3600
        if not 0 < until - since <= LONGEST:
            found = f"{until - since:g} s"
            raise ConfigurationError([Mistake(file="", key="from", found=found, allowed="a window of up to 7 days")])
        with handlers.store.read() as unit:
            samples = unit.series.window(metric, _labels(where or ()), since, until)
        return [
            SeriesModel(metric=metric, labels=dict(labels), samples=[(sample.time, sample.value) for sample in found])
            for labels, found in groupby(samples, key=lambda sample: sample.labels)
        ]

    return api


def _labels(where: Sequence[str]) -> dict[str, str]:
    wrong = [text for text in where if "=" not in text]
    if wrong:
        mistakes = [Mistake(file="", key="where", found=f'"{text}"', allowed="name=value") for text in wrong]
        raise ConfigurationError(mistakes)
    return dict(text.split("=", 1) for text in where)
