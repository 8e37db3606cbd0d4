"""Rules as values: which series, judged by which strategy against which limits, and what becomes of a breach."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from nightowl.core.limits import Limit
from nightowl.core.points import Aggregate
from nightowl.core.values import Severity

STEP = 10.0
"""Seconds between two evaluations of a rule, at multiples of it (Unix seconds)."""

STALE_STEPS = 5
"""Steps after which a sample is no longer current, where the rule does not say."""

OnZero = Literal["unknown", "ok", "breach_if_changed"]

NoData = Literal["keep", "ok", "alert", "nodata"]


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """Of a floating limit: an aggregate of the samples in ``(t - over - gap, t - gap]``; gap None: one step."""

    of: Literal["mean", "median", "last"] = "median"
    over: float
    gap: float | None = None


class Rule(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A rule. All spans are seconds.

    ``where`` are the labels that a series must carry, ``by`` those that make one series of all that share them.
    ``difference`` names the metric that is subtracted. ``for_`` is how long a breach lasts before it fires,
    ``keep_firing`` how long it goes on after the breach has ended. ``parameters`` are a plug-in's own.

    A rule with a ``source`` looks at series of that one and not of NightOwl: by metric and ``where``, or by ``query``
    in the source's own language; for each of ``identifiers``, which stand where it says ``$id``.
    """

    name: str
    metric: str = ""
    source: str = ""
    query: str = ""
    identifiers: tuple[str, ...] = ()
    where: dict[str, str] = {}
    by: tuple[str, ...] | None = None
    difference: str = ""
    counter: bool = False
    aggregate: Aggregate | None = None
    over: float | None = None
    strategy: str = "fixed"
    parameters: dict[str, Any] = {}
    limits: tuple[Limit, ...] = ()
    recover: float | None = None
    stale: float | None = None
    baseline: Baseline | None = None
    average: float = 0.0
    compare: tuple[float, ...] = ()
    min_points: int = 1
    min_base: float = 0.0
    on_zero: OnZero = "unknown"
    for_: float = msgspec.field(default=0.0, name="for")
    keep_firing: float = 0.0
    nodata: NoData = "keep"
    nodata_after: float = 300.0
    severity: Severity = Severity.WARNING
    tags: dict[str, str] = {}
    runbook: str = ""
    depends_on: tuple[str, ...] = ()
