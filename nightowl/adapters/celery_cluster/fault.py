"""What is wrong with a watched cluster's broker, in words and without secrets."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Sequence

from nightowl.adapters.celery_cluster.place import Place
from nightowl.core.redaction import hiding, without_password

_REFUSALS = ("AccessRefused", "NotAllowed", "AuthenticationError", "AuthorizationError", "NoPermissionError")
"""What drivers raise where a user may not. By name, as a driver is imported only where it is used."""

_REDIS_REFUSES = re.compile("NOAUTH|WRONGPASS|NOPERM|ERR AUTH|ERR Client sent AUTH|ERR invalid password")


class NotSupported(Exception):
    """This broker cannot do what is wanted, however often one asks; the message says why, in words for people."""


class CarriesNoEvents(NotSupported):
    """Celery sends no events over this kind of broker; nothing is wrong with it."""


def sentence(places: Sequence[Place], error: BaseException) -> str:
    """Return what an error says of the broker at one of these places."""
    if isinstance(error, NotSupported):
        return str(error)
    broker = "the broker" + (f" at {' or '.join(sorted({each.shown for each in places}))}" if places[0].shown else "")
    causes = list(_causes(error))
    if refusal := next((each for each in causes if _refuses(each)), None):
        text = f"{broker} refuses the user {places[0].user or 'by default'}: {_said(refusal)}"
    elif distrust := next((each for each in causes if isinstance(each, ssl.SSLCertVerificationError)), None):
        text = f"{broker} cannot be trusted: {distrust.verify_message.rstrip('.')}"
    elif isinstance(error, OSError):
        text = f"{broker} does not answer: {_said(error)}"
    else:
        text = f"{broker} gives no events: {_said(error)}"
    return hiding(each.password for each in places if each.password != each.user)(without_password(text))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _refuses(error: BaseException) -> bool:
    return type(error).__name__ in _REFUSALS or bool(_REDIS_REFUSES.match(str(error)))


def _said(error: BaseException) -> str:
    """The first line of what an error says, without the number that the system gives it."""
    text = getattr(error, "reply_text", "") or getattr(error, "strerror", "") or str(error)
    return (text.splitlines() or [type(error).__name__])[0].rstrip(".")
