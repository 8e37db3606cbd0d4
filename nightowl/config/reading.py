"""Reads one TOML file, or a folder of them merged by table."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from nightowl.config.masking import KeyPath
from nightowl.config.models import NAMED
from nightowl.core.errors import Mistake

LARGEST = 16 * 2**20
"""Bytes of the largest configuration file that is read."""

_POSITION = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL)


class Reading(msgspec.Struct, frozen=True):
    """What was read: the merged tree, which file defines which table, the files, and mistakes of syntax."""

    tree: dict[str, Any]
    origins: dict[KeyPath, str]
    files: list[Path]
    mistakes: list[Mistake]


def toml_files(path: Path) -> list[Path]:
    """Return the files that a configuration path stands for: itself, or ``*.toml`` of a folder in order of name."""
    if path.is_dir():
        return sorted(one for one in path.iterdir() if one.suffix == ".toml" and one.is_file())
    return [path]


def read(given: str) -> Reading:
    """Read the file or folder ``given``; what cannot be read is a mistake of the reading."""
    path = Path(given)
    reading = Reading({}, {}, [], [])
    try:
        files = toml_files(path)
    except OSError as error:
        reading.mistakes.append(_unreadable(given, error))
        return reading
    if not files:
        reading.mistakes.append(_unreadable(given, "no *.toml file in it"))
    for file in files:
        name = given if file == path else os.path.join(given, file.name)  # noqa: PTH118 - as the user gave it
        reading.files.append(file)
        _merge(reading, name, _parse(reading, name, file))
    return reading


def _unreadable(name: str, problem: OSError | str) -> Mistake:
    found = problem if isinstance(problem, str) else (problem.strerror or "not readable").lower()
    return Mistake(file="", key=name, found=found, allowed="a TOML file, or a folder of *.toml files")


def _parse(reading: Reading, name: str, file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > LARGEST:
            reading.mistakes.append(_unreadable(name, "more than 16 MiB"))
            return {}
        return tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        reading.mistakes.append(_unreadable(name, error))
    except UnicodeDecodeError as error:
        reading.mistakes.append(_syntax(name, f"a byte that is not UTF-8 (byte {error.start})"))
    except (ValueError, RecursionError) as error:
        reading.mistakes.append(_syntax(name, str(error)))
    return {}


def _syntax(name: str, message: str) -> Mistake:
    place = _POSITION.match(message)
    what = place[1] if place else message
    where = f"line {place[2]}, column {place[3]}" if place and place[2] else "end of file" if place else "syntax"
    allowed = "TOML, where a text stands in quotes and a table in brackets"
    return Mistake(file=name, key=where, found=f"a mistake of syntax ({what})", allowed=allowed)


def _merge(reading: Reading, name: str, tree: dict[str, Any]) -> None:
    for table, content in tree.items():
        if table in NAMED and isinstance(content, dict):
            merged = reading.tree.setdefault(table, {})
            for key, value in content.items():
                _define(reading, name, (table, key), merged, value)
        else:
            _define(reading, name, (table,), reading.tree, content)


def _define(reading: Reading, name: str, path: KeyPath, into: Any, value: Any) -> None:
    if not isinstance(into, dict) or path[-1] in into:
        first = reading.origins.get(path) or reading.origins.get(path[:1])
        found = f"a second definition (the first is in {first})" if first else "a second definition"
        key = ".".join(str(part) for part in path)
        reading.mistakes.append(Mistake(file=name, key=key, found=found, allowed="each table in one file only"))
        return
    reading.origins[path] = name
    into[path[-1]] = value
