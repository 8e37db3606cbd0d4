"""Whether a broker answers, told once and without its password."""

from __future__ import annotations

import logging
import threading
from urllib.parse import unquote, urlsplit

from amqp.exceptions import AccessRefused, NotAllowed, NotFound

from nightowl.adapters.celery_bus import tls
from nightowl.adapters.celery_bus.app import BrokerSettings, speaks_tls
from nightowl.core.redaction import without_password

log = logging.getLogger(__name__)

_BY_REDIS = ("AuthenticationError", "AuthorizationError", "NoPermissionError")
"""What redis-py raises for NOAUTH, WRONGPASS and NOPERM. By name, as its import costs 6 MB where no Redis is."""


class Link:
    """What the parts of one process that talk to a broker say of it. A change is logged once, not by each part."""

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._faults: dict[str, str] = {}
        self._told = ""

    @property
    def fault(self) -> str:
        """What is wrong with the broker now, in a sentence; empty: nothing."""
        with self._lock:
            return next(iter(self._faults.values()), "")

    def lost(self, part: str, error: BaseException) -> None:
        """``part`` cannot reach the broker, or cannot use it."""
        text = sentence(self._settings, error)
        with self._lock:
            first = not self._faults and text != self._told
            self._faults[part] = text
            self._told = self._told or text
        if first:
            log.log(logging.INFO if isinstance(error, NotFound) else logging.ERROR, "%s; what can wait, waits", text)

    def works(self, part: str) -> None:
        """``part`` reached the broker."""
        with self._lock:
            self._faults.pop(part, None)
            back = self._told and not self._faults
            if back:
                self._told = ""
        if back:
            log.info("the broker%s answers again", _place(self._settings.url))

    def ended(self, part: str) -> None:
        """``part`` does not talk to the broker any more, which says nothing of the broker."""
        with self._lock:
            self._faults.pop(part, None)


def sentence(settings: BrokerSettings, error: BaseException) -> str:
    """Return what is wrong with a broker, without its password."""
    broker = f"the broker{_place(settings.url)}"
    if refusal := _refusal(error):
        why = getattr(refusal, "reply_text", "") or _first_line(refusal)
        hint = "look at bus.broker (NIGHTOWL_BROKER), and at what this user may do"
        return without_password(f"{broker} refuses the user {_user(settings.url)}: {why.rstrip('.')}; {hint}")
    if speaks_tls(settings) and (meaning := tls.meaning(error, settings.files)):
        return f"{broker} cannot be used: {meaning}"
    if isinstance(error, NotFound):
        return f"{broker} has not all queues yet, which a director makes: {_first_line(error)}"
    return without_password(f"{broker} does not answer: {_first_line(error)}")


def _place(url: str) -> str:
    """Return `` at host:port`` of a broker's URL, or nothing for one that is not elsewhere."""
    place = urlsplit(url).netloc.rpartition("@")[2]
    return f" at {place}" if place else ""


def _refusal(error: BaseException | None) -> BaseException | None:
    """Return what says that we may not, of an error and its causes: RabbitMQ's 403 (530: the virtual host), Redis's."""
    while error and not isinstance(error, (AccessRefused, NotAllowed)) and type(error).__name__ not in _BY_REDIS:
        error = error.__cause__
    return error


def _user(url: str) -> str:
    """Return the name by which a broker knows us. One without a password may be a password in the wrong place."""
    parts = urlsplit(url)
    usual = "default" if parts.scheme.startswith("redis") else "guest"
    return unquote(parts.username) if parts.username and parts.password else usual


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
