"""What the buttons and forms of clusters' pages do. Each answers with a page: what workers said, or what is to confirm.

What must be confirmed comes back with everything that was typed, and a button that repeats it confirmed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec
from starlette._utils import get_route_path
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from nightowl.core.cluster.answers import shown
from nightowl.core.cluster.command import Answer
from nightowl.core.cluster.commands import Forbidden, Unconfirmed, prepare, spec_of
from nightowl.core.cluster.person import Many, Person
from nightowl.core.cluster.task import TaskFilter
from nightowl.core.errors import ConfigurationError, Mistake, NotFound, Refused, Unavailable
from nightowl.web.cluster_head import ClusterHead, head, known
from nightowl.web.handlers import Handlers
from nightowl.web.pages.tasks import KEYS, filter_of
from nightowl.web.remote import Remote
from nightowl.web.rendering import View
from nightowl.web.site import Site
from nightowl.web.words import plural, sentence

T = TypeVar("T")

_OWN = frozenset({"csrf", "confirm", "confirmed"})
"""Fields that are not repeated when something is to be confirmed."""

_TIMEOUT = 2.0
"""Seconds that workers are given to answer somebody who waits for it."""


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, in a sentence; what workers answered; and the page of what came of it (empty: none)."""

    sentence: str
    answers: tuple[Answer, ...] = ()
    notes: tuple[str, ...] = ()
    leads: str = ""
    leads_to: str = ""

    @property
    def fine(self) -> bool:
        """Whether nobody refused or was silent, and nothing was left out."""
        return not self.notes and not any(answer.error or answer.silent for answer in self.answers)


