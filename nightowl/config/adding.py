"""Adds a location to a configuration: a file with its key, and a table that refers to it."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path

import msgspec

from nightowl.config.keys import new_key
from nightowl.config.loading import IMPLICIT_LOCATION, load
from nightowl.config.reading import read
from nightowl.config.settings import Configuration
from nightowl.config.tables import name_problem, names
from nightowl.core.errors import ConfigurationError, Mistake

FOLDER = "keys"
"""Where key files are, beside the configuration."""


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """A location that was added: the files that it took, its key as text, and the configuration as it is now.

    ``replaced`` is the location that was there as long as none was declared, and now is not (empty: none).
    """

    name: str
    file: Path
    key_file: Path
    key: str
    configuration: Configuration
    replaced: str


def add_location(
    path: str, name: str, kinds: Collection[str], strategies: Collection[str], channel_kinds: Collection[str]
) -> Added:
    """Add the location ``name`` to the file or folder ``path``; where that fails, everything stays as it was.

    Raises:
        ConfigurationError: the configuration is not valid before or after, the name is taken or cannot be, or a file
            cannot be written.
    """
    _refuse_name(path, name, load(path, kinds=kinds, strategies=strategies, channel_kinds=channel_kinds))
    declared = names(read(path).tree, "location")
    base = Path(path) if Path(path).is_dir() else Path(path).parent
    file = Path(path, f"location-{name}.toml") if Path(path).is_dir() else Path(path)
    key_file, key = base / FOLDER / f"{name}.key", new_key()
    table = f'[location.{name}]\nkey = "${{file:{FOLDER}/{name}.key}}"\n'
    with ExitStack() as undo:
        try:
            _make_folder(key_file.parent, undo)
            _create(key_file, f"{key}\n", 0o600, undo)
            if file == Path(path):
                _append(file, table, undo)
            else:
                _create(file, table, 0o644, undo)
        except OSError as error:
            where, why = error.filename or file, (error.strerror or "unknown error").lower()
            raise _refused(str(where), why, "a file that can be written, and is not there yet") from None
        configuration = load(path, kinds=kinds, strategies=strategies, channel_kinds=channel_kinds)
        undo.pop_all()
    gone = "" if declared or name == IMPLICIT_LOCATION else IMPLICIT_LOCATION
    return Added(name=name, file=file, key_file=key_file, key=key, configuration=configuration, replaced=gone)


def _refuse_name(path: str, name: str, configuration: Configuration) -> None:
    """Refuse a name that is declared already or cannot be."""
    if problem := name_problem("location", name):
        raise _refused("NAME", f'"{name}"', problem)
    if name in names(read(path).tree, "location"):
        taken = ", ".join(configuration.locations)
        raise _refused("NAME", f'"{name}"', f"a name that {path} does not have yet; it has {taken}")


def _make_folder(folder: Path, undo: ExitStack) -> None:
    if not folder.exists():
        folder.mkdir(mode=0o700)
        undo.callback(folder.rmdir)


def _create(file: Path, text: str, mode: int, undo: ExitStack) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    undo.callback(file.unlink)
    with open(descriptor, "w", encoding="utf-8") as opened:  # noqa: PTH123 - a descriptor, for its mode
        opened.write(text)


def _append(file: Path, text: str, undo: ExitStack) -> None:
    before = file.read_bytes()
    undo.callback(os.truncate, file, len(before))
    gap = "" if not before else "\n" if before.endswith(b"\n") else "\n\n"
    with file.open("a", encoding="utf-8") as opened:
        opened.write(gap + text)


def _refused(key: str, found: str, allowed: str) -> ConfigurationError:
    return ConfigurationError([Mistake(file="", key=key, found=found, allowed=allowed)])
