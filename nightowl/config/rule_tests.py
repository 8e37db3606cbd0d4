"""Loads files of unit tests of rules."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from nightowl.config.models.rule_test import RuleTest
from nightowl.config.reading import read
from nightowl.config.refusals import refuse_key
from nightowl.config.report import Report, Source
from nightowl.config.tables import modelled

__all__ = ["RuleTest", "RuleTests", "load_rule_tests"]

_KEYS = ("rules", "test")


class RuleTests(msgspec.Struct, frozen=True, kw_only=True):
    """A file of tests by name; ``rules`` is the path of the configuration whose rules they are for."""

    rules: str
    tests: dict[str, RuleTest]


def load_rule_tests(path: str | os.PathLike[str]) -> RuleTests:
    """Load a file of tests: ``rules``, a path relative to it, and ``[test.NAME]`` tables.

    Raises:
        ConfigurationError: with every mistake there is.
    """
    given = os.fspath(path)
    reading = read(given)
    tree = reading.tree
    report = Report(Source(tree=tree, name=given, origins=reading.origins), reading.mistakes)
    for key in tree:
        if key not in _KEYS:
            refuse_key(report, (key,), _KEYS, ())
    rules = tree.get("rules")
    if not reading.mistakes and not (isinstance(rules, str) and rules):
        report.add(("rules",), "the configuration with the rules, relative to this file")
    tests = modelled(tree, "test", RuleTest, report)
    if not reading.mistakes and not tree.get("test"):
        report.add(("test",), "at least one table [test.NAME]")
    report.raise_if_any()
    return RuleTests(rules=str(Path(given).parent / str(rules)), tests=tests)