class DeedPage(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an action. ``done`` is None where it is to be confirmed, or ``refused``.

    ``again`` are the fields with which the form at ``path`` is sent once more to confirm ``asks``; ``back`` is the page
    that it came from.
    """

    head: ClusterHead
    back: str
    path: str
    done: Done | None = None
    refused: str = ""
    mistakes: tuple[str, ...] = ()
    asks: str = ""
    again: tuple[tuple[str, str], ...] = ()


Deed = Callable[[Request, Remote, Person], Done]


class ClusterActions:
    """The endpoints that act on clusters."""

    def __init__(self, site: Site, handlers: Handlers) -> None:
        self._site = site
        self._handlers = handlers

    def routes(self) -> list[BaseRoute]:
        """All of them; each only takes POST."""
        table: dict[str, tuple[str, Deed]] = {
            "/commands": ("/workers/{worker}", self._command),
            "/tasks/revoke": ("/tasks", self._revoke_many),
            "/tasks/retry": ("/tasks", self._retry_many),
            "/tasks/{uuid:path}/revoke": ("/tasks/{uuid}", self._revoke),
            "/tasks/{uuid:path}/retry": ("/tasks/{uuid}", _retry),
            "/tasks/{uuid:path}/abort": ("/tasks/{uuid}", _abort),
            "/queues/{queue:path}/purge": ("/queues/{queue}", _purge),
            "/beat/{entry:path}/run": ("/beat", _run),
            "/send": ("/send", _send),
        }
        return [
            Route(f"/clusters/{{cluster}}{end}", self._endpoint(back, deed), methods=["POST"])
            for end, (back, deed) in table.items()
        ]

    def _endpoint(self, back: str, deed: Deed) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            cluster = known(self._handlers, request.path_params["cluster"])
            form = request.state.form
            words = {**request.path_params, "worker": str(form.get("worker", ""))}
            place = back.format_map({key: quote(word, safe="") for key, word in words.items()})
            page = DeedPage(
                head=self._head(cluster),
                back=f"/clusters/{quote(cluster, safe='')}{place}{_filter(form)}",
                path=quote(get_route_path(request.scope)),
            )
            return self._answer(request, page, deed)

        return endpoint

    def _head(self, cluster: str) -> ClusterHead:
        settings, state = self._handlers.clusters()[cluster], self._handlers.tasks.state(cluster)
        with self._handlers.store.read() as unit:
            incidents = unit.incidents.open()
        return head(settings, state, incidents, self._handlers.clock.now())

    def _answer(self, request: Request, page: DeedPage, deed: Deed) -> Response:
        by = Person(request.state.author, request.state.visitor.role)
        status = 200
        try:
            page = msgspec.structs.replace(page, done=deed(request, self._handlers.remote(page.head.name), by))
        except Unconfirmed as error:
            page = _to_confirm(page, request.state.form, error)
        except ConfigurationError as error:
            mistakes = tuple(f"{each.key}: {each.found} cannot be. Allowed: {each.allowed}." for each in error.mistakes)
            page, status = msgspec.structs.replace(page, refused="That cannot be asked.", mistakes=mistakes), 422
        except (Refused, Unavailable, NotFound) as error:
            page, status = msgspec.structs.replace(page, refused=str(error)), _status(error)
        view = View(template="cluster/deed.html", title=f"Control of {page.head.name}", data=page, status=status)
        return self._site.page(request, lambda _: view)

    def _command(self, request: Request, remote: Remote, by: Person) -> Done:
        form, name = request.state.form, str(request.state.form.get("command", ""))
        worker = str(form.get("worker", ""))
        spec = spec_of(name)
        typed = {each.name: str(form.get(each.name, "")).strip() for each in spec.parameters}
        given = {key: text for key, text in typed.items() if text}
        answers = remote.command(
            by, name, given, [worker] if worker else [], confirmed=_is_confirmed(form), timeout=_TIMEOUT
        )
        said = spec.says(prepare(name, given).arguments)
        return Done(sentence=f"{worker or 'All workers'} was asked to {said}.", answers=self._shown(request, answers))

    def _revoke(self, request: Request, remote: Remote, by: Person) -> Done:
        form, uuid = request.state.form, request.path_params["uuid"]
        ending = {"terminate": True, "signal": str(form.get("signal", ""))} if form.get("terminate") else {}
        answers = remote.command(
            by, "revoke", {"ids": [uuid], **ending}, confirmed=_is_confirmed(form), timeout=_TIMEOUT
        )
        asked = "end it where it runs" if ending else "leave it out when its turn comes"
        return Done(sentence=f"All workers were asked to {asked}.", answers=self._shown(request, answers))

    def _revoke_many(self, request: Request, remote: Remote, by: Person) -> Done:
        done = remote.revoke_many(by, self._wanted(request), confirmed=_count(request.state.form))
        return Done(sentence=f"Workers were told to leave out {plural(done.done, 'task')}.", notes=_notes(done))

    def _retry_many(self, request: Request, remote: Remote, by: Person) -> Done:
        done = remote.retry_many(by, self._wanted(request), confirmed=_count(request.state.form))
        return Done(sentence=f"{plural(done.done, 'task')} sent again.", notes=_notes(done))

    def _wanted(self, request: Request) -> TaskFilter:
        """What the list shows from which all of its tasks are acted on."""
        names = self._handlers.tasks.names(request.path_params["cluster"])
        return filter_of(_asked(request.state.form), names)

    def _shown(self, request: Request, answers: list[Answer]) -> tuple[Answer, ...]:
        return tuple(shown(answers, self._handlers.clusters()[request.path_params["cluster"]]))


def _retry(request: Request, remote: Remote, by: Person) -> Done:
    return _sent(request, remote.retry(by, request.path_params["uuid"]), "Sent again, with the same arguments.")


def _run(request: Request, remote: Remote, by: Person) -> Done:
    entry = request.path_params["entry"]
    return _sent(request, remote.run(by, entry), f"{entry} was sent now, beside its schedule.")


def _abort(request: Request, remote: Remote, by: Person) -> Done:
    remote.abort(by, request.path_params["uuid"])
    return Done(sentence="The task was asked to end by itself. It does when it looks, if it is an AbortableTask.")


def _purge(request: Request, remote: Remote, by: Person) -> Done:
    queue = request.path_params["queue"]
    count = remote.purge(by, queue, confirmed=_is_confirmed(request.state.form))
    return Done(sentence=f"{plural(count, 'message')} of {queue} deleted.")


def _send(request: Request, remote: Remote, by: Person) -> Done:
    form = request.state.form
    task, args, kwargs = str(form.get("task", "")).strip(), _typed(form, "args", list), _typed(form, "kwargs", dict)
    typed = {key: str(form.get(key, "")).strip() for key in ("queue", "countdown", "expires")}
    options = {key: text for key, text in typed.items() if text}
    return _sent(request, remote.send(by, task, args, kwargs, options), f"{task} was sent.")


def _typed(form: FormData, key: str, kind: type[T]) -> T:
    """Arguments that somebody typed as JSON; nothing typed: none."""
    text = str(form.get(key, "")).strip()
    try:
        return msgspec.json.decode(text, type=kind) if text else kind()
    except (msgspec.DecodeError, RecursionError):
        allowed = 'a list as JSON, such as [42, "card"]' if kind is list else 'an object as JSON, such as {"order": 42}'
        raise ConfigurationError([Mistake(file="", key=key, found="something else", allowed=allowed)]) from None


def _sent(request: Request, uuid: str, told: str) -> Done:
    cluster = quote(request.path_params["cluster"], safe="")
    return Done(sentence=told, leads=f"/clusters/{cluster}/tasks/{quote(uuid, safe='')}", leads_to=uuid)


def _to_confirm(page: DeedPage, form: FormData, error: Unconfirmed) -> DeedPage:
    if error.count == 0:
        return msgspec.structs.replace(page, refused="There is nothing to do: no such task, or none that waits.")
    kept = tuple((key, str(value)) for key, value in form.multi_items() if key not in _OWN)
    counted = () if error.count is None else (("confirmed", str(error.count)),)
    asks = sentence(str(error).partition(": ")[2])
    return msgspec.structs.replace(page, asks=asks, again=(*kept, *counted, ("confirm", "yes")))


def _status(error: Exception) -> int:
    kinds = ((NotFound, 404), (Forbidden, 403), (Refused, 409))
    return next((status for kind, status in kinds if isinstance(error, kind)), 503)


def _asked(form: FormData) -> dict[str, str]:
    return {key: str(form.get(key, "")).strip() for key in KEYS}


def _filter(form: FormData) -> str:
    """The query of the list that a form for all of its tasks stands on (of another form: nothing)."""
    asked = {key: text for key, text in _asked(form).items() if text and "command" not in form}
    return f"?{urlencode(asked)}" if asked else ""


def _count(form: FormData) -> int | None:
    text = str(form.get("confirmed", ""))
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _is_confirmed(form: FormData) -> bool:
    return form.get("confirm") == "yes"


def _notes(done: Many) -> tuple[str, ...]:
    return tuple(f"{plural(count, 'task')} left out: {why}" for why, count in sorted(done.refused.items()))
