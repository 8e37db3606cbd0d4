"""``nightowl silence``: let incidents open without a word for a while."""

from __future__ import annotations

from time import time

import click
import msgspec

from nightowl.cli.durations import seconds
from nightowl.cli.opening import account
from nightowl.cli.stored import configured, store_option
from nightowl.cli.tables import print_table
from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.core.values import Author, Silence
from nightowl.web import silences
from nightowl.web.words import iso

COLUMNS = ("id", "state", "from", "until", "match", "by", "comment")


@click.group()
def silence() -> None:
    """Let incidents open without a word for a while; that they end is told to whoever heard of them."""


@silence.command("add")
@click.option("--match", "-m", "matches", metavar="NAME=PATTERN", multiple=True, required=True,
              help="severity, name, kind or a tag, to a shell pattern; all that are given must hold.")  # fmt: skip
@click.option("--for", "lasts", metavar="DURATION", required=True, help="How long it lasts, such as 2h.")
@click.option("--comment", default="", help="Why; others read it.")
@store_option
def add(matches: tuple[str, ...], lasts: str, comment: str, path: str | None) -> None:
    """Silence what matches from now on, and print the number of the silence."""
    with configured(path) as (_, store):
        match = dict(map(_pair, matches))
        wish = silences.Wish(match=match, lasts=seconds("--for", lasts), comment=comment)
        made = silences.silence(store, Author("command", account()), time(), wish)
    click.echo(f"silence {made.id}: {silences.match_told(made)}, until {iso(int(made.end))}")


@silence.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that have ended, too.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="So many at most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for programs.")
@store_option
def show(path: str | None, limit: int, *, everything: bool, as_json: bool) -> None:
    """List the silences that have not ended; the first to end comes first."""
    now = time()
    with configured(path) as (_, store), store.read() as unit:
        found = unit.silences.page(0, limit)[0] if everything else unit.silences.lasting(now)[:limit]
    if as_json:
        click.echo(msgspec.json.encode([msgspec.structs.asdict(each) for each in found]))
    elif found:
        print_table(COLUMNS, [_cells(each, now) for each in found], whole=("id", "state", "from", "until"))
    else:
        click.echo("No silences.")


@silence.command("end")
@click.argument("number", metavar="ID", type=click.IntRange(1))
@store_option
def end(number: int, path: str | None) -> None:
    """End the silence ID at once: what is open is told."""
    with configured(path) as (_, store):
        silences.end(store, Author("command", account()), time(), number)
    click.echo(f"silence {number}: ended")


def _cells(each: Silence, now: float) -> tuple[str, ...]:
    span = iso(int(each.start)), iso(int(each.end))
    return str(each.id), silences.state(each, now), *span, silences.match_told(each), each.author or "-", each.comment


def _pair(text: str) -> tuple[str, str]:
    name, sign, pattern = text.partition("=")
    if not sign or not name:
        mistake = Mistake(file="", key="--match", found=f'"{text}"', allowed='a name and a pattern, "team=shop*"')
        raise ConfigurationError([mistake])
    return name, pattern
