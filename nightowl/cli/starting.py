"""What roles say as they start, and why one cannot start as it is asked to."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from nightowl.config import Configuration
from nightowl.config.numbered import OPEN, open_locations
from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.core.redaction import without_password
from nightowl.wire.state import store_url

log = logging.getLogger(__name__)


COMMON = ""
"""Stands for the common broker where brokers are told by location."""


def served(configuration: Configuration, wanted: Sequence[str]) -> list[str]:
    """Return the locations to run checks of: those wanted, else all. Raises ``ConfigurationError``."""
    declared = list(configuration.locations)
    unknown = [name for name in wanted if name not in declared]
    if unknown:
        allowed = f"one of {', '.join(declared)}"
        raise ConfigurationError([Mistake(file="", key="--location", found=", ".join(unknown), allowed=allowed)])
    return list(wanted) or declared


def refuse_memory(configuration: Configuration, locations: Iterable[str]) -> None:
    """Refuse a broker in memory, which no other process can reach. Raises ``ConfigurationError``."""
    for broker, key in _brokers(configuration, locations).items():
        if broker.startswith("memory:"):
            allowed = (
                "a broker that several processes reach, such as filesystem:///FOLDER, redis://HOST or amqp://HOST; "
                "with memory:// all roles are one process, nightowl up"
            )
            raise ConfigurationError(
                [Mistake(file=configuration.source, key=key, found=f'"{broker}"', allowed=allowed)]
            )


def tell_start(role: str, configuration: Configuration, locations: Iterable[str] = (), *, store: bool = True) -> None:
    """Log where a role runs (none: nowhere in particular), by which brokers and over which store."""
    where = list(locations)
    named = ", ".join(filter(None, where))
    said = [f"{role} for {named}" if named else role]
    said += [f"broker {_shown(url)}" for url in _brokers(configuration, where)]
    if store:
        said.append(f"store {_shown(store_url(configuration))}")
    log.info("starting: %s", "; ".join(said))


def warn_of_open_locations(configuration: Configuration, locations: Iterable[str]) -> None:
    """Warn in one line of locations whose jobs can be read on their way."""
    found = [name for name in open_locations(configuration) if name in set(locations)]
    if found:
        log.warning("%s: %s", ", ".join(found), OPEN)


def _brokers(configuration: Configuration, locations: Iterable[str]) -> dict[str, str]:
    """Return the brokers of locations, each with the key that names it."""
    common = configuration.bus.broker or "memory://"
    own = {name: configuration.locations[name].broker if name else "" for name in locations}
    return {url or common: f"location.{name}.broker" if url else "bus.broker" for name, url in own.items()}


def _shown(url: str) -> str:
    """Return a URL without its password, and without options, where one may stand too."""
    return without_password(url.partition("?")[0])
