"""Begin with a store that is away for the moment: say so once, and wait for it."""

from __future__ import annotations

import logging
from time import sleep

from nightowl.core.errors import StoreUnavailable, StoreUnusable
from nightowl.roles.installation import Installation

log = logging.getLogger(__name__)

AGAIN = 1.0
"""Seconds before another try."""


def reach(installation: Installation, *, tasks: bool = True, defines: bool = False) -> None:
    """Open the store of an installation, and wait while it cannot be reached.

    With ``tasks`` that of clusters' tasks is opened, too; with ``defines`` what the files define is brought in. Raises
    ``SchemaOutdated``, ``ConfigurationError`` and ``StoreUnusable``, which no waiting mends.
    """
    waited = False
    while (why := _unreached(installation, tasks=tasks, defines=defines)) is not None:
        if not waited:
            log.error("waiting for the store and trying again: %s", why)
        waited = True
        sleep(AGAIN)
    if waited:
        log.info("going on: the store answers")


def _unreached(installation: Installation, *, tasks: bool, defines: bool) -> StoreUnavailable | None:
    """Return what keeps the store from being used now; None: nothing does any more."""
    try:
        installation.store.ping()
        if tasks:
            installation.tasks.ping()
        if defines:
            installation.define()
    except StoreUnusable:
        raise
    except StoreUnavailable as error:
        return error
    return None
