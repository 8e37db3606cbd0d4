"""``nightowl backtest``: what rules would have done over history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from nightowl.cli.opening import USUAL, errors_told
from nightowl.cli.progress import progress_of
from nightowl.cli.stored import configured
from nightowl.cli.tables import print_table
from nightowl.config.units import format_duration, parse_duration
from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.core.evaluation import spans_of
from nightowl.core.points import Points
from nightowl.core.replay import Replay, instants
from nightowl.core.rule import STEP, Rule
from nightowl.core.series import Series
from nightowl.wire.backtest import moment, read_samples, stored_samples
from nightowl.wire.checks import load_configuration
from nightowl.wire.clock import CLOCK
from nightowl.wire.strategies import strategies

WEEK = 7 * 86_400.0
_TELLING = 100
_MUCH = 0.1

History = Mapping[Series, Points]


def _moment(_context: click.Context, _option: click.Parameter, found: str | None) -> float | None:
    """Unix seconds of what was given."""
    try:
        return None if found is None else moment(found)
    except ValueError:
        raise click.BadParameter(f"found {found!r}, allowed: Unix seconds, or such as 2026-11-28T03:00Z") from None


def _duration(_context: click.Context, _option: click.Parameter, found: str) -> float:
    """Seconds of what was given."""
    with suppress(ValueError):
        if seconds := parse_duration(found):
            return seconds
    raise click.BadParameter(f'found {found!r}, allowed: a duration such as "30s" or "1m"')


@click.command()
@click.option("--rules", "path", default=USUAL, show_default=True, metavar="PATH", help="The configuration with rules.")
@click.option(
    "--samples",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.csv",
    help="Rows of series,ts,value. Without it: what the store of the configuration remembers.",
)
@click.option(
    "--from", "start", callback=_moment, help="The first instant. Without it: the first sample, or a week ago."
)
@click.option("--to", "end", callback=_moment, help="The last instant. Without it: the last sample, or now.")
@click.option(
    "--every",
    callback=_duration,
    default=format_duration(STEP),
    show_default=True,
    help="From one instant to the next; instants are the multiples of it.",
)
@click.option("--json", "as_json", is_flag=True, help="{rule: {series: [[ts, from, to], ...]}}, for programs.")
def backtest(
    path: str, samples: Path | None, start: float | None, end: float | None, every: float, *, as_json: bool
) -> None:
    """Tell what rules would have done over history, and how often each would have paged.

    The same functions and the same machine as live, over a file of samples or over what the store remembers.

    \b
    nightowl backtest --rules rules.toml --samples week.csv --every 30s
    nightowl backtest --from 2026-11-21T00:00Z      over what the store remembers
    """  # noqa: D301 - \b is the character by which click keeps the lines
    with errors_told():
        rules = _tried(load_configuration(path).rules.values(), stored=samples is None)
        if not rules:
            missing = Mistake(file=path, key="rule", found="no rule", allowed="at least one [rule.NAME]")
            raise ConfigurationError([missing])
        known, first, last = _from_file(samples) if samples else _from_store(path, rules, every, start, end)
    begin, stop = (first if start is None else start), (last if end is None else end)
    replays = replay(rules, known, list(instants(begin, stop, every)), every)
    if as_json:
        click.echo(msgspec.json.encode(report(replays)))
    else:
        show(replays)


def _tried(rules: Iterable[Rule], *, stored: bool) -> list[Rule]:
    """Return the rules that can be tried here, and name the others: what sources have is not at hand."""
    tried = []
    for rule in rules:
        if rule.query or rule.identifiers or (rule.source and stored):
            click.echo(f"{rule.name}: left out, as it looks at the source {rule.source}", err=True)
        else:
            tried.append(rule)
    return tried


def _from_file(samples: Path) -> tuple[History, float, float]:
    """Return a file's samples, and the first and the last moment of any."""
    with progress_of(f"reading {samples.name}") as tell:
        known = read_samples(samples, tell)
    ends = [(points.times[0], points.times[-1]) for points in known.values() if len(points)]
    return known, min((first for first, _ in ends), default=0.0), max((last for _, last in ends), default=-1.0)


def _from_store(
    path: str, rules: Sequence[Rule], every: float, start: float | None, end: float | None
) -> tuple[History, float, float]:
    """Return what the store remembers of the span and of what the rules look back on, and the span."""
    last = CLOCK.now() if end is None else end
    first = last - WEEK if start is None else start
    back = max(spans_of(rules, strategies(), every).values())
    with configured(path) as (_, store):
        return stored_samples(store, rules, first - back, last), first, last


def replay(rules: Sequence[Rule], known: History, at: Sequence[float], every: float) -> list[Replay]:
    """Walk all instants with all rules."""
    replays = [Replay(rule, every, strategies()) for rule in rules]
    with progress_of("replaying") as tell:
        for number, now in enumerate(at):
            for each in replays:
                each.at(now, known)
            if number % _TELLING == 0:
                tell(number, len(at))
    return replays


def report(replays: Sequence[Replay]) -> dict[str, dict[str, Any]]:
    """Every rule with the transitions of its series; one without any is there, empty."""
    return {
        each.rule.name: {str(series): steps for series, steps in sorted(each.transitions.items())} for each in replays
    }


def show(replays: Sequence[Replay]) -> None:
    """Print how often each rule would have paged, and each transition."""
    for each in replays:
        times = "never" if not each.pages else "once" if each.pages == 1 else f"{each.pages} times"
        click.echo(f"{each.rule.name}: would have paged {times}{_doubt(each)}")
        rows = [
            (_iso(step.at), str(series), f"{step.before} -> {step.after}")
            for series, steps in sorted(each.transitions.items())
            for step in steps
        ]
        print_table(("time", "series", "transition"), sorted(rows), whole=("time", "transition"))


def _doubt(replayed: Replay) -> str:
    """Say what keeps the count from meaning much (empty: nothing)."""
    if not replayed.judged:
        return ", as it matches no series"
    share = replayed.unknown / replayed.judged
    if share < _MUCH:
        return ""
    return f", but it was unknown for {share:.0%} of the time: {replayed.why}"


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
