"""Takes a tree apart into tables and checks each against its model."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from nightowl.config.models import BY_KIND, LATER_TABLES, NAMED, PLUG_INS, SINGLE
from nightowl.config.models.table import Table
from nightowl.config.numbered import one_of
from nightowl.config.refusals import T, refuse_key, validate
from nightowl.config.report import Report

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", re.ASCII)
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,99}", re.ASCII)
_LOCATION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}", re.ASCII)
_NAME_ALLOWED = 'a name of at most 100 letters, digits, "_", "-" and ".", not beginning with "-" or "."'
_LOCATION_ALLOWED = 'a name of at most 63 letters, digits, "_" and "-", not beginning with "-"'

_USER_ALLOWED = (
    'a name of at most 100 letters, digits, "_", "-", ".", "@" and "+", not beginning with one of the last four'
)
_CHECK = re.compile(rf"(?!.*\.json$){_NAME.pattern}")
_CHECK_ALLOWED = f'{_NAME_ALLOWED}, and not ending with ".json", which is where the data of a page is'

_RULE = re.compile(rf"(?!new$){_CHECK.pattern}")
_RULE_ALLOWED = f'{_CHECK_ALLOWED}; nor "new", which is where rules are made'

_NAMES = {
    "check": (_CHECK, _CHECK_ALLOWED),
    "rule": (_RULE, _RULE_ALLOWED),
    "location": (_LOCATION, _LOCATION_ALLOWED),
    "user": (_USER, _USER_ALLOWED),
}


def refuse_unknown(tree: dict[str, Any], report: Report) -> None:
    """Report tables that this version does not know."""
    for table in tree:
        if table not in SINGLE and table not in NAMED:
            refuse_key(report, (table,), (*SINGLE, *NAMED), LATER_TABLES)


def single(tree: dict[str, Any], table: str, model: type[T], report: Report) -> T:
    """Return a table that stands once; its defaults after reporting what is wrong with it."""
    return validate(model, tree.get(table, {}), (table,), report) or model()


def named(tree: dict[str, Any], table: str, report: Report) -> dict[str, Any]:
    """Return the tables of a table of tables by name, unchecked, after reporting names that cannot be."""
    found = tree.get(table, {})
    if not isinstance(found, dict):
        report.add((table,), f"tables with names: [{table}.NAME]")
        return {}
    for name in found:
        check_name(table, name, report)
    return found


def check_name(table: str, name: str, report: Report) -> None:
    """Report a name that cannot be."""
    if problem := name_problem(table, name):
        report.add((table, name), problem, "a name that cannot be")


def name_problem(table: str, name: str) -> str:
    """Return what a name would have to be, or nothing where it is fine."""
    pattern, allowed = _NAMES.get(table, (_NAME, _NAME_ALLOWED))
    return "" if pattern.fullmatch(name) else allowed


def modelled(tree: dict[str, Any], table: str, model: type[T], report: Report) -> dict[str, T]:
    """Return the well-formed ones of the tables of a table of tables."""
    found = named(tree, table, report)
    checked = {name: validate(model, value, (table, name), report) for name, value in found.items()}
    return {name: valid for name, valid in checked.items() if valid}


def kinded(tree: dict[str, Any], table: str, kinds: Collection[str], report: Report) -> dict[str, Any]:
    """Return the well-formed ones of tables whose models follow from their kinds; ``kinds`` can be had."""
    found = named(tree, table, report)
    checked = {name: _kinded(value, kinds, (table, name), report) for name, value in found.items()}
    return {name: valid for name, valid in checked.items() if valid}


def _kinded(value: Any, kinds: Collection[str], path: tuple[str, str], report: Report) -> Table | None:
    if not isinstance(value, dict):
        report.add(path, "a table")
        return None
    kind = value.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        report.add((*path, "kind"), one_of(f"a kind of {path[0]}", kinds))
        return None
    return validate(BY_KIND[path[0]].get(kind, PLUG_INS[path[0]]), value, path, report)


def names(tree: dict[str, Any], table: str) -> Collection[str]:
    """Return the names that a table of tables declares, well-formed or not."""
    found = tree.get(table)
    return tuple(found) if isinstance(found, dict) else ()
