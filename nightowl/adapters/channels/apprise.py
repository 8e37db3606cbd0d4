"""Notices to the many services that the library apprise knows, an extra: ``pip install nightowl[apprise]``.

Apprise says whether a service took a message, and logs why not; a service's answer, and how long it wants to be left
alone, stay with it. So a failure is always tried again, unless apprise does not understand the URL.
https://github.com/caronc/apprise/wiki
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import islice
from threading import Thread
from time import monotonic
from typing import Any, ClassVar
from urllib.parse import unquote

from nightowl.core.errors import DeliveryFailed
from nightowl.core.messages import compose, cut
from nightowl.core.notice_template import write
from nightowl.core.redaction import SHORTEST, hiding
from nightowl.core.values import Notice, Severity

log = logging.getLogger(__name__)

EXTRA = "pip install 'nightowl[apprise]'"
"""What makes the kind work."""

_QUOTED = 200
"""Characters of apprise's words that an error quotes at most."""

_TITLE = 500
_TALKING = ("apprise", "requests", "urllib3.connectionpool")
"""The loggers of apprise, and of what it sends most things by."""

_REMEMBERED = 1000
"""Notices whose services so far are remembered at most."""

_ABANDONED = 8
"""Sends of a channel that may go on behind its back; then no more are begun."""


@dataclass(kw_only=True, frozen=True, repr=False)
class Apprise:
    """Sends notices by ``urls``, each of which is a secret as a whole.

    ``template`` may have a ``title`` and a ``body``. ``timeout`` is seconds in all; the services are told side by side.
    One that fails is tried again alone, as long as this process remembers who got the notice.
    """

    groups: ClassVar[bool] = True
    urls: Sequence[str]
    template: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 20.0
    _reached: dict[str, set[int]] = field(default_factory=dict, init=False)
    _going: list[_Delivery] = field(default_factory=list, init=False)

    def send(self, notice: Notice) -> str:
        """Deliver to all, or raise ``DeliveryFailed``; permanent where apprise understands none of the URLs.

        Returns what went otherwise than meant (empty: nothing).
        """
        self._going[:] = [each for each in self._going if each.is_alive()]
        if len(self._going) >= _ABANDONED:
            raise DeliveryFailed(f"{_ABANDONED} earlier sends have not ended yet")
        message, (written, remark) = compose(notice), write(self.template, notice)
        said = {
            "title": cut(" ".join(written.get("title", "").split()), _TITLE) or message.heading,
            "body": written.get("body") or message.text,
            "notify_type": _type(notice),
        }
        reached = self._reached.get(notice.key, set())
        faults = self._deliver([number for number in range(len(self.urls)) if number not in reached], said)
        reached = {*reached, *(number for number in range(len(self.urls)) if number not in faults)}
        return "; ".join(filter(None, [remark, self._settle(notice, reached, faults)]))

    def _deliver(self, numbers: Sequence[int], said: Mapping[str, Any]) -> dict[int, DeliveryFailed]:
        """Send by some of the URLs at once; return what went wrong."""
        deliveries = {number: _Delivery(self.urls[number], said) for number in numbers}
        for delivery in deliveries.values():
            delivery.start()
        deadline = monotonic() + self.timeout
        for delivery in deliveries.values():
            delivery.join(max(0.0, deadline - monotonic()))
        late = [delivery for delivery in deliveries.values() if delivery.is_alive()]
        self._going.extend(late)
        overdue = DeliveryFailed(f"no end within {self.timeout:g} s")
        faults = {number: overdue if one in late else one.fault for number, one in deliveries.items()}
        return {number: fault for number, fault in faults.items() if fault}

    def _settle(self, notice: Notice, reached: set[int], faults: Mapping[int, DeliveryFailed]) -> str:
        """Raise what is to be tried again, or failed altogether; else return what is given up beside what was sent."""
        told = "; ".join(f"urls[{number}] ({_service(self.urls[number])}): {fault}" for number, fault in faults.items())
        self._reached.pop(notice.key, None)
        if any(not fault.permanent for fault in faults.values()):
            self._remember(notice.key, reached)
            raise DeliveryFailed(told)
        if faults and not reached:
            raise DeliveryFailed(told, permanent=True)
        if faults:
            log.warning("notice %s: %s; the other services got it", notice.key, told)
        return told

    def _remember(self, key: str, reached: set[int]) -> None:
        self._reached[key] = reached
        for oldest in list(islice(self._reached, max(0, len(self._reached) - _REMEMBERED))):
            del self._reached[oldest]


class _Delivery(Thread):
    """One message by one URL. Apprise cannot be told to stop, so whoever waits for it may go on without it."""

    def __init__(self, url: str, said: Mapping[str, Any]) -> None:
        super().__init__(name=f"apprise {_service(url)}", daemon=True)
        self._url = url
        self._said = said
        self.fault: DeliveryFailed | None = None

    def run(self) -> None:
        try:
            self.fault = _notify(self._url, self._said)
        except Exception as error:  # noqa: BLE001  # a service's code is anybody's; its words may have the URL in them
            self.fault = DeliveryFailed(f"unexpected {type(error).__name__} in apprise")


_HEARD: ContextVar[list[str] | None] = ContextVar("_HEARD", default=None)
"""What apprise said of the delivery of this thread, and of those that apprise starts for it."""


def _hear(record: logging.LogRecord) -> bool:
    """Note what is said of a delivery, and keep it out of the log: there may be secrets in it."""
    heard = _HEARD.get()
    if heard is not None and record.levelno >= logging.WARNING:
        heard.append(record.getMessage())
    return heard is None


def _notify(url: str, said: Mapping[str, Any]) -> DeliveryFailed | None:
    """Send by one URL; return what went wrong."""
    try:
        import apprise  # noqa: PLC0415 - an extra, and a large one
    except ImportError:
        return DeliveryFailed(f"the channel needs the package apprise: {EXTRA}")
    for name in _TALKING:
        logging.getLogger(name).addFilter(_hear)
    heard: list[str] = []
    _HEARD.set(heard)
    sender = apprise.Apprise(asset=_asset(apprise))
    if not sender.add(url):
        return DeliveryFailed("apprise does not understand the URL", permanent=True)
    if sender.notify(**said, body_format=apprise.NotifyFormat.TEXT):
        return None
    words = " ".join(" ".join(heard).split()) or "apprise could not send it, and does not say why"
    return DeliveryFailed(hiding(_secrets(url))(words)[:_QUOTED])


def _asset(apprise: Any) -> Any:
    """Return how apprise goes about it: in this thread, under NightOwl's name, and following no redirects."""
    return apprise.AppriseAsset(
        app_id="NightOwl", app_desc="NightOwl", async_mode=False, service_timeout=0, http_redirects=False
    )


def _type(notice: Notice) -> str:
    """Return apprise's word for how bad a message is."""
    if notice.step == "resolved":
        return "success"
    if notice.step == "test":
        return "info"
    return {Severity.CRITICAL: "failure", Severity.WARNING: "warning"}.get(notice.incident.severity, "info")


def _secrets(url: str) -> list[str]:
    """Return what is secret in a URL: every word of it, for any of them may be a token, also where a host would be."""
    words = re.split(r"[/?&=#:@,+]", url.partition("://")[2])
    return [url, *(form for word in words if len(word) >= SHORTEST for form in (word, unquote(word)))]


def _service(url: str) -> str:
    """Return which service a URL is for, which is all of it that may be told."""
    return url.partition("://")[0]
