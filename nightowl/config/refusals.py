"""Checks a table against its model, and says of each refusal what would have been allowed."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from nightowl.config.masking import KeyPath
from nightowl.config.models import LATER_KEYS
from nightowl.config.models.table import Table
from nightowl.config.report import Report
from nightowl.core.refusals import allowed

T = TypeVar("T", bound=Table)


def validate(
    model: type[T], value: Any, path: KeyPath, report: Report, at: Callable[[KeyPath], KeyPath] | None = None
) -> T | None:
    """Return ``value`` as ``model``, after reporting what is wrong with it.

    What is left without the refused keys is returned, so that more mistakes can be found in it, with the model's
    stand-ins for those that it cannot be without; None: nothing is.
    ``at`` turns the key path of a mistake into the one where the user wrote it.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
    for detail in details:
        _refuse(model, detail, path, report, at or (lambda found: found))
    left = _without(value, [detail["loc"] for detail in details])
    try:
        return model.model_validate({**model.stand_ins, **left} if isinstance(left, dict) else left)
    except ValidationError:
        return None


def _without(value: Any, places: Iterable[KeyPath]) -> Any:
    """Return a copy of a table without the keys at or around ``places``."""
    below: dict[str, list[KeyPath]] = {}
    for place in places:
        below.setdefault(str(place[0]) if place else "", []).append(place[1:])
    if not isinstance(value, dict):
        return value
    return {
        key: _without(inner, below[key]) if key in below else inner
        for key, inner in value.items()
        if key not in below or (isinstance(inner, dict) and all(below[key]))
    }


def _refuse(
    model: type[Table], detail: ErrorDetails, path: KeyPath, report: Report, at: Callable[[KeyPath], KeyPath]
) -> None:
    inner = tuple(key for key in detail["loc"] if key != "[key]")
    where = at((*path, *inner))
    if detail["type"] == "extra_forbidden":
        inside = _model_at(model, inner[:-1])
        table = f"{path[0]}.{inner[-2]}" if len(inner) > 1 else path[0]
        refuse_key(report, where, keys(inside), LATER_KEYS.get(str(table), ()))
    else:
        report.add(where, allowed(detail["type"], detail.get("ctx", {}), detail["input"]))


def refuse_key(report: Report, path: KeyPath, known: Iterable[str], later: Iterable[str]) -> None:
    """Report the unknown key at the end of ``path``, with the nearest known one.

    Its value is not shown: it may be a secret whose key is misspelt.
    """
    key, choice = str(path[-1]), sorted(known)
    listed = f"one of {', '.join(choice)}" if choice else "no key at all"
    if key in later:
        report.add(path, f"{listed}; this version of NightOwl does not have {key} yet", "an unknown key")
        return
    near = difflib.get_close_matches(key, choice, n=1, cutoff=0.6)
    suggestion = f"{near[0]} (is that meant?), or " if near else ""
    report.add(path, f"{suggestion}{listed}", "an unknown key")


def keys(model: type[Table] | None) -> list[str]:
    """Return the keys of a table, as TOML writes them."""
    fields = model.model_fields.items() if model else ()
    return [field.alias or name for name, field in fields]


def _model_at(model: type[Table], path: KeyPath) -> type[Table] | None:
    """Return the model of the sub-table at ``path``."""
    inside: type[Table] | None = model
    for key in path:
        if isinstance(key, str):
            inside = _sub_table(inside, key)
    return inside


def _sub_table(model: type[Table] | None, key: str) -> type[Table] | None:
    fields = model.model_fields if model else {}
    field = next((field for name, field in fields.items() if key in (name, field.alias)), None)
    return table_in(field.annotation) if field else None


def table_in(annotation: Any) -> type[Table] | None:
    """Return the table model that an annotation such as ``list[Allowed]`` or ``Auth | None`` speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return annotation
    return next((found for one in getattr(annotation, "__args__", ()) if (found := table_in(one))), None)
