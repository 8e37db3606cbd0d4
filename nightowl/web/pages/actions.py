"""What the buttons and forms of the pages do: plain POSTs that answer with a page or lead to one."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from nightowl.core.errors import ConfigurationError, DeliveryFailed, NotFound, Refused
from nightowl.web import changes, form, heartbeats
from nightowl.web.handlers import Handlers
from nightowl.web.pages import channels, edit
from nightowl.web.pages.doors import inside
from nightowl.web.rendering import View
from nightowl.web.sessions import Sessions
from nightowl.web.site import KEYS_COOKIE, THEME_COOKIE, THEMES, Site
from nightowl.web.words import iso

_YEAR = 365 * 86400


class Actions:
    """The endpoints that change something."""

    def __init__(self, site: Site, handlers: Handlers, sessions: Sessions) -> None:
        self._site = site
        self._handlers = handlers
        self._sessions = sessions

    def routes(self) -> list[BaseRoute]:
        """All of them; each only takes POST."""
        table: dict[str, Callable[[Request], Response]] = {
            "/add": self.add,
            "/checks/{name}/edit": self.edit,
            "/checks/{name}/pause": self.pause,
            "/checks/{name}/resume": self.resume,
            "/checks/{name}/run": self.run,
            "/checks/{name}/new-url": self.new_url,
            "/checks/{name}/delete": self.delete,
            "/incidents/{id}/acknowledge": self.acknowledge,
            "/channels/{name}/test": self.test_channel,
            "/preferences": self.preferences,
        }
        return [Route(path, endpoint, methods=["POST"]) for path, endpoint in table.items()]

    def add(self, request: Request) -> Response:
        """Define a check that does not exist yet."""
        name = str(request.state.form.get("name", "")).strip()
        with self._handlers.store.read() as unit:
            taken = unit.checks.get(name) is not None
        values = form.typed(request.state.form)
        if taken:
            return self._page(request, self._sheet(values, name, {"name": f"There is a check named {name} already."}))
        return self._put(request, values, name, is_new=True)

    def edit(self, request: Request) -> Response:
        """Define a check anew; what its form does not know stays."""
        return self._put(request, form.typed(request.state.form), request.path_params["name"], is_new=False)

    def pause(self, request: Request) -> Response:
        """Let a check rest."""
        changes.pause(self._handlers, request.state.author, request.path_params["name"], paused=True)
        return self._to_check(request)

    def resume(self, request: Request) -> Response:
        """Let a check run again."""
        changes.pause(self._handlers, request.state.author, request.path_params["name"], paused=False)
        return self._to_check(request)

    def run(self, request: Request) -> Response:
        """Ask for a round now."""
        changes.run_now(self._handlers, request.state.author, request.path_params["name"])
        asked = iso(self._handlers.clock.now())
        return self._to(f"/checks/{quote(request.path_params['name'], safe='')}?asked={asked}")

    def new_url(self, request: Request) -> Response:
        """Give a heartbeat another URL."""
        name = request.path_params["name"]
        if request.state.form.get("confirm") != "yes":
            raise Refused("The URL is as it was: the confirmation is missing.")
        key, now = self._handlers.settings.secret_key, self._handlers.clock.now()
        heartbeats.renew(self._handlers.store, key, name, request.state.author, now)
        return self._to_check(request)

    def delete(self, request: Request) -> Response:
        """Forget a check."""
        if request.state.form.get("confirm") != "yes":
            raise Refused("Nothing was deleted: the confirmation is missing.")
        changes.remove(self._handlers, request.state.author, request.path_params["name"])
        return self._to("/checks")

    def acknowledge(self, request: Request) -> Response:
        """Take care of an incident."""
        incident, author = request.path_params["id"], request.state.author
        with self._handlers.store.read() as unit:
            before = unit.incidents.get(incident)
        lasts = self._lasts(str(request.state.form.get("for", "")))
        self._handlers.acknowledge(incident, author, lasts)
        if before and before.acknowledged and before.acknowledged_by != author.name and lasts is None:
            return self._to(f"/incidents/{quote(incident, safe='')}?already=1")
        return self._to(inside(str(request.state.form.get("next") or f"/incidents/{quote(incident, safe='')}")))

    def _lasts(self, text: str) -> float | None:
        try:
            return self._handlers.parse_duration(text) if text else None
        except ValueError:
            raise Refused(f'Nobody took care: "{text[:50]}" is no time such as 1h.') from None

    def test_channel(self, request: Request) -> Response:
        """Send a test notice, and say what became of it."""
        name = request.path_params["name"]
        failure = remark = ""
        try:
            remark = changes.test_channel(self._handlers, request.state.author, name)
        except DeliveryFailed as error:
            failure = str(error)
        data = channels.ChannelList(
            channels=tuple(self._handlers.channels()), tested=name, failure=failure, remark=remark
        )
        return self._page(request, channels.view(data))

    def preferences(self, request: Request) -> Response:
        """Remember theme and keys in cookies of this browser."""
        answer = self._to(inside(str(request.state.form.get("next", "/"))))
        options = self._sessions.cookies(request).options(_YEAR)
        theme, keys = (str(request.state.form.get(key, "")) for key in ("theme", "keys"))
        if theme in THEMES:
            answer.set_cookie(THEME_COOKIE, theme, **options)
        if keys in ("on", "off"):
            answer.set_cookie(KEYS_COOKIE, keys, **options)
        return answer

    def _put(self, request: Request, values: dict[str, str], name: str, *, is_new: bool) -> Response:
        with self._handlers.store.read() as unit:
            stored = unit.checks.get(name)
        if stored is None and not is_new:
            raise NotFound(f"There is no check named {name}.")
        base = stored.spec if stored else {}
        try:
            changes.put_checks(self._handlers, request.state.author, {name: form.to_spec(values, base)})
        except ConfigurationError as error:
            errors, others = form.by_field(error.mistakes, values)
            return self._page(request, self._sheet(values, name, errors, others, form.kept(base), is_new=is_new))
        return self._to_check(request, name)

    def _sheet(
        self,
        values: dict[str, str],
        name: str,
        errors: dict[str, str],
        others: list[str] | None = None,
        kept: tuple[str, ...] = (),
        *,
        is_new: bool = True,
    ) -> View:
        data = edit.CheckForm(
            name=name,
            is_new=is_new,
            values=values,
            locations=tuple(sorted(self._handlers.locations())),
            errors=errors,
            others=others or [],
            kept=kept,
        )
        return edit.view(data)

    def _page(self, request: Request, view: View) -> Response:
        return self._site.page(request, lambda _: view)

    def _to_check(self, request: Request, name: str = "") -> Response:
        return self._to(f"/checks/{quote(name or request.path_params['name'], safe='')}")

    def _to(self, path: str) -> Response:
        return RedirectResponse(self._site.url(path), 303)
