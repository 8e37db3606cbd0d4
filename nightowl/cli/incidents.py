"""``nightowl incidents``: what is wrong, and what was."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import click
import msgspec
from msgspec.structs import asdict

from nightowl.cli.opening import configured, store_option
from nightowl.core.values import Incident

COLUMNS = ("id", "state", "severity", "opened", "subject", "summary")


@click.command()
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="The newest so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for programs.")
@store_option
def incidents(path: str | None, limit: int, *, everything: bool, as_json: bool) -> None:
    """List the open incidents, newest first."""
    with configured(path) as (_, store), store.read() as unit:
        found, total = unit.incidents.page(open_only=not everything, subject="", offset=0, limit=limit)
    if as_json:
        click.echo(msgspec.json.encode([asdict(incident) for incident in found]))
        return
    if not found:
        click.echo("No incidents." if everything else "No open incidents.")
        return
    _print_table([_cells(incident) for incident in found])
    if total > len(found):
        click.echo(f"{len(found)} of {total}; --limit shows more", err=True)


def _cells(incident: Incident) -> tuple[str, ...]:
    opened = datetime.fromtimestamp(incident.opened, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    summary = " ".join(incident.summary.split())
    return incident.id, _state(incident), incident.severity, opened, incident.subject, summary


def _state(incident: Incident) -> str:
    if not incident.open:
        return "resolved"
    if incident.acknowledged is None:
        return "open"
    return f"acknowledged by {incident.acknowledged_by}" if incident.acknowledged_by else "acknowledged"


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table on a terminal; in a pipe one line a row, its cells parted by tabs."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join(row))
        return
    from rich.console import Console  # noqa: PLC0415  # a tenth of a second that pipes and programs need not pay
    from rich.table import Table  # noqa: PLC0415  # likewise
    from rich.text import Text  # noqa: PLC0415  # likewise

    table = Table(box=None, pad_edge=False)
    for column in COLUMNS:
        table.add_column(column, no_wrap=column in ("id", "opened"))
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
