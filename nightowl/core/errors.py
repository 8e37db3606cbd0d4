"""The errors that NightOwl raises on purpose.

::

    NightOwlError
    |-- ConfigurationError      what the user wrote cannot work; carries every mistake found
    |-- Unavailable             an outside part (store, broker, receiver) cannot be reached now
    |   |-- StoreUnavailable
    |   |   `-- StoreUnusable   ... and waiting will not mend that
    |   `-- BusUnavailable
    |-- SchemaOutdated          the store's schema is not the one this version needs
    |-- LeaseLost               another process leads; this transaction was rolled back
    |-- NotFound                a name that nothing has
    |-- Refused                 an action that the state or origin of a thing does not allow
    |-- TemplateFailed          a template for messages is wrong, or does more than it may
    `-- DeliveryFailed          a channel did not take a notice; says whether and when to retry

A target that is down is a result (an ``Attempt``), never an exception.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class NightOwlError(Exception):
    """The root: a message fit to be shown to a user, without a traceback."""


class Mistake(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake in a configuration.

    ``file`` is the path as the user gave it (empty: not from a file), ``key`` the dotted key path,
    ``found`` the value as written (secrets masked), ``allowed`` what would have been accepted.
    """

    file: str
    key: str
    found: str
    allowed: str

    def __str__(self) -> str:
        """One line: ``nightowl.toml: check.shop.every: found "soon", allowed: a duration such as "30s"``."""
        where = f"{self.file}: " if self.file else ""
        return f"{where}{self.key}: found {self.found}, allowed: {self.allowed}"


class ConfigurationError(NightOwlError):
    """A configuration that was refused whole; ``mistakes`` holds all of them."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class Unavailable(NightOwlError):
    """An outside part cannot be reached now; trying again later may work."""


class StoreUnavailable(Unavailable):
    """The database cannot be reached, is locked or is full."""


class StoreUnusable(StoreUnavailable):
    """Waiting does not mend it: no such database file, none at all, one that may not be opened, or half migrated."""


class BusUnavailable(Unavailable):
    """The broker cannot be reached."""


class SchemaOutdated(NightOwlError):
    """The store's schema differs from the one that this version needs; the message names the command."""


class LeaseLost(NightOwlError):
    """Another process took the lease over, so nothing of this transaction was written."""


class NotFound(NightOwlError):
    """No such check, incident, channel, ..."""


class Refused(NightOwlError):
    """The action is not allowed in this state, such as changing an object that a file defines."""


class TemplateFailed(NightOwlError):
    """A template that people wrote cannot be used as it is, or not for this message; says why."""


class DeliveryFailed(NightOwlError):
    """A channel could not deliver a notice.

    ``permanent`` stops retrying; ``retry_after`` (seconds), where the receiver named one, is waited at least.
    """

    def __init__(self, message: str, *, permanent: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
