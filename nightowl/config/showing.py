"""The effective configuration: defaults filled in, templates applied, secrets masked."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any

from nightowl.config.checks import own_keys, spec_of
from nightowl.config.loading import Loaded, load_whole
from nightowl.config.masking import masked
from nightowl.config.models import BUILT_IN_KINDS, BY_KIND, CHANNEL_KINDS, NAMED, PLUG_INS, SINGLE, SINK_KINDS
from nightowl.config.models.table import Table
from nightowl.config.rules import STRATEGIES
from nightowl.config.settings import Email
from nightowl.config.sources import BUILT_IN_SOURCES


def effective(
    path: str | os.PathLike[str] | None,
    *,
    environ: Mapping[str, str] = os.environ,
    kinds: Collection[str] = BUILT_IN_KINDS,
    strategies: Collection[str] = STRATEGIES,
    sources: Collection[str] = BUILT_IN_SOURCES,
    channel_kinds: Collection[str] = CHANNEL_KINDS,
    sink_kinds: Collection[str] = SINK_KINDS,
) -> dict[str, Any]:
    """Return all tables in the form of the file, with what was left out; references stay references.

    Raises:
        ConfigurationError: with every mistake.
    """
    loaded = load_whole(path, environ, kinds, strategies, sources, channel_kinds, sink_kinds)
    loaded.report.raise_if_any()
    tree: dict[str, Any] = {
        table: _table(model, loaded.resolved.get(table, {}), loaded.raw.get(table, {}))
        for table, model in SINGLE.items()
    }
    for table in NAMED:
        if tables := _named(loaded, table):
            tree[table] = tables
    _fill_in(tree, loaded)
    shown: dict[str, Any] = masked(_without_empty(tree), ())
    return shown


def _without_empty(tree: dict[str, Any]) -> dict[str, Any]:
    """Return a tree without the keys that hold nothing."""
    filled = {key: _without_empty(value) if isinstance(value, dict) else value for key, value in tree.items()}
    return {key: value for key, value in filled.items() if value not in ("", [], {})}


def _named(loaded: Loaded, table: str) -> dict[str, Any]:
    raw, resolved = loaded.raw.get(table, {}), loaded.resolved.get(table, {})
    if table == "check":
        raw, resolved = loaded.configuration.specs, _with_templates(loaded.resolved)
    return {
        name: _table(_model(table, keys), keys, raw[name], whole=table != "template") for name, keys in resolved.items()
    }


def _model(table: str, keys: Mapping[str, Any]) -> type[Table]:
    model = NAMED[table]
    return BY_KIND[table].get(keys["kind"], PLUG_INS[table]) if model is None else model


def _with_templates(tree: dict[str, Any]) -> dict[str, Any]:
    templates = tree.get("template", {})
    checks = tree.get("check", {})
    return {name: spec_of(keys, keys, templates) for name, keys in checks.items()}


def _table(model: type[Table], resolved: dict[str, Any], raw: dict[str, Any], *, whole: bool = True) -> dict[str, Any]:
    """Return a table with its defaults (``whole``), and references in place of what they stand for."""
    valid = model.model_validate(resolved)
    dumped = valid.model_dump(by_alias=True, exclude_none=True, exclude_unset=not whole)
    keys: dict[str, Any] = _with_references(dumped, raw)
    return keys


def _with_references(shown: Any, raw: Any) -> Any:
    if isinstance(raw, str) and ("${env:" in raw or "${file:" in raw):
        return raw
    if isinstance(shown, dict) and isinstance(raw, dict):
        return {key: _with_references(value, raw.get(key)) for key, value in shown.items()}
    if isinstance(shown, list) and isinstance(raw, list) and len(shown) == len(raw):
        return [_with_references(*pair) for pair in zip(shown, raw, strict=True)]
    return shown


def _fill_in(tree: dict[str, Any], loaded: Loaded) -> None:
    """Add what is there although no table says so, and what follows from other keys."""
    configuration = loaded.configuration
    for name in configuration.locations:
        tree.setdefault("location", {}).setdefault(name, {"reach": "internet"})
    for name, check in configuration.checks.items():
        filled = {"kind": check.target.kind, "locations": list(check.locations)}
        tree["check"][name] = own_keys(check, filled | tree["check"][name])
    for name, channel in configuration.channels.items():
        if isinstance(channel.options, Email):
            tree["channel"][name]["port"] = channel.options.port
    for route in configuration.routes:
        tree.setdefault("route", {}).setdefault(route.name, {"to": list(route.to)})
    tree["bus"]["broker"] = tree["bus"]["broker"] or "memory://"
