"""The values that a dashboard is made of, whatever it reads from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Source = Literal["prometheus", "graphite", "cloudwatch"]

GREEN, ORANGE, RED = "green", "orange", "red"

Steps = tuple[tuple[float, str], ...]
"""From which value on a panel has which colour; below the first it is green."""

FULL = 24
"""Columns of Grafana's grid."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One query of a panel. ``query`` is what the source calls it, apart from what all queries of the source have."""

    query: Mapping[str, Any]
    instant: bool = False


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One picture. ``unit`` is Grafana's name of it; ``steps`` colour what is shown.

    ``words`` are shown in place of values. ``joined``: the rows of a table that have this column in common are one.
    """

    title: str
    says: str
    targets: tuple[Target, ...]
    unit: str = "short"
    kind: Literal["timeseries", "stat", "table", "state-timeline"] = "timeseries"
    steps: Steps = ()
    words: Mapping[str, tuple[str, str]] = {}
    joined: str = ""
    width: int = 8
    height: int = 8
    stacked: bool = False


class Row(msgspec.Struct, frozen=True):
    """Panels under one head."""

    title: str
    panels: tuple[Panel, ...]


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """A choice at the head of a dashboard: among what ``query`` finds and the pattern ``matching``, or ``options``.

    ``several``: more than one may be chosen, and all are at first.
    """

    name: str
    label: str
    query: str = ""
    matching: str = ""
    options: tuple[str, ...] = ()
    several: bool = True


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """One dashboard. ``uid`` is its address in Grafana, and the name of its file."""

    uid: str
    title: str
    says: str
    source: Source
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]
