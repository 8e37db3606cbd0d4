"""``nightowl heartbeat``: the secret URLs that jobs call."""

from __future__ import annotations

import difflib
from time import time

import click

from nightowl.cli.opening import account
from nightowl.cli.stored import configured, store_option
from nightowl.core.errors import NotFound, Refused
from nightowl.core.values import Author
from nightowl.ports import Unit
from nightowl.web import heartbeats
from nightowl.wire.addresses import link
from nightowl.wire.state import secret_key


@click.group()
def heartbeat() -> None:
    """Show and renew the URLs that jobs call."""


@heartbeat.command("url")
@click.argument("name")
@store_option
def url(name: str, path: str | None) -> None:
    """Print the URL of the heartbeat NAME."""
    with configured(path) as (configuration, store), store.read() as unit:
        stored = unit.checks.get(name)
        if stored is None:
            raise NotFound(_unknown(unit, name))
        if not heartbeats.is_heartbeat(stored):
            raise Refused(f"{name} is no heartbeat but a check of another kind, so no job calls it.")
        found = heartbeats.path(unit, secret_key(configuration), name)
        if not found:
            raise Refused(f"The URL of {name} was made under another secret key; nightowl heartbeat new-url makes one.")
        click.echo(f"{link(configuration)}{found}")


def _unknown(unit: Unit, name: str) -> str:
    """Say that there is no such heartbeat, with the nearest that there are."""
    known = [stored.name for stored in unit.checks.all() if heartbeats.is_heartbeat(stored)]
    near = difflib.get_close_matches(name, known, cutoff=0.6)
    meant = f" (is {' or '.join(near)} meant?)" if near else ""
    return f"There is no heartbeat named {name}{meant}; one of a file is known once NightOwl has run with it."


@heartbeat.command("new-url")
@click.argument("name")
@store_option
def new_url(name: str, path: str | None) -> None:
    """Give the heartbeat NAME another URL and print it; the old one is not answered any more."""
    with configured(path) as (configuration, store):
        made = heartbeats.renew(store, secret_key(configuration), name, Author("command", account()), time())
        click.echo(f"{link(configuration)}{made}")
