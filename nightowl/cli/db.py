"""``nightowl db``: migrate, back up and restore the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from nightowl.cli.opening import errors_told
from nightowl.cli.progress import progress_of
from nightowl.cli.stored import store_option
from nightowl.core.errors import Refused
from nightowl.wire import store
from nightowl.wire.checks import load_configuration
from nightowl.wire.state import store_url

Command = Callable[..., None]


def _store_options(command: Command) -> Command:
    options: list[Callable[[Command], Command]] = [
        store_option,
        click.option("--url", help="The store itself, such as postgresql://owl@db/owl; wins over a configuration."),
    ]
    for option in options[::-1]:
        command = option(command)
    return command


@click.group()
def db() -> None:
    """Migrate, back up and restore the store.

    \b
    nightowl db backup owl.backup                                     copy the store while it is in use
    nightowl db migrate                                               after an upgrade of NightOwl
    nightowl db restore owl.backup --url postgresql://owl@db/owl      move to another database
    """  # noqa: D301 - \b is the character by which click keeps the lines


@db.command()
@_store_options
def migrate(path: str | None, url: str | None) -> None:
    """Bring the store's tables to what this version of NightOwl needs; make them where there are none.

    Stop the other roles first, and make a backup: there is no way back but to restore it.
    """
    with _told():
        before, after = store.migrate(_url(path, url))
    if before == after:
        click.echo(f"the store is up to date (schema {after})")
    else:
        click.echo(f"the store was migrated from {f'schema {before}' if before else 'nothing'} to schema {after}")


@db.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_store_options
def backup(file: Path, path: str | None, url: str | None) -> None:
    """Copy the whole store into FILE, as it is at one moment, while NightOwl runs.

    FILE can be restored into any kind of database. It holds password hashes, so only you may read it. Tasks of watched
    clusters are not in it.
    """
    with _told(), progress_of(f"backing up to {file.name}") as progress:
        rows = store.backup(_url(path, url), file, progress)
    click.echo(f"{file}: {rows} rows, {file.stat().st_size} bytes")


@db.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace what the store holds now.")
@_store_options
def restore(file: Path, path: str | None, url: str | None, *, force: bool) -> None:
    """Fill an empty database from FILE and bring it to what this version of NightOwl needs.

    Stop all roles first. The whole FILE is read once before anything is written. Tasks of watched clusters stay.
    """
    with _told(), progress_of(f"restoring {file.name}") as progress:
        rows = store.restore(_url(path, url), file, replace=force, progress=progress)
    click.echo(f"{file}: {rows} rows restored")


def _url(path: str | None, url: str | None) -> str:
    return url or store_url(load_configuration(path))


@contextmanager
def _told() -> Iterator[None]:
    """Tell an error in one message; a file or store that cannot be used is bad input."""
    with errors_told():
        try:
            yield
        except Refused as error:
            click.echo(str(error), err=True)
            raise SystemExit(2) from None
