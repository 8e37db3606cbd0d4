"""Turns source tables into settings, and says what keeps rules from looking at them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from nightowl.config.checks import Bench, pem
from nightowl.config.models import rule as rules
from nightowl.config.models import source as models
from nightowl.config.numbered import Problem, one_of
from nightowl.config.references import read_text
from nightowl.core.reading import PLACE, SourceSettings

BUILT_IN_SOURCES = ("files", "graphite", "opentsdb", "prometheus")
"""The kinds of sources that need no plug-in."""

FILES = "files"
"""The kind of source that is a folder."""

LONGEST = 200
"""Characters of an identifier at most."""


def source(name: str, table: models.Source, bench: Bench) -> SourceSettings:
    """Return the settings of a table."""
    auth = table.auth
    return SourceSettings(
        name=name,
        kind=table.kind,
        url=table.url or "",
        path=str((bench.base / table.path).absolute()) if table.path else "",
        basic=auth.basic or "" if auth else "",
        bearer=auth.bearer or "" if auth else "",
        headers=table.headers,
        verify=table.verify,
        ca=pem(table.ca, ("source", name, "ca"), bench),
        timeout=table.timeout,
    )


def source_problems(table: models.Source, kinds: Collection[str]) -> Iterator[Problem]:
    """Yield what keeps a source from being one of ``kinds``."""
    if table.kind not in kinds:
        yield Problem("NO38", ("kind",), None, one_of("a kind of source", kinds))
    elif table.kind == FILES:
        if table.path is None:
            yield Problem("NO39", ("path",), "nothing", "the folder of the files")
        for key in ("url", "auth", "headers", "verify", "ca"):
            if key in table.model_fields_set:
                yield Problem("NO39", (key,), None, "no such key, as files are read from path")
    else:
        if table.url is None and table.path is None:
            yield Problem("NO39", ("url",), "nothing", 'where the source is, such as "http://127.0.0.1:9090"')
        if table.path is not None and table.kind in BUILT_IN_SOURCES:
            yield Problem("NO39", ("path",), None, "no such key, as the source is at url")


def rule_source_problems(
    table: rules.Rule, sources: Mapping[str, str], identifiers: Collection[str]
) -> Iterator[Problem]:
    """Yield what keeps a rule from looking at a source; ``sources`` has the kinds of those declared by name."""
    if table.source is None:
        if table.metric is None:
            yield Problem("NO41", ("metric",), "nothing", "the metric whose series are judged")
        for key in ("query", "identifiers"):
            if key in table.model_fields_set:
                yield Problem("NO41", (key,), None, "no such key without source")
        return
    if table.source not in sources:
        yield Problem("NO40", ("source",), None, one_of("a declared source", sources))
    yield from _question_problems(table, sources.get(table.source, ""))
    for key in ("by", "difference"):
        if key in table.model_fields_set:
            yield Problem("NO42", (key,), None, "no such key beside source: let a query make such series")
    yield from _place_problems(table, identifiers)


def stored_rule_problems(table: rules.Rule) -> Iterator[Problem]:
    """Yield what keeps a rule that no configuration file has from its series, which are NightOwl's own."""
    if table.source is None:
        yield from rule_source_problems(table, {}, ())
    else:
        allowed = "no such key here: rules on a source stand in a configuration file"
        yield Problem("NO40", ("source",), None, allowed)


def _question_problems(table: rules.Rule, kind: str) -> Iterator[Problem]:
    """Yield what is wrong with what a source of a kind (empty: not known) is asked."""
    if (table.metric is None) == (table.query is None):
        found = None if table.query else "neither metric nor query"
        yield Problem("NO41", ("query" if table.query else "metric",), found, "either metric (and where) or query")
    elif table.query and table.where:
        yield Problem("NO41", ("where",), None, "no such key beside query, which says that itself")
    if table.query and kind == FILES:
        yield Problem("NO41", ("query",), None, "metric (and where), as files understand no queries", ("source",))


def _place_problems(table: rules.Rule, identifiers: Collection[str]) -> Iterator[Problem]:
    """Yield where identifiers are given without a place for them, or the other way round."""
    texts = {"metric": table.metric or "", "query": table.query or "", "where": "".join(table.where.values())}
    places = [key for key, text in texts.items() if PLACE in text]
    if places and table.identifiers is None:
        yield Problem("NO43", ("identifiers",), f"nothing, and {PLACE} in {places[0]}", "what that stands for")
    if table.identifiers is not None and not places:
        yield Problem("NO43", ("identifiers",), None, f"no such key, unless {PLACE} stands in query, metric or where")
    elif table.identifiers is not None and not identifiers:
        yield Problem("NO43", ("identifiers",), "none", "at least one identifier")


def identifiers(name: str, table: rules.Rule, bench: Bench) -> tuple[str, ...]:
    """Return the identifiers of a rule, after reporting those that cannot be: of a list, or of a file."""
    path = ("rule", name, "identifiers")
    given = table.identifiers
    if given is None:
        return ()
    if isinstance(given, str) and not bench.paths:
        bench.report.add(path, "a list: a rule that is made here names no files")
        return ()
    if isinstance(given, str):
        try:
            lines = read_text(bench.base, given, bench.files).splitlines()
        except ValueError as error:
            bench.report.add(path, str(error))
            return ()
        found = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    else:
        found = given
    if any(not each or len(each) > LONGEST or not each.isprintable() for each in found):
        bench.report.add(
            path, f"identifiers of 1 to {LONGEST} characters that can be printed, one a line", _unfit(found)
        )
    return tuple(dict.fromkeys(found))


def _unfit(found: Collection[str]) -> str:
    each = next(each for each in found if not each or len(each) > LONGEST or not each.isprintable())
    return f"{each[:LONGEST]!r}"
