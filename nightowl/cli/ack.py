"""``nightowl ack``: say that somebody looks after an incident."""

from __future__ import annotations

from time import time

import click

from nightowl.cli.durations import seconds
from nightowl.cli.opening import account
from nightowl.cli.stored import configured, store_option
from nightowl.core.errors import Refused
from nightowl.core.values import Author, Incident
from nightowl.flows.notify import acknowledge
from nightowl.ports import Store
from nightowl.web.words import iso


@click.command()
@click.argument("incident", metavar="ID")
@click.option("--by", metavar="NAME", help="Who looks after it; default: you, by the name of your account.")
@click.option("--for", "lasts", metavar="DURATION", help="For how long, such as 1h; default: to its end.")
@store_option
def ack(incident: str, by: str | None, lasts: str | None, path: str | None) -> None:
    """Acknowledge the open incident ID (its first letters are enough), which ends its reminders and escalation."""
    with configured(path) as (_, store):
        now = time()
        author = Author("command", account() if by is None else by)
        whole = _whole_id(store, incident)
        taken = acknowledge(store, whole, author, now, None if lasts is None else seconds("--for", lasts))
    owner = f" by {taken.acknowledged_by}" if taken.acknowledged_by else ""
    if taken.acknowledged is None or taken.acknowledged == now:
        click.echo(f"incident {taken.id} ({taken.subject}): acknowledged{owner}{_until(taken)}")
        return
    at = iso(int(taken.acknowledged))
    click.echo(f"incident {taken.id} ({taken.subject}): already acknowledged{owner} at {at}")


def _until(taken: Incident) -> str:
    return f" until {iso(int(taken.acknowledged_until))}" if taken.acknowledged_until else ""


def _whole_id(store: Store, start: str) -> str:
    """The id of the only open incident that begins like this; where none does, what was given."""
    with store.read() as unit:
        found = [each.id for each in unit.incidents.open() if start and each.id.startswith(start)]
    if len(found) > 1:
        raise Refused(f"{len(found)} open incidents begin with {start}: {', '.join(sorted(found))}")
    return found[0] if found else start
