"""Events that workers push, decoded as a broker's are, and kept until the watcher of their cluster takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from nightowl.adapters.celery_cluster.events.decode import Label, Sieve
from nightowl.adapters.celery_cluster.events.serialisation import NOT_READABLE
from nightowl.core.cluster.events import Event, Gap
from nightowl.core.cluster.pushed import MOST, ROOM, Parcel, Taken, Told, by_clock
from nightowl.core.cluster.redact import Redaction
from nightowl.core.cluster.settings import ClusterSettings
from nightowl.core.errors import ConfigurationError, Mistake, NotFound, Unavailable
from nightowl.ports import Clock
from nightowl.ports.inbox import Inbox

__all__ = ["Pushing"]


class Pushing:
    """Keeps what is pushed. Any thread may call it."""

    def __init__(self, clusters: Callable[[], Mapping[str, ClusterSettings]], inbox: Inbox, clock: Clock) -> None:
        self._clusters = clusters
        self._inbox = inbox
        self._clock = clock

    def __call__(self, cluster: str, body: bytes, told: Told) -> Taken:
        """Keep the events of a JSON list; return what became of them.

        Raises ``NotFound`` for a cluster that is not configured, ``ConfigurationError`` for what is no list of at most
        1,000 events, ``Unavailable`` while there is no room or no store.
        """
        settings = self._clusters().get(cluster)
        if settings is None:
            raise NotFound(f"no cluster is called {cluster}")
        sieve = Sieve()
        if not sieve.take(body):
            sieve.take_strange(body, Label())
        events, refused = sieve.empty()
        if not body.lstrip().startswith(b"[") or NOT_READABLE in refused:
            raise _mistaken("something else")
        if len(events) + sum(refused.values()) > MOST:
            raise _mistaken(f"{len(events) + sum(refused.values())} of them")
        _hide(events, Redaction(settings.arguments, settings.redact))
        now = self._clock.now()
        skew = now - told.clock if told.clock else 0.0
        since = min(told.since + skew, now) if told.since else now
        gaps = [Gap(since, now, "workers had to drop events", told.dropped)] if told.dropped else []
        if events or refused or gaps:
            parcel = Parcel(at=now, events=by_clock(events, skew), gaps=gaps, refused=refused)
            if not self._inbox.put(cluster, parcel, ROOM):
                raise Unavailable(f"{ROOM} events of {cluster} wait to be taken by its watcher: send them later")
        return Taken(taken=len(events), refused=refused)


def _hide(events: Iterable[Event], hides: Redaction) -> None:
    """Hide in events what their cluster's settings say, as all that is kept is hidden before."""
    for event in events:
        event.args, event.kwargs = hides.argument(event.args), hides.argument(event.kwargs)
        event.result, event.exception = hides.argument(event.result), hides.text(event.exception)
        event.traceback = hides.text(event.traceback)


def _mistaken(found: str) -> ConfigurationError:
    allowed = f"a list of at most {MOST} events of Celery"
    return ConfigurationError([Mistake(file="", key="body", found=found, allowed=allowed)])
