"""One's own account: password, sessions, and the tokens of one's programs."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from nightowl.core.errors import ConfigurationError, Refused
from nightowl.core.values import Role, Token
from nightowl.ports import Unit
from nightowl.web import people, tokens
from nightowl.web.access import suffices
from nightowl.web.handlers import Handlers
from nightowl.web.page import Ask, Page
from nightowl.web.pages.doors import inside
from nightowl.web.rendering import View
from nightowl.web.sessions import Sessions, client_address
from nightowl.web.site import Site
from nightowl.web.throttle import TooManyTries
from nightowl.web.visitor import Visitor

ROLES: tuple[Role, ...] = ("viewer", "operator", "admin")

LASTING = (("30 days", 30 * 86400.0), ("90 days", 90 * 86400.0), ("a year", 365 * 86400.0), ("for ever", None))
"""How long a token may be wished to last, in seconds."""

DEFAULT_LASTING = "90 days"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a form: ``done`` or what was ``wrong``, or the text of a new ``token``, shown this once."""

    done: str = ""
    wrong: str = ""
    token: str = ""
    status: int = 200


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Who somebody is here; ``changeable``: the password is kept in the store, and so can be changed."""

    name: str
    role: Role
    user: bool
    changeable: bool
    roles: tuple[Role, ...]
    tokens: list[Token]
    told: Told = Told()

    @property
    def lasting(self) -> tuple[str, ...]:
        """How long a token may be wished to last, in words."""
        return tuple(word for word, _ in LASTING)

    @property
    def default_lasting(self) -> str:
        """What is suggested."""
        return DEFAULT_LASTING


def build(ask: Ask) -> View:
    """Show the visitor's own account."""
    assert ask.visitor is not None
    done = "Your password was changed; your other sessions have ended." if "changed" in ask.query else ""
    return view(ask.unit, ask.visitor, Told(done=done))


def view(unit: Unit, visitor: Visitor, told: Told) -> View:
    """Show an account, perhaps with what became of a form."""
    user = unit.users.get(visitor.user) if visitor.user else None
    data = Account(
        name=visitor.name,
        role=visitor.role,
        user=user is not None,
        changeable=user is not None and user.origin == "stored",
        roles=tuple(role for role in ROLES if suffices(visitor.role, role)),
        tokens=[token for token in unit.tokens.all() if token.owner == visitor.user],
        told=told,
    )
    return View(template="account.html", title="Your account", data=data, status=told.status)


PAGE = Page(path="/account", build=build, live=False)


class AccountActions:
    """What the forms of the account do."""

    def __init__(self, site: Site, handlers: Handlers, sessions: Sessions) -> None:
        self._site = site
        self._handlers = handlers
        self._sessions = sessions

    def routes(self) -> list[BaseRoute]:
        """All of them; each only takes POST."""
        table: dict[str, Callable[[Request], Response]] = {
            "/account/password": self.change_password,
            "/account/sign-out": self.sign_out,
            "/account/tokens": self.make_token,
            "/account/tokens/{name}/revoke": self.revoke_token,
        }
        return [Route(path, endpoint, methods=["POST"]) for path, endpoint in table.items()]

    def change_password(self, request: Request) -> Response:
        """Take a new password from who knows the old one; all other sessions end."""
        name, form = request.state.visitor.user, request.state.form
        old, new, again = (str(form.get(key, "")) for key in ("old", "new", "again"))
        if not name:
            raise Refused("Only a user has a password.")
        if new != again:
            return self._tell(request, Told(wrong="The new password was not typed twice the same.", status=422))
        try:
            if self._sessions.check_password(name, old, client_address(request)) is None:
                return self._tell(request, Told(wrong="That is not your present password.", status=403))
            people.set_password(self._handlers.store, request.state.author, self._now(), name, new)
        except TooManyTries as error:
            return self._tell(request, Told(wrong=str(error), status=429))
        except ConfigurationError as error:
            return self._tell(request, Told(wrong=f"Allowed is {error.mistakes[0].allowed}.", status=422))
        answer = RedirectResponse(self._site.url("/account?changed"), 303)
        self._sessions.open(request, answer, name)
        return answer

    def sign_out(self, request: Request) -> Response:
        """End all one's sessions, this one as well."""
        if not request.state.visitor.user:
            raise Refused("Only a user has sessions.")
        people.sign_out(self._handlers.store, request.state.author, self._now(), request.state.visitor.user)
        return RedirectResponse(self._site.url("/login"), 303)

    def make_token(self, request: Request) -> Response:
        """Make a token and show it, this once."""
        visitor, form = request.state.visitor, request.state.form
        name, role, lasting = (str(form.get(key, "")).strip() for key in ("name", "role", "lasting"))
        chosen = dict(LASTING)
        if role not in ROLES or lasting not in chosen:
            return self._tell(request, Told(wrong="Choose a role, and how long the token lasts.", status=422))
        try:
            tokens.confirm_role(visitor, role)
            wish = tokens.Wish(name=name, role=role, owner=visitor.user, lasts=chosen[lasting])
            text = tokens.issue(self._handlers.store, request.state.author, self._now(), wish)
        except ConfigurationError as error:
            return self._tell(request, Told(wrong=f"Allowed is {error.mistakes[0].allowed}.", status=422))
        except Refused as error:
            return self._tell(request, Told(wrong=str(error), status=409))
        return self._tell(request, Told(token=text))

    def revoke_token(self, request: Request) -> Response:
        """End a token at once."""
        name, visitor = request.path_params["name"], request.state.visitor
        tokens.revoke(self._handlers.store, request.state.author, self._now(), name, of=visitor)
        return RedirectResponse(self._site.url(inside(str(request.state.form.get("next", "/account")))), 303)

    def _tell(self, request: Request, told: Told) -> Response:
        return self._site.page(request, lambda unit: view(unit, request.state.visitor, told))

    def _now(self) -> float:
        return self._handlers.clock.now()
