"""The way in: signing in and out, and creating the first user."""

from __future__ import annotations

import base64
import hmac
import logging
import os
import re
from hashlib import sha256
from pathlib import Path

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from nightowl.core.errors import ConfigurationError, Mistake, NotFound
from nightowl.core.values import Author
from nightowl.web import passwords, people
from nightowl.web.handlers import Handlers
from nightowl.web.rendering import View
from nightowl.web.sessions import Sessions, client_address
from nightowl.web.site import Site
from nightowl.web.throttle import TooManyTries

PASSWORD_FILE = "NIGHTOWL_ADMIN_PASSWORD_FILE"  # noqa: S105  # the name of a variable, no password
ADMIN = "admin"

_log = logging.getLogger(__name__)


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """What the sign-in and set-up forms show: what was typed (never passwords) and what was wrong with it."""

    name: str = ""
    token: str = ""
    next: str = "/"
    mistake: str = ""


class Doors:
    """The endpoints of signing in and out."""

    def __init__(self, site: Site, handlers: Handlers, sessions: Sessions) -> None:
        self._site = site
        self._handlers = handlers
        self._sessions = sessions
        self._way_in = ""

    def prepare(self) -> None:
        """Make sure that somebody can get in: by the password file, else by a one-time link, see ``tell_way_in``.

        Raises ``ConfigurationError`` for a password file that cannot be used.
        """
        settings = self._handlers.settings
        if settings.is_loopback and not settings.public_url:
            return
        if self._sessions.anybody():
            return
        path = os.environ.get(PASSWORD_FILE)
        if path:
            if self._create(Author("file", PASSWORD_FILE), ADMIN, _password_from(path)):
                _log.info("The user %s was created with the password of %s.", ADMIN, PASSWORD_FILE)
            return
        self._way_in = f"{settings.url_prefix}/setup?token={self._setup_token()}"

    def tell_way_in(self, address: str) -> None:
        """Log the one-time link, if one is needed, once the server answers at ``address`` (empty: at a socket file)."""
        settings = self._handlers.settings
        if not self._way_in:
            return
        if settings.public_url:
            link = settings.public_url.rstrip("/") + self._way_in.removeprefix(settings.url_prefix)
        else:
            link = address + self._way_in
        if settings.is_loopback:
            _log.info("This machine needs no sign-in. For others, create the first user at %s", link)
        else:
            _log.warning("Nobody can sign in yet. Create the first user at %s", link)

    def login(self, request: Request) -> Response:
        """Show the form, or take what was typed into it."""
        if request.method != "POST":
            if not self._sessions.anybody():
                return RedirectResponse(self._site.url("/setup"), 303)
            return self._login_form(request, Door(next=request.query_params.get("next", "/")))
        form = request.state.form
        name, password, wanted = (str(form.get(key, "")) for key in ("name", "password", "next"))
        try:
            user = self._sessions.check_password(name, password, client_address(request))
        except TooManyTries as error:
            answer = self._login_form(request, Door(name=name, next=wanted, mistake=str(error)), 429)
            answer.headers["Retry-After"] = str(error.wait)
            return answer
        if user is None:
            return self._login_form(request, Door(name=name, next=wanted, mistake="Name or password is wrong."), 403)
        answer = RedirectResponse(self._site.url(inside(wanted)), 303)
        self._sessions.open(request, answer, user.name)
        return answer

    def logout(self, request: Request) -> Response:
        """End the session."""
        answer = RedirectResponse(self._site.url("/login"), 303)
        self._sessions.close(request, answer)
        return answer

    def setup(self, request: Request) -> Response:
        """Create the first user, who proves by the token to be able to read the log."""
        if self._sessions.anybody():
            raise NotFound("This installation is set up already.")
        if request.method != "POST":
            return self._setup_form(request, Door(name=ADMIN, token=request.query_params.get("token", "")))
        form = request.state.form
        name, password, token = (str(form.get(key, "")) for key in ("name", "password", "token"))
        mistake = self._setup_mistake(name, password, token)
        if mistake:
            return self._setup_form(request, Door(name=name, token=token, mistake=mistake), 403)
        if not self._create(request.state.author, name, password):
            raise NotFound("This installation is set up already.")
        answer = RedirectResponse(self._site.url("/"), 303)
        self._sessions.open(request, answer, name)
        return answer

    def _setup_mistake(self, name: str, password: str, token: str) -> str:
        if not hmac.compare_digest(token.encode(errors="replace"), self._setup_token().encode()):
            return "The token is wrong: take the one that the web role wrote to its log."
        allowed = passwords.name_mistake(name) or passwords.mistake(password)
        return f"Allowed is {allowed}." if allowed else ""

    def _setup_token(self) -> str:
        """The same in every web process of this installation, and of no other."""
        with self._handlers.store.read() as unit:
            installation = unit.users.installation()
        signed = hmac.digest(self._handlers.settings.secret_key, f"setup\0{installation}".encode(), sha256)
        return base64.urlsafe_b64encode(signed[:24]).decode()

    def _create(self, author: Author, name: str, password: str) -> bool:
        return people.add_first(self._handlers.store, author, self._handlers.clock.now(), name, password)

    def _login_form(self, request: Request, data: Door, status: int = 200) -> Response:
        return self._site.plain(request, View(template="login.html", title="Sign in", data=data, status=status))

    def _setup_form(self, request: Request, data: Door, status: int = 200) -> Response:
        return self._site.plain(request, View(template="setup.html", title="First user", data=data, status=status))


def inside(path: str) -> str:
    """A path to go on to, where it is one of ours; else the first page. Never another site."""
    return path if re.match(r"/(?![/\\])", path) and path.isprintable() else "/"


def _password_from(path: str) -> str:
    try:
        password = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        found = f'"{path}" ({error.strerror if isinstance(error, OSError) else "not text"})'
        raise _unusable(found) from None
    if mistake := passwords.mistake(password):
        raise _unusable(f'"{path}": {mistake}')
    return password


def _unusable(found: str) -> ConfigurationError:
    allowed = f"a readable file with a password of at least {passwords.LEAST} characters"
    return ConfigurationError([Mistake(file="", key=PASSWORD_FILE, found=found, allowed=allowed)])
