"""``nightowl incidents``: what is wrong, and what was."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import msgspec
from msgspec.structs import asdict

from nightowl.cli.stored import configured, store_option
from nightowl.cli.tables import print_table
from nightowl.core.suppression import in_words
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
    print_table(COLUMNS, [_cells(incident) for incident in found], whole=("id", "opened"))
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
        return in_words(incident.suppressed) if incident.suppressed else "open"
    return f"acknowledged by {incident.acknowledged_by}" if incident.acknowledged_by else "acknowledged"
