"""``nightowl user``: people who may sign in."""

from __future__ import annotations

import sys
from pathlib import Path
from time import time

import click

from nightowl.cli.opening import account
from nightowl.cli.stored import configured, store_option
from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.core.values import Author, Role
from nightowl.web import passwords, people


@click.group()
def user() -> None:
    """Add people who may sign in."""


@user.command("add")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["viewer", "operator", "admin"]),
    default="viewer",
    show_default=True,
    help="viewer reads, operator also changes and runs checks and acknowledges, admin also manages people.",
)
@click.option("--password-file", metavar="FILE", help="Read the password from a file (- for standard input).")
@store_option
def add(name: str, role: Role, password_file: str | None, path: str | None) -> None:
    """Add the user NAME, or give an existing one a new password and role, which ends all sessions of theirs.

    Without --password-file the password is asked for on the terminal.
    """
    with configured(path) as (_, store):
        mistake = passwords.name_mistake(name)
        if mistake:
            raise _refused("NAME", name, mistake)
        password = _password(password_file)
        is_new = people.put(store, Author("command", account()), time(), name, role, password)
    click.echo(f"user {name}: {'added' if is_new else 'changed'}, role {role}")


def _password(file: str | None) -> str:
    """Take the password from a file or the terminal; refuse one that is too weak."""
    if file is not None:
        password, where = _from_file(file), f"the password in {file}"
    elif sys.stdin.isatty():
        password, where = click.prompt("Password", hide_input=True, confirmation_prompt=True), "the password"
    else:
        raise _refused("--password-file", "none, and no terminal to ask on", "a file with the password")
    if mistake := passwords.mistake(password):
        raise _refused("--password-file" if file else "password", where, mistake)
    return str(password)


def _from_file(file: str) -> str:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise _refused("--password-file", f'"{file}" ({reason})', "a readable file with the password") from None
    return text.strip("\r\n")


def _refused(key: str, found: str, allowed: str) -> ConfigurationError:
    return ConfigurationError([Mistake(file="", key=key, found=found, allowed=allowed)])
