"""Loads a configuration: reads, resolves, validates, converts. All mistakes are raised as one error."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from nightowl.config import conversion
from nightowl.config.channels import channel, channel_problems
from nightowl.config.checks import Bench, make_check, spec_of
from nightowl.config.clusters import cluster, hook, metrics
from nightowl.config.flower.opening import UNAUTHENTICATED, is_opened, opening_mistake
from nightowl.config.masking import KeyPath
from nightowl.config.models import BUILT_IN_KINDS, CHANNEL_KINDS, SINK_KINDS, check, location, people, server
from nightowl.config.models.cluster import Cluster as ClusterTable
from nightowl.config.models.cluster import Metrics
from nightowl.config.models.hook import Hook as HookTable
from nightowl.config.models.maintenance import Maintenance as MaintenanceTable
from nightowl.config.models.rule import Rule as RuleTable
from nightowl.config.models.source import Source as SourceTable
from nightowl.config.numbered import Problem, hints, location_problems, route_problems
from nightowl.config.reading import Reading, read
from nightowl.config.references import References
from nightowl.config.report import Report, Source
from nightowl.config.rules import STRATEGIES, rule_problems
from nightowl.config.rules import rule as make_rule
from nightowl.config.settings import ChannelSettings, Configuration
from nightowl.config.sinks import address_problems, sink, sink_problems
from nightowl.config.sources import (
    BUILT_IN_SOURCES,
    identifiers,
    rule_source_problems,
    source_problems,
    stored_rule_problems,
)
from nightowl.config.sources import source as make_source
from nightowl.config.tables import check_name, kinded, modelled, named, names, refuse_unknown, single
from nightowl.config.telling import escalation_problems, maintenance_problems, refuse_dependencies
from nightowl.core.cluster.settings import ClusterSettings, FlowerSettings, HookSettings
from nightowl.core.reading import SourceSettings
from nightowl.core.rule import Rule
from nightowl.core.sinks.settings import SinkSettings
from nightowl.core.values import Check, Location, Maintenance, Policy, Route, User

IMPLICIT_LOCATION = "local"
"""The location that is there where none is declared."""


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of loading: the configuration is for use where there are no mistakes.

    ``files`` were read or looked for; ``raw`` is the tree as written, ``resolved`` the same without references.
    """

    configuration: Configuration
    report: Report
    files: tuple[Path, ...]
    raw: dict[str, Any]
    resolved: dict[str, Any]


def load(
    path: str | os.PathLike[str] | None,
    *,
    environ: Mapping[str, str] = os.environ,
    kinds: Collection[str] = BUILT_IN_KINDS,
    strategies: Collection[str] = STRATEGIES,
    sources: Collection[str] = BUILT_IN_SOURCES,
    channel_kinds: Collection[str] = CHANNEL_KINDS,
    sink_kinds: Collection[str] = SINK_KINDS,
) -> Configuration:
    """Load a TOML file, or a folder of them; None: a configuration of defaults.

    ``kinds`` are the kinds of checks that can be run, ``strategies`` those that rules may name, ``sources`` the kinds
    of sources that can be read, ``channel_kinds`` and ``sink_kinds`` those of channels and sinks that can be had;
    secrets are looked up in ``environ`` and files.

    Raises:
        ConfigurationError: with every mistake there is.
    """
    loaded = load_whole(path, environ, kinds, strategies, sources, channel_kinds, sink_kinds)
    loaded.report.raise_if_any()
    return loaded.configuration


