"""What the forms of rules do: define, forget, and try on the past."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from nightowl.core.errors import ConfigurationError, NotFound, Refused
from nightowl.ports import Unit
from nightowl.web import fields, rule_changes, rule_form
from nightowl.web.handlers import Handlers
from nightowl.web.pages import rule_edit
from nightowl.web.pages.rule_edit import Preview, Previewer, RuleForm
from nightowl.web.rendering import View
from nightowl.web.rule_view import SPANS
from nightowl.web.rules_in_force import in_force
from nightowl.web.site import Site


class RuleActions:
    """The endpoints of forms of rules."""

    def __init__(self, site: Site, handlers: Handlers) -> None:
        self._site = site
        self._handlers = handlers
        self._previewer = Previewer(handlers)

    def routes(self) -> list[BaseRoute]:
        """All of them; each only takes POST."""
        table: dict[str, Callable[[Request], Response]] = {
            "/rules/new": self.add,
            "/rules/preview": self.preview,
            "/rules/try": self.try_it,
            "/rules/{name}/edit": self.edit,
            "/rules/{name}/delete": self.delete,
        }
        return [Route(path, endpoint, methods=["POST"]) for path, endpoint in table.items()]

    def add(self, request: Request) -> Response:
        """Define a rule that does not exist yet."""
        name = str(request.state.form.get("name", "")).strip()
        with self._handlers.store.read() as unit:
            taken = name in in_force(self._handlers, unit)
        if taken:
            mistake = {"name": f"There is a rule named {name} already."}
            return self._show(request, name, is_new=True, errors=mistake)
        return self._put(request, name, is_new=True)

    def edit(self, request: Request) -> Response:
        """Define a rule anew; what its form does not know stays."""
        return self._put(request, request.path_params["name"], is_new=False)

    def delete(self, request: Request) -> Response:
        """Forget a rule."""
        if request.state.form.get("confirm") != "yes":
            raise Refused("Nothing was deleted: the confirmation is missing.")
        rule_changes.remove(self._handlers, request.state.author, request.path_params["name"])
        return self._to("/rules")

    def preview(self, request: Request) -> Response:
        """What the rule as it is typed would have done: only that part of the page, for the script that asks."""

        def build(unit: Unit) -> View:
            return View(template="rule_preview.html", title="", data=self._preview(unit, request))

        return self._site.page(request, build)

    def try_it(self, request: Request) -> Response:
        """The same within the whole form, for those who have no script."""
        name = str(request.state.form.get("name", "")).strip()

        def build(unit: Unit) -> View:
            defined = in_force(self._handlers, unit).get(name)
            sheet = self._sheet(unit, request, name, is_new=defined is None)
            read_only = defined is not None and defined.origin == "file"
            return rule_edit.view(replace(sheet, preview=self._preview(unit, request), read_only=read_only))

        return self._site.page(request, build)

    def _put(self, request: Request, name: str, *, is_new: bool) -> Response:
        with self._handlers.store.read() as unit:
            base = self._base(unit, name)
        if base is None and not is_new and name not in self._handlers.rules():
            raise NotFound(f"There is no rule named {name}.")
        values = fields.typed(rule_form.FIELDS, request.state.form)
        try:
            rule_changes.put(self._handlers, request.state.author, name, rule_form.to_spec(values, base or {}))
        except ConfigurationError as error:
            errors, others = rule_form.by_field(error.mistakes, values)
            return self._show(request, name, is_new=is_new, errors=errors, others=others)
        return self._to(f"/rules/{quote(name, safe='')}")

    def _preview(self, unit: Unit, request: Request) -> Preview:
        name = str(request.state.form.get("name", "")).strip()
        values = fields.typed(rule_form.FIELDS, request.state.form)
        base = self._base(unit, name) or {}
        return self._previewer.preview(unit, name, values, base, _last(request))

    def _base(self, unit: Unit, name: str) -> Mapping[str, Any] | None:
        """The definition that is edited."""
        stored = unit.rule_definitions.get(name)
        return stored.spec if stored else None

    def _show(self, request: Request, name: str, *, is_new: bool, **mistakes: Any) -> Response:
        def build(unit: Unit) -> View:
            return rule_edit.view(replace(self._sheet(unit, request, name, is_new=is_new), **mistakes))

        return self._site.page(request, build)

    def _sheet(self, unit: Unit, request: Request, name: str, *, is_new: bool) -> RuleForm:
        return RuleForm(
            name=name,
            is_new=is_new,
            values=fields.typed(rule_form.FIELDS, request.state.form),
            **rule_edit.proposed(self._handlers, unit),
            kept=rule_form.kept(self._base(unit, name) or {}),
            last=_last(request),
        )

    def _to(self, path: str) -> Response:
        return RedirectResponse(self._site.url(path), 303)


def _last(request: Request) -> str:
    asked = str(request.state.form.get("last", ""))
    return asked if asked in SPANS else "3d"
