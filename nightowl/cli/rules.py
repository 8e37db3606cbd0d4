"""``nightowl rules``: unit tests of rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from nightowl.cli.opening import errors_told
from nightowl.config.rule_tests import RuleTest, load_rule_tests
from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.core.notation import values
from nightowl.core.points import Points
from nightowl.core.rule_test import Expected, failures, points_of
from nightowl.core.series import Series, parse
from nightowl.wire.checks import load_configuration
from nightowl.wire.strategies import strategies


@click.group()
def rules() -> None:
    """Prove rules before they wake anybody."""


@rules.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
def test(files: tuple[Path, ...]) -> None:
    """Run unit tests of rules; exit 1 where one fails, 2 where a file is wrong.

    \b
    rules = "nightowl.toml"
    [test.backlog]
    every = "1m"
    series = { 'queue_length{queue="mail"}' = "0x4 2000x10 0x5" }
    expect = [
      { at = "5m", rule = "backlog", state = "PENDING" },
      { at = "10m", rule = "backlog", state = "FIRING" },
    ]

    Values are those of Prometheus' unit tests: 7 and then 7x3 (three repeats), 10+5x4 (four more, each 5 greater), _
    (missing), _x3.
    """  # noqa: D301 - \b is the character by which click keeps the lines
    with errors_told():
        told = [line for file in files for line in _run(file)]
    for line in told:
        click.echo(line, err=True)
    raise SystemExit(1 if told else 0)


def _run(file: Path) -> Iterator[str]:
    """Run a file's tests, say which pass, and yield what fails."""
    tests = load_rule_tests(file)
    known = load_configuration(tests.rules).rules
    unknown = [
        Mistake(
            file=str(file),
            key=f"test.{name}.expect[{place}].rule",
            found=f'"{each.rule}"',
            allowed=f"a rule of {tests.rules}: {', '.join(known) or 'there is none'}",
        )
        for name, test_ in tests.tests.items()
        for place, each in enumerate(test_.expect)
        if each.rule not in known
    ]
    if unknown:
        raise ConfigurationError(unknown)
    for name, test_ in tests.tests.items():
        found = list(failures(known, *_given(test_), strategies()))
        if not found:
            click.echo(f"{file}: {name}: ok")
        yield from (f"{file}: {name}: {problem}" for problem in found)


def _given(test_: RuleTest) -> tuple[dict[Series, Points], float, list[Expected]]:
    """The series, the step and the expectations of a test."""
    known = {parse(name): points_of(values(text), test_.every) for name, text in test_.series.items()}
    expected = [
        Expected(at=each.at, rule=each.rule, state=each.state, series=parse(each.series) if each.series else None)
        for each in test_.expect
    ]
    return known, test_.every, expected
