"""Silences: those that hold, come and are over, a form that makes one, and a button that ends one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import quote

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from nightowl.core.errors import ConfigurationError, Mistake, NotFound, Refused
from nightowl.core.values import Incident, Silence
from nightowl.ports import Unit
from nightowl.web import silences
from nightowl.web.handlers import Handlers
from nightowl.web.page import Ask, Page
from nightowl.web.rendering import View
from nightowl.web.site import Site
from nightowl.web.words import instant
from nightowl.web.written import odd_line, read_pairs

OVER = 50
"""Silences that are over and still listed."""

FIELDS = ("match", "lasts", "start", "end", "comment")
"""What the form asks for; all of it is text."""

_LOOKED_AT = 200
_PATTERN = re.compile(r"([*?[])")
_DONE = {"made": "Silence #{} holds until it ends.", "ended": "Silence #{} has ended."}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A silence as listed: ``state`` is ``active``, ``coming`` or ``over``, ``holds`` counts what it holds back now."""

    silence: Silence
    state: str
    holds: int


class SilenceList(msgspec.Struct, frozen=True, kw_only=True):
    """Silences, those that end soonest first and then what is over; and what became of the form.

    ``typed`` is what stood in the form, ``wrong`` the mistakes by field.
    """

    rows: tuple[Row, ...]
    typed: Mapping[str, str]
    done: str = ""
    wrong: Mapping[str, str] = {}
    refused: str = ""


def build(ask: Ask) -> View:
    """List silences; the address may fill in the form."""
    made = ((key, ask.query.get(key, "")[:9]) for key in _DONE)
    done = next((_DONE[key].format(number) for key, number in made if number.isdecimal()), "")
    typed = {field: ask.query.get(field, "")[:2000] for field in FIELDS}
    return view(ask.unit, ask.now, typed, done=done)


def view(
    unit: Unit,
    now: float,
    typed: Mapping[str, str],
    *,
    done: str = "",
    wrong: Mapping[str, str] | None = None,
    refused: str = "",
) -> View:
    """Show the lists and the form, perhaps with what became of it."""
    held = [one.suppressed for one in unit.incidents.open() if one.suppressed]
    counts = [one.by for one in held if one.kind == "silence"]
    known = {each.id: each for each in (*unit.silences.lasting(now), *unit.silences.page(0, _LOOKED_AT)[0])}
    rows = [Row(silence=one, state=state(one, now), holds=counts.count(str(one.id))) for one in known.values()]
    over = [row for row in rows if row.state == "over"][:OVER]
    lasting = [row for row in rows if row.state != "over"]
    data = SilenceList(rows=(*lasting, *over), typed=typed, done=done, wrong=wrong or {}, refused=refused)
    status = 409 if refused else 422 if wrong else 200
    return View(template="silences.html", title="Silences", data=data, status=status)


def state(silence: Silence, now: float) -> str:
    """``active``, ``coming`` or ``over``."""
    return {"ended": "over", "pending": "coming"}.get(silences.state(silence, now), "active")


def meant_by(incident: Incident) -> str:
    """Return what the form's field for incidents says to mean those of one subject."""
    return "name=" + _PATTERN.sub(r"[\1]", incident.subject)


PAGE = Page(path="/silences", build=build)


class SilenceActions:
    """What the forms of the silences do."""

    def __init__(self, site: Site, handlers: Handlers) -> None:
        self._site = site
        self._handlers = handlers

    def routes(self) -> list[BaseRoute]:
        """All of them; each only takes POST."""
        table: dict[str, Callable[[Request], Response]] = {"/silences": self.add, "/silences/{number}/end": self.end}
        return [Route(path, endpoint, methods=["POST"]) for path, endpoint in table.items()]

    def add(self, request: Request) -> Response:
        """Make a silence."""
        typed = _typed(request.state.form)
        try:
            wish = self._wish(typed)
            made = silences.silence(self._handlers.store, request.state.author, self._handlers.clock.now(), wish)
        except ConfigurationError as error:
            return self._page(request, typed, wrong=_by_field(error.mistakes))
        return self._to("made", made.id)

    def end(self, request: Request) -> Response:
        """End one now."""
        number = request.path_params["number"]
        if not number.isdecimal() or len(number) > 9:
            raise NotFound(f"There is no silence #{number[:20]}.")
        try:
            silences.end(self._handlers.store, request.state.author, self._handlers.clock.now(), int(number))
        except Refused as error:
            return self._page(request, dict.fromkeys(FIELDS, ""), refused=str(error))
        return self._to("ended", int(number))

    def _wish(self, typed: Mapping[str, str]) -> silences.Wish:
        """Read the form. Raises ``ConfigurationError`` with every text that cannot be read."""
        mistakes: list[Mistake] = []

        def read(field: str, how: Callable[[str], float], allowed: str) -> float | None:
            try:
                return how(typed[field]) if typed[field] else None
            except (ValueError, OverflowError):
                mistakes.append(Mistake(file="", key=field, found=f'"{typed[field][:40]}"', allowed=allowed))
                return None

        start = read("start", instant, "a moment such as 2026-11-30T22:00")
        end = read("end", instant, "a moment such as 2026-11-30T23:30")
        lasts = read("lasts", self._handlers.parse_duration, "a time such as 2h or 90m") if not typed["end"] else None
        if odd := odd_line(typed["match"], "="):
            allowed = "name=pattern, each name once"
            mistakes.append(Mistake(file="", key="match", found=f'"{odd[:80]}"', allowed=allowed))
        if mistakes:
            raise ConfigurationError(mistakes)
        match = read_pairs("=")(typed["match"])
        return silences.Wish(match=match, start=start, end=end, lasts=lasts, comment=typed["comment"])

    def _page(self, request: Request, typed: Mapping[str, str], **became: object) -> Response:
        now = self._handlers.clock.now()
        return self._site.page(request, lambda unit: view(unit, now, typed, **became))  # type: ignore[arg-type]

    def _to(self, done: str, number: int) -> Response:
        return RedirectResponse(self._site.url(f"/silences?{done}={quote(str(number))}"), 303)


def _typed(form: FormData) -> dict[str, str]:
    return {field: str(form.get(field, "")).strip() for field in FIELDS}


def _by_field(mistakes: tuple[Mistake, ...]) -> dict[str, str]:
    """Return what to say beside each field; of several mistakes in one, all."""
    said: dict[str, str] = {}
    for mistake in mistakes:
        field = mistake.key.partition(".")[0]
        text = f"Found {mistake.found}, allowed is {mistake.allowed}."
        said[field] = f"{said[field]} {text}" if field in said else text
    return said
