"""Adding and editing a check by a form, with each mistake beside its field."""

from __future__ import annotations

from typing import Any

import msgspec

from nightowl.core.errors import NotFound, Refused
from nightowl.web import form
from nightowl.web.masking import mask
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View


class CheckForm(msgspec.Struct, frozen=True, kw_only=True):
    """The form as it stands: ``name`` empty for a new check.

    ``others`` are mistakes that belong to no field; ``kept`` are keys that the check has and the form has not.
    """

    name: str
    is_new: bool
    values: dict[str, str]
    locations: tuple[str, ...]
    errors: dict[str, str] = {}
    others: list[str] = []
    kept: tuple[str, ...] = ()

    @property
    def is_heartbeat(self) -> bool:
        """Whether it is the form of a job that calls."""
        return self.values.get("kind") == form.HEARTBEAT

    @property
    def is_task(self) -> bool:
        """Whether it is the form of a check that follows a task."""
        return self.values.get("kind") == form.TASK

    @property
    def groups(self) -> Any:
        """The fields, in their groups."""
        return form.groups_of(self.values.get("kind"))


def build_add(ask: Ask) -> View:
    """An empty form; ``?url=`` fills in the first field, ``?kind=`` is ``heartbeat`` or ``task``."""
    begun = {key: ask.query[key] for key in ("url", "kind") if ask.query.get(key)}
    values = form.to_text(begun)
    return view(CheckForm(name="", is_new=True, values=values, locations=tuple(sorted(ask.handlers.locations()))))


def build_edit(ask: Ask) -> View:
    """The form of a check that the store keeps."""
    name = ask.path["name"]
    stored = ask.unit.checks.get(name)
    if stored is None:
        raise NotFound(f"There is no check named {name}.")
    if stored.origin == "file":
        raise Refused(f"{name} is defined in a configuration file: change it there.")
    values = form.to_text(mask(stored.spec))
    locations = tuple(sorted(ask.handlers.locations()))
    return view(CheckForm(name=name, is_new=False, values=values, locations=locations, kept=form.kept(stored.spec)))


def view(data: CheckForm) -> View:
    """Show the form, perhaps with its mistakes."""
    title = "Add a check" if data.is_new else f"Edit {data.name}"
    return View(template="edit.html", title=title, data=data, status=422 if data.errors or data.others else 200)


ADD = Page(path="/add", build=build_add, live=False)
EDIT = Page(path="/checks/{name}/edit", build=build_edit, live=False)