def load_whole(
    path: str | os.PathLike[str] | None,
    environ: Mapping[str, str],
    kinds: Collection[str],
    strategies: Collection[str],
    sources: Collection[str],
    channel_kinds: Collection[str],
    sink_kinds: Collection[str],
) -> Loaded:
    """Load like ``load``, and return also what there is to know when there are mistakes."""
    given = "" if path is None else os.fspath(path)
    reading = Reading({}, {}, [], []) if path is None else read(given)
    base = Path(given) if Path(given).is_dir() else Path(given).parent
    report = Report(Source(tree=reading.tree, name=given, origins=reading.origins), reading.mistakes)
    references = References(environ, base)
    resolved = references.resolve(reading.tree)
    for key, allowed in references.failures.items():
        report.add(key, allowed)
    bench = Bench(
        report=report,
        base=base,
        locations=_location_names(resolved),
        kinds=kinds,
        strategies=strategies,
        sources=sources,
        channels=channel_kinds,
        sinks=sink_kinds,
        clusters=names(resolved, "cluster"),
        files=references.files,
    )
    configuration = _convert(reading.tree, resolved, bench)
    if unread := opening_mistake(environ):
        report.add((UNAUTHENTICATED,), unread, environ[UNAUTHENTICATED])
    files = tuple(dict.fromkeys([*reading.files, *references.files]))
    found = tuple(hints(configuration)) if not report.mistakes else ()
    configuration = replace(
        _with_all_secrets(configuration, references, reading.tree),
        flower=FlowerSettings(unauthenticated_api=is_opened(environ)),
        files=files,
        source=given,
        hints=found,
    )
    return Loaded(configuration=configuration, report=report, files=files, raw=reading.tree, resolved=resolved)


def check_from_spec(
    name: str,
    spec: Mapping[str, Any],
    *,
    locations: Mapping[str, Location] | Collection[str],
    clusters: Collection[str] = (),
    kinds: Collection[str] = BUILT_IN_KINDS,
    environ: Mapping[str, str] = os.environ,
    base: Path | None = None,
    allow_references: bool = False,
) -> Check:
    """Return the check of a specification that was made by API or UI, or exported by ``specs``.

    References and file names are refused unless ``allow_references``: whoever may make a check must not thereby
    read this machine's environment and files. ``base`` is where relative file names begin (None: here). Given as
    values by name, ``locations`` also judge whether they may reach an address that the URL names. ``clusters`` are
    those that are watched.

    Raises:
        ConfigurationError: with every mistake, at key paths ``check.NAME.key``.
    """
    tree = {"check": {name: dict(spec)}}
    report = Report(Source(tree=tree))
    references = References(environ, base or Path(), allowed=allow_references)
    resolved = references.resolve(tree)
    for key, allowed in references.failures.items():
        report.add(key, allowed)
    check_name("check", name, report)
    _refuse_nulls(resolved, (), report)
    bench = Bench(
        report=report,
        base=base or Path(),
        locations=locations,
        policies=_policies(locations) if isinstance(locations, Mapping) else {},
        kinds=kinds,
        clusters=clusters,
        paths=allow_references,
    )
    made = make_check(name, resolved["check"][name], bench, {})
    report.raise_if_any()
    assert made is not None, "without a mistake there is a check"
    return _with_secrets(made, references.under(("check", name)))


def rule_from_spec(name: str, spec: Mapping[str, Any], strategies: Collection[str] = STRATEGIES) -> Rule:
    """Return the rule of a specification that was made by API or UI, which may hold no references.

    ``strategies`` are those that it may name.

    Raises:
        ConfigurationError: with every mistake, at key paths ``rule.NAME.key``.
    """
    tree = {"rule": {name: dict(spec)}}
    report = Report(Source(tree=tree))
    references = References({}, Path(), allowed=False)
    resolved = references.resolve(tree)
    for key, allowed in references.failures.items():
        report.add(key, allowed)
    _refuse_nulls(resolved, (), report)
    made = _rules(resolved, Bench(report=report, base=Path(), locations=(), strategies=strategies, paths=False))
    report.raise_if_any()
    return made[name]


def _with_all_secrets(configuration: Configuration, references: References, tree: Mapping[str, Any]) -> Configuration:
    """Let checks, sources, clusters and sinks name the values of their references; ``tree`` is as written."""
    checks = {
        name: _with_secrets(made, references.under(("check", name), _templated(name, tree)))
        for name, made in configuration.checks.items()
    }
    others = {
        field: {
            name: replace(made, secrets=references.under((table, name)))
            for name, made in getattr(configuration, field).items()
        }
        for field, table in (("sources", "source"), ("clusters", "cluster"), ("sinks", "sink"))
    }
    return replace(configuration, checks=checks, **others)


