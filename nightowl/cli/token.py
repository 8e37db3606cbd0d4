"""``nightowl token``: what programs sign in with."""

from __future__ import annotations

from time import time

import click
import msgspec

from nightowl.cli.durations import seconds
from nightowl.cli.opening import account
from nightowl.cli.stored import configured, store_option
from nightowl.cli.tables import print_table
from nightowl.core.values import Author, Role, Token
from nightowl.web import tokens
from nightowl.web.words import iso

COLUMNS = ("name", "role", "owner", "created", "expires", "last used")


@click.group()
def token() -> None:
    """Make and revoke the tokens that programs use the API with."""


@token.command("new")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["viewer", "operator", "admin"]),
    default="viewer",
    show_default=True,
    help="What a program with this token may do.",
)
@click.option("--expires", metavar="DURATION", help="How long it lasts, such as 90d; without it until it is revoked.")
@store_option
def new(name: str, role: Role, expires: str | None, path: str | None) -> None:
    """Make the token NAME and print it, this once.

    Programs send it to /api/v1 as "Authorization: Bearer TOKEN". Only its hash is stored.
    """
    with configured(path) as (_, store):
        lasts = None if expires is None else seconds("--expires", expires)
        wish = tokens.Wish(name=name, role=role, lasts=lasts)
        text = tokens.issue(store, Author("command", account()), time(), wish)
    click.echo(text)


@token.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for programs.")
@store_option
def show(path: str | None, *, as_json: bool) -> None:
    """List the tokens by name; never their text."""
    with configured(path) as (_, store), store.read() as unit:
        found = unit.tokens.all()
    if as_json:
        click.echo(msgspec.json.encode([msgspec.structs.asdict(each) for each in found]))
    elif found:
        print_table(COLUMNS, [_cells(each) for each in found], whole=("name", "created", "expires", "last used"))
    else:
        click.echo("No tokens.")


@token.command("revoke")
@click.argument("name")
@store_option
def revoke(name: str, path: str | None) -> None:
    """End the token NAME at once."""
    with configured(path) as (_, store):
        tokens.revoke(store, Author("command", account()), time(), name)
    click.echo(f"token {name}: revoked")


def _cells(each: Token) -> tuple[str, ...]:
    ends = iso(int(each.expires)) if each.expires else "never"
    used = iso(int(each.used)) if each.used else "never"
    return each.name, each.role, each.owner or "-", iso(int(each.created)), ends, used
