"""Turns sink tables into settings, and says what keeps a sink from sending anything."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nightowl.config.checks import Bench, pem
from nightowl.config.fields import split_address
from nightowl.config.models import sink as models
from nightowl.config.numbered import Problem
from nightowl.core.reach import addresses_of
from nightowl.core.sinks.settings import SinkSettings

_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, never listened at
_COMMON = ("kind", "address", "url", "prefix", "labels", "metrics", "every")


def sink(name: str, table: models.AnySink, bench: Bench) -> SinkSettings:
    """Return the settings of a table of any kind, after reporting what is wrong with its files."""
    keys = dict(table)
    return SinkSettings(
        name=name,
        kind=table.kind,
        address=keys.get("address", ""),
        url=keys.get("url") or "",
        prefix=table.prefix,
        labels=table.labels,
        metrics=tuple(table.metrics),
        every=table.every,
        options={key: value for key, value in keys.items() if key not in _COMMON} | dict(_own(name, table, bench)),
    )


def sink_problems(table: models.AnySink) -> Iterator[Problem]:
    """Yield what keeps a sink from sending anything."""
    if isinstance(table, models.CloudWatch) and find_spec("boto3") is None:
        yield Problem("NO70", ("kind",), None, "a kind that is installed: pip install 'nightowl[cloudwatch]'")
    elif isinstance(table, models.CloudWatch) and not table.region and not _has_region(os.environ):
        yield Problem("NO73", ("region",), None, 'a region such as "eu-central-1", or AWS_REGION in the environment')
    if isinstance(table, models.Graphite) and table.tags and "template" in table.model_fields_set:
        yield Problem("NO71", ("template",), None, "no such key beside tags = true, which need no path")
    if isinstance(table, models.Statsd) and table.dialect != "plain" and "template" in table.model_fields_set:
        yield Problem("NO71", ("template",), None, 'no such key but with dialect = "plain"')
    if isinstance(table, models.CloudWatch) and len(table.dimensions) > MOST_DIMENSIONS:
        found = f"{len(table.dimensions)} labels"
        yield Problem("NO72", ("dimensions",), found, f"at most {MOST_DIMENSIONS}, as CloudWatch takes no more")


def address_problems(name: str, tables: Mapping[str, models.AnySink]) -> Iterator[Problem]:
    """Yield what keeps the sink of this name from listening: another that was declared before it and listens there."""
    listening = {each: table.address for each, table in tables.items() if isinstance(table, models.Prometheus)}
    for other, address in listening.items():
        if other == name:
            return
        if name in listening and _clash(address, listening[name]):
            yield Problem("NO74", ("address",), None, f"an address that is not that of sink.{other} ({address})")


def _clash(one: str, other: str) -> bool:
    """Whether only one of two addresses can be listened at."""
    (host, port), (other_host, other_port) = split_address(one), split_address(other)
    places, others = ({*addresses_of(each)} or {each} for each in (host, other_host))
    everywhere = not _EVERYWHERE.isdisjoint(places | others)
    return port == other_port != 0 and (everywhere or not places.isdisjoint(others))


def _has_region(environ: Mapping[str, str]) -> bool:
    """Whether the environment names a region, or a file of profiles that may."""
    file = Path(environ.get("AWS_CONFIG_FILE") or Path(environ.get("HOME", "/"), ".aws", "config"))
    return bool(environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")) or file.is_file()


MOST_DIMENSIONS = 30
"""Dimensions that CloudWatch takes of a metric."""


def _own(name: str, table: models.AnySink, bench: Bench) -> Mapping[str, Any]:
    """Return the keys of a kind that are not as they are written."""
    match table:
        case models.Files():
            return {"path": str((bench.base / table.path).absolute())}
        case models.RemoteWrite():
            auth = table.auth
            return {
                "auth": {"basic": auth.basic or "", "bearer": auth.bearer or ""} if auth else {},
                "ca": pem(table.ca, ("sink", name, "ca"), bench),
            }
    return {}
