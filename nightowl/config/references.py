"""Secrets by reference: ``${env:NAME}`` and ``${file:PATH}`` inside any string, several if need be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nightowl.config.masking import DEEPEST, KeyPath

LARGEST_FILE = 2**20
"""Bytes of the largest file that a reference or a key may read."""

_REFERENCE = re.compile(r"\$\{(env|file)\b(?::([^}]*))?\}?", re.IGNORECASE)
_FORMS = "${env:NAME} or ${file:PATH}"


class References:
    """Resolves references against ``environ`` and files relative to ``base``.

    ``failures`` says, by key path, what would have been allowed; ``files`` is what was read; ``values`` is what
    references stood for, by the key path of the string that holds them.
    """

    def __init__(self, environ: Mapping[str, str], base: Path, *, allowed: bool = True) -> None:
        self._environ = environ
        self._base = base
        self._allowed = allowed
        self.failures: dict[KeyPath, str] = {}
        self.files: list[Path] = []
        self.values: dict[KeyPath, set[str]] = {}

    def under(self, *paths: KeyPath) -> tuple[str, ...]:
        """Return what references below these key paths stood for, sorted."""
        found = [values for key, values in self.values.items() if any(key[: len(path)] == path for path in paths)]
        return tuple(sorted(set().union(*found)))

    def resolve(self, value: Any, path: KeyPath = ()) -> Any:
        """Return ``value`` with all references in it replaced; one that fails stays as it was written."""
        if len(path) > DEEPEST:
            self.failures[path] = f"tables and lists within one another at most {DEEPEST} deep"
            return ""
        if isinstance(value, dict):
            return {key: self.resolve(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.resolve(inner, (*path, index)) for index, inner in enumerate(value)]
        if isinstance(value, str):
            return self._text(value, path)
        return value

    def _text(self, text: str, path: KeyPath) -> str:
        def value(reference: re.Match[str]) -> str:
            found = self._value(reference)
            self.values.setdefault(path, set()).add(found)
            return found

        try:
            return _REFERENCE.sub(value, text)
        except ValueError as error:
            self.failures[path] = str(error)
            return text

    def _value(self, reference: re.Match[str]) -> str:
        kind, name = reference[1], reference[2]
        if not self._allowed:
            raise ValueError("the value itself; references are for configuration files")
        if not name or kind not in ("env", "file") or not reference[0].endswith("}"):
            raise ValueError(f"a reference as {_FORMS}")
        return self._environment(name) if kind == "env" else read_text(self._base, name, self.files).rstrip("\r\n")

    def _environment(self, name: str) -> str:
        if name not in self._environ:
            raise ValueError(f"a variable that is set; the environment has no {name}")
        value = self._environ[name]
        if any("\ud800" <= letter <= "\udfff" for letter in value):  # what Python makes of other bytes
            raise ValueError(f"a variable that holds UTF-8; {name} does not")
        return value


def read_text(base: Path, name: str, files: list[Path]) -> str:
    """Return the text of the file ``name``, relative to ``base``, and append its path to ``files``.

    Raises:
        ValueError: it is not there, not readable, not a regular file, too large or not UTF-8. The text says which,
            and does not repeat the name, which may itself be a secret that was resolved.
    """
    path = base / name
    files.append(path)
    try:
        if not path.exists():
            raise ValueError(f"a file that is there; relative names begin at {base.absolute()}")
        if not path.is_file():
            raise ValueError("a regular file")
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ValueError(f"a file that can be read ({(error.strerror or 'unknown error').lower()})") from None
    if len(raw) > LARGEST_FILE:
        raise ValueError("a file of at most 1 MiB")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise ValueError("a file of UTF-8 text") from None
