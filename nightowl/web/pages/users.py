"""People who may sign in, and all tokens: for admins."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from nightowl.core.errors import ConfigurationError, Mistake, Refused
from nightowl.core.values import Author, Role, Token
from nightowl.ports import Store, Unit
from nightowl.web import people
from nightowl.web.handlers import Handlers
from nightowl.web.page import Ask, Page
from nightowl.web.pages.account import ROLES
from nightowl.web.rendering import View
from nightowl.web.site import Site

_DONE = {
    "added": "{} was added.",
    "changed": "{} was changed. Sessions of before have ended.",
    "removed": "{} was removed, with sessions and tokens.",
    "out": "{} was signed out everywhere.",
}


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A user, never with the password's hash."""

    name: str
    role: Role
    origin: str
    disabled: bool
    sessions: int


class UserList(msgspec.Struct, frozen=True, kw_only=True):
    """Users and tokens by name, and what became of a form; ``typed`` is what stood in it."""

    users: list[Person]
    tokens: list[Token]
    done: str = ""
    wrong: str = ""
    typed: str = ""

    @property
    def roles(self) -> tuple[Role, ...]:
        """What there is to choose from."""
        return ROLES


def build(ask: Ask) -> View:
    """List users and tokens."""
    done = next((told.format(ask.query[key]) for key, told in _DONE.items() if key in ask.query), "")
    return view(ask.unit, ask.now, done=done)


def view(unit: Unit, now: float, *, done: str = "", wrong: str = "", typed: str = "") -> View:
    """Show the lists, perhaps with what became of a form."""
    sessions = unit.users.sessions(now)
    users = [
        Person(
            name=user.name,
            role=user.role,
            origin=user.origin,
            disabled=user.disabled,
            sessions=sessions.get(user.name, 0),
        )
        for user in unit.users.all()
    ]
    data = UserList(users=users, tokens=unit.tokens.all(), done=done, wrong=wrong, typed=typed)
    return View(template="users.html", title="Users", data=data, status=422 if wrong else 200)


PAGE = Page(path="/users", build=build, live=False)


class UserActions:
    """What the forms of the users do."""

    def __init__(self, site: Site, handlers: Handlers) -> None:
        self._site = site
        self._handlers = handlers

    def routes(self) -> list[BaseRoute]:
        """All of them; each only takes POST."""
        table: dict[str, Callable[[Request], Response]] = {
            "/users": self.add,
            "/users/{name}/role": self.set_role,
            "/users/{name}/password": self.set_password,
            "/users/{name}/disable": self.disable,
            "/users/{name}/enable": self.enable,
            "/users/{name}/sign-out": self.sign_out,
            "/users/{name}/remove": self.remove,
        }
        return [Route(path, self._told(endpoint), methods=["POST"]) for path, endpoint in table.items()]

    def add(self, request: Request) -> Response:
        """Create a user."""
        name, password = str(request.state.form.get("name", "")).strip(), str(request.state.form.get("password", ""))
        people.add(*self._by(request), name, _role(request), password)
        return self._to("added", name)

    def set_role(self, request: Request) -> Response:
        """Give a user another role."""
        name = request.path_params["name"]
        people.set_role(*self._by(request), name, _role(request))
        return self._to("changed", name)

    def set_password(self, request: Request) -> Response:
        """Give a user another password."""
        name = request.path_params["name"]
        people.set_password(*self._by(request), name, str(request.state.form.get("password", "")))
        return self._to("changed", name)

    def disable(self, request: Request) -> Response:
        """Let a user in no longer."""
        people.set_disabled(*self._by(request), request.path_params["name"], disabled=True)
        return self._to("changed", request.path_params["name"])

    def enable(self, request: Request) -> Response:
        """Let a user in again."""
        people.set_disabled(*self._by(request), request.path_params["name"], disabled=False)
        return self._to("changed", request.path_params["name"])

    def sign_out(self, request: Request) -> Response:
        """End all sessions of a user."""
        people.sign_out(*self._by(request), request.path_params["name"])
        return self._to("out", request.path_params["name"])

    def remove(self, request: Request) -> Response:
        """Forget a user."""
        if request.state.form.get("confirm") != "yes":
            raise Refused("Nobody was removed: the confirmation is missing.")
        people.remove(*self._by(request), request.path_params["name"])
        return self._to("removed", request.path_params["name"])

    def _told(self, endpoint: Callable[[Request], Response]) -> Callable[[Request], Response]:
        """Show what is refused above the list."""

        def told(request: Request) -> Response:
            try:
                return endpoint(request)
            except ConfigurationError as error:
                wrong = " ".join(f"Allowed is {mistake.allowed}." for mistake in error.mistakes)
            except Refused as error:
                wrong = str(error)
            typed = str(request.state.form.get("name", ""))
            now = self._handlers.clock.now()
            return self._site.page(request, lambda unit: view(unit, now, wrong=wrong, typed=typed))

        return told

    def _by(self, request: Request) -> tuple[Store, Author, float]:
        return self._handlers.store, request.state.author, self._handlers.clock.now()

    def _to(self, done: str, name: str) -> Response:
        return RedirectResponse(self._site.url(f"/users?{done}={quote(name, safe='')}"), 303)


def _role(request: Request) -> Role:
    role = str(request.state.form.get("role", ""))
    if role not in ROLES:
        raise ConfigurationError([Mistake(file="", key="role", found=f'"{role[:40]}"', allowed=" or ".join(ROLES))])
    return role