def _with_secrets(check: Check, secrets: tuple[str, ...]) -> Check:
    """Let a check name the values of its references, so that nothing said of it repeats them."""
    return replace(check, target=replace(check.target, secrets=secrets)) if secrets else check


def _templated(name: str, tree: Mapping[str, Any]) -> KeyPath:
    """Return the key path of the template that a well-formed check uses, or of none."""
    return ("template", str(tree["check"][name].get("use", "")))


def _refuse_nulls(value: Any, path: KeyPath, report: Report) -> None:
    """Report nulls, which JSON has and TOML has not."""
    if value is None:
        report.add(path, "a value, or no such key")
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        _refuse_nulls(inner, (*path, key), report)


def _location_names(tree: dict[str, Any]) -> Collection[str]:
    return names(tree, "location") or (IMPLICIT_LOCATION,)


def _convert(raw: dict[str, Any], tree: dict[str, Any], bench: Bench) -> Configuration:
    report = bench.report
    refuse_unknown(tree, report)
    single(tree, "auth", server.Auth, report)
    told = _channels(raw, tree, bench)
    places = _locations(tree, bench)
    sound = {name: place for name, place in places.items() if not report.touches(("location", name))}
    base = Configuration(
        server=conversion.server(single(tree, "server", server.Server, report)),
        store_url=conversion.store_url(single(tree, "store", server.Store, report), bench),
        retention=conversion.retention(single(tree, "retention", server.Retention, report)),
        bus=conversion.bus(single(tree, "bus", server.Bus, report), bench),
        self_ping=single(tree, "self", server.Self, report).ping or "",
        metrics=metrics(single(tree, "metrics", Metrics, report)),
    )
    checks = _checks(tree, replace(bench, policies=_policies(sound)))
    rules = _rules(tree, bench)
    clusters = _clusters(tree, bench)
    refuse_dependencies(checks, rules, clusters, {*names(tree, "check"), *names(tree, "rule")}, report)
    return replace(
        base,
        locations=places,
        checks=checks,
        specs=_specs(raw, tree),
        rules=rules,
        sources=_sources(tree, bench),
        clusters=clusters,
        hooks=_hooks(tree, bench),
        sinks=_sinks(tree, bench),
        rule_specs=_rule_specs(raw),
        channels=told,
        routes=_routes(tree, told, bench),
        maintenance=_maintenance(tree, bench),
        users=_users(tree, bench),
    )


def _locations(tree: dict[str, Any], bench: Bench) -> dict[str, Location]:
    locations = {}
    for name, table in modelled(tree, "location", location.Location, bench.report).items():
        made = locations[name] = conversion.location(name, table, bench)
        for problem in location_problems(made):
            _refuse(bench.report, ("location", name), problem)
    return locations or {IMPLICIT_LOCATION: Location(name=IMPLICIT_LOCATION)}


def _policies(locations: Mapping[str, Location]) -> dict[str, Policy]:
    return {name: location.policy for name, location in locations.items()}


def _checks(tree: dict[str, Any], bench: Bench) -> dict[str, Check]:
    modelled(tree, "template", check.Template, bench.report)
    templates = tree["template"] if names(tree, "template") else {}
    specs = named(tree, "check", bench.report)
    made = {name: make_check(name, spec, bench, templates) for name, spec in specs.items()}
    return {name: whole for name, whole in made.items() if whole}


def _rules(tree: dict[str, Any], bench: Bench) -> dict[str, Rule]:
    made = {}
    declared = {name: _kind(tree["source"][name]) for name in names(tree, "source")}
    for name, table in modelled(tree, "rule", RuleTable, bench.report).items():
        known = identifiers(name, table, bench)
        asked = rule_source_problems(table, declared, known) if bench.paths else stored_rule_problems(table)
        problems = [*asked, *rule_problems(table, bench.strategies)]
        for problem in problems:
            if not any(bench.report.touches(("rule", name, key)) for key in problem.about):
                _refuse(bench.report, ("rule", name), problem)
        if not problems:
            made[name] = make_rule(name, table, known)
    return made


