"""Where Flower's options come from: the environment, ``flowerconfig.py``, the command line; the last one wins."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nightowl.config.flower.contradictions import contradictions
from nightowl.config.flower.given import Given
from nightowl.config.flower.opening import UNAUTHENTICATED, is_opened, opening_mistake
from nightowl.config.flower.options import OPTIONS, Option, truth, value
from nightowl.config.masking import MASK
from nightowl.core.errors import ConfigurationError, Mistake

PREFIX = "FLOWER_"
USUAL = "flowerconfig.py"


def read(
    arguments: Sequence[str], environ: Mapping[str, str] = os.environ, celery_options: Collection[str] = ()
) -> Given:
    """Return what was given. Raises ``ConfigurationError`` with all mistakes.

    A configuration file is Python of the user's own, and is run as Flower does it: where it is named, or where there
    is a ``flowerconfig.py`` in this folder.
    """
    mistakes: list[Mistake] = []
    line, strange = _line(arguments, celery_options, mistakes)
    found = list(_environment(environ))
    conf = {option.name: given for option, given, _ in (*found, *line)}.get("conf")
    found += [*_file(str(conf) if conf else None, mistakes), *line]
    values: dict[str, Any] = {}
    where: dict[str, str] = {}
    for option, given, place in found:
        if option.refused and given:
            mistakes.append(_mistake(option, given, place, option.instead))
        try:
            values[option.name] = value(option, given)
        except ValueError as error:
            mistakes.append(_mistake(option, given, place, str(error)))
        where[option.name] = place
    if unread := opening_mistake(environ):
        found_there = f'"{environ[UNAUTHENTICATED]}"'
        mistakes.append(Mistake(file="", key=UNAUTHENTICATED, found=found_there, allowed=unread))
    understood = Given(values=values, where=where, unauthenticated_api=is_opened(environ), strange=tuple(strange))
    mistakes += contradictions(understood)
    if mistakes:
        raise ConfigurationError(mistakes)
    return understood


_Found = tuple[Option, Any, str]
"""An option, what was given for it, and where."""


def _environment(environ: Mapping[str, str]) -> Iterator[_Found]:
    for name, given in environ.items():
        option = OPTIONS.get(name.removeprefix(PREFIX).lower()) if name.startswith(PREFIX) else None
        if option is not None:
            yield option, given, name


def _line(
    arguments: Sequence[str], celery_options: Collection[str], mistakes: list[Mistake]
) -> tuple[list[_Found], list[str]]:
    found: list[_Found] = []
    strange: list[str] = []
    left = list(arguments)
    while left:
        written, equals, given = left.pop(0).partition("=")
        name = written.lstrip("-").replace("-", "_")
        option = OPTIONS.get(name) if written.startswith("-") else None
        if option is None:
            if written in celery_options:
                strange.append(written)
                _skip_value(left, equals)
            else:
                mistakes.append(Mistake(file="", key=written, found="an option that there is not", allowed=_allowed()))
        elif equals:
            found.append((option, given, written))
        elif option.kind == "truth" and not (left and _is_truth(left[0])):
            found.append((option, "true", written))
        elif left:
            found.append((option, left.pop(0), written))
        else:
            mistakes.append(Mistake(file="", key=written, found="nothing", allowed="a value"))
    return found, strange


def _skip_value(left: list[str], equals: str) -> None:
    if not equals and left and not left[0].startswith("-"):
        left.pop(0)


def _is_truth(text: str) -> bool:
    try:
        truth(text)
    except ValueError:
        return False
    return True


def _file(named: str | None, mistakes: list[Mistake]) -> Iterator[_Found]:
    path = Path(named or USUAL).expanduser()
    if not path.is_file():
        if named and named != USUAL:
            mistakes.append(Mistake(file="", key="conf", found=f'"{named}"', allowed="a file that there is"))
        return
    for name, given in _run(path, mistakes).items():
        option = OPTIONS.get(name.replace("-", "_"))
        if option is not None:
            yield option, given, f"{path}: {name}"


def _run(path: Path, mistakes: list[Mistake]) -> dict[str, Any]:
    """Run a configuration file; of what goes wrong only the kind is told, as the text may hold a secret."""
    names: dict[str, Any] = {"__file__": str(path.absolute())}
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), names)  # noqa: S102 - the user's own, as for Flower
    except Exception as error:  # noqa: BLE001 - whatever the user's own code raises
        line = f" in line {error.lineno}" if isinstance(error, SyntaxError) else ""
        found = f"{type(error).__name__}{line}"
        mistakes.append(Mistake(file=str(path), key="conf", found=found, allowed="Python that can be run"))
    return names


def _mistake(option: Option, given: object, place: str, allowed: str) -> Mistake:
    return Mistake(file="", key=place, found=MASK if option.secret else f'"{given}"', allowed=allowed)


def _allowed() -> str:
    return "an option of Flower's: celery nightowl --help lists them"
