"""What machines ask without signing in: liveness, readiness and metrics in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from nightowl.core.errors import Unavailable
from nightowl.core.values import CheckState, Place, Sample, State
from nightowl.web.handlers import Handlers
from nightowl.web.phases import present

MEDIA_TYPE = "text/plain; version=0.0.4"
FRESH = 300.0
"""Seconds after which an appended sample is too old to be shown."""

Labels = Sequence[tuple[str, str]]
_Line = tuple[str, Labels, float]

_HELP = {
    "check_up": "Whether the location found the check up in its last round (1, degraded included) or down (0).",
    "check_duration_seconds": "Seconds that each phase of the kept attempt of the last round took.",
    "check_certificate_expiry_seconds": "When the certificate that the location saw ends, in Unix seconds.",
}


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Whether NightOwl can do its work; ``problems`` names what it cannot reach."""

    ready: bool
    problems: list[str]


class Exposition:
    """The open endpoints."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        return [
            Route("/health", self.health),
            Route("/healthcheck", self.health),
            Route("/ready", self.ready),
            Route("/metrics", self.metrics),
        ]

    async def health(self, _: Request) -> Response:
        """Answer, which is all that liveness asks."""
        return PlainTextResponse("OK")

    def ready(self, _: Request) -> Response:
        """Answer 200, or 503 with what cannot be reached."""
        problems = list(self._handlers.problems())
        try:
            self._handlers.store.ping()
        except Unavailable as error:
            problems = list(dict.fromkeys([str(error), *problems]))
        body = msgspec.json.encode(Ready(ready=not problems, problems=problems))
        return Response(body, 503 if problems else 200, media_type="application/json")

    def metrics(self, _: Request) -> Response:
        """Show the last round of every check, and the newest sample of every other series."""
        with self._handlers.store.read() as unit:
            paused = {stored.name for stored in unit.checks.all() if stored.paused}
            states = [state for state in unit.rounds.states() if state.check not in paused]
            samples = unit.series.latest(self._handlers.clock.now() - FRESH)
        return Response(exposition(states, samples), media_type=MEDIA_TYPE)


def exposition(states: Iterable[CheckState], samples: Iterable[Sample]) -> str:
    """States and samples as text, each family under its head. What states tell, samples do not repeat."""
    families: dict[str, list[str]] = {}
    for name, labels, value in _of_states(states):
        families.setdefault(name, []).append(_line(name, labels, value))
    told = frozenset(_HELP)
    for sample in samples:
        if sample.metric not in told:
            families.setdefault(sample.metric, []).append(_line(sample.metric, sample.labels, sample.value))
    return "".join(_family(name, lines) for name, lines in families.items())


def _of_states(states: Iterable[CheckState]) -> Iterator[_Line]:
    for state in states:
        for place in state.last.places if state.last else ():
            if place.voted:
                yield from _of_place((("check", state.check), ("location", place.location)), place)


def _of_place(labels: tuple[tuple[str, str], ...], place: Place) -> Iterator[_Line]:
    yield "check_up", labels, float(place.state in (State.UP, State.DEGRADED))
    for phase, seconds in present(place.phases):
        yield "check_duration_seconds", (*labels, ("phase", phase)), seconds
    if place.certificate_expiry is not None:
        yield "check_certificate_expiry_seconds", labels, place.certificate_expiry


def _family(name: str, lines: list[str]) -> str:
    head = f"# HELP {name} {_HELP[name]}\n# TYPE {name} gauge\n" if name in _HELP else f"# TYPE {name} untyped\n"
    return head + "".join(lines)


def _line(name: str, labels: Labels, value: float) -> str:
    written = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
    return f"{name}{{{written}}} {value!r}\n" if written else f"{name} {value!r}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