def _kind(table: Any) -> str:
    return str(table.get("kind", "")) if isinstance(table, dict) else ""


def _sources(tree: dict[str, Any], bench: Bench) -> dict[str, SourceSettings]:
    made = {}
    for name, table in modelled(tree, "source", SourceTable, bench.report).items():
        for problem in source_problems(table, bench.sources):
            _refuse(bench.report, ("source", name), problem)
        made[name] = make_source(name, table, bench)
    return made


def _clusters(tree: dict[str, Any], bench: Bench) -> dict[str, ClusterSettings]:
    tables = modelled(tree, "cluster", ClusterTable, bench.report)
    return {name: cluster(name, table, bench) for name, table in tables.items()}


def _hooks(tree: dict[str, Any], bench: Bench) -> dict[str, HookSettings]:
    return {name: hook(name, table, bench) for name, table in modelled(tree, "hook", HookTable, bench.report).items()}


def _sinks(tree: dict[str, Any], bench: Bench) -> dict[str, SinkSettings]:
    tables = kinded(tree, "sink", bench.sinks, bench.report)
    for name, table in tables.items():
        for problem in (*sink_problems(table), *address_problems(name, tables)):
            _refuse(bench.report, ("sink", name), problem)
    return {name: sink(name, table, bench) for name, table in tables.items()}


def _specs(raw: dict[str, Any], tree: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the keys of each check as written, template applied, references kept."""
    templates = raw["template"] if names(raw, "template") else {}
    return {
        name: spec_of(tree["check"][name], raw["check"][name], templates)
        for name in names(raw, "check")
        if isinstance(raw["check"][name], dict)
    }


def _rule_specs(raw: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the keys of each rule as written, references kept."""
    return {name: raw["rule"][name] for name in names(raw, "rule") if isinstance(raw["rule"][name], dict)}


def _channels(raw: dict[str, Any], tree: dict[str, Any], bench: Bench) -> dict[str, ChannelSettings]:
    tables = kinded(tree, "channel", bench.channels, bench.report)
    for name, table in tables.items():
        for problem in channel_problems(table, raw["channel"][name]):
            _refuse(bench.report, ("channel", name), problem)
    return {name: channel(name, table, bench) for name, table in tables.items()}


def _routes(tree: dict[str, Any], told: Mapping[str, ChannelSettings], bench: Bench) -> tuple[Route, ...]:
    """Return the routes; where none is declared, one from everything to every channel."""
    tables = modelled(tree, "route", people.Route, bench.report)
    routes = tuple(conversion.route(name, table) for name, table in tables.items())
    for route in routes:
        declared = names(tree, "channel")
        for problem in (*route_problems(route, declared), *escalation_problems(route, declared)):
            _refuse(bench.report, ("route", route.name), problem)
    if not routes and told:
        return (Route(name="default", to=tuple(told)),)
    return routes


def _maintenance(tree: dict[str, Any], bench: Bench) -> tuple[Maintenance, ...]:
    made = []
    for name, table in modelled(tree, "maintenance", MaintenanceTable, bench.report).items():
        for problem in maintenance_problems(table):
            if not any(bench.report.touches(("maintenance", name, key)) for key in problem.about):
                _refuse(bench.report, ("maintenance", name), problem)
        made.append(conversion.maintenance(name, table))
    return tuple(made)


def _refuse(report: Report, table: KeyPath, problem: Problem) -> None:
    path = (*table, *problem.key)
    if not report.touches(path):
        report.add(path, f"{problem.allowed} [{problem.number}]", problem.found)


def _users(tree: dict[str, Any], bench: Bench) -> tuple[User, ...]:
    tables = modelled(tree, "user", people.User, bench.report)
    return tuple(conversion.user(name, table) for name, table in tables.items())
