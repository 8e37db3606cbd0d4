"""Checks as values: of a file, of the command line, of the store."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec.structs import replace

from nightowl.config import Configuration, check_from_spec, load
from nightowl.core.errors import ConfigurationError
from nightowl.core.values import Check, Location, Network
from nightowl.ports import StoredCheck
from nightowl.wire.addresses import networks, place
from nightowl.wire.check_secrets import Vault, open_secrets
from nightowl.wire.installed import installed
from nightowl.wire.kinds import check_kinds

__all__ = ["check_kinds", "compile_check", "for_urls", "load_configuration"]


def load_configuration(path: str | None) -> Configuration:
    """Load a configuration, with what is installed here. Raises ``ConfigurationError``."""
    return load(path, **installed())


def for_urls(urls: Sequence[str]) -> Configuration:
    """Return the defaults with a check for each URL. What was typed on the command line may be reached.

    Raises ``ConfigurationError`` for a URL that cannot be checked.
    """
    configuration = load(None)
    typed = tuple(sorted({each for url in urls for each in _addresses(url)}, key=str))
    locations = {
        name: replace(location, policy=replace(location.policy, allow=typed))
        for name, location in configuration.locations.items()
    }
    checks: dict[str, Check] = {}
    specs: dict[str, dict[str, Any]] = {}
    for url in urls:
        name = _name_of(url, checks)
        checks[name] = _typed(name, url, locations)
        specs[name] = {"url": url}
    return replace(configuration, checks=checks, specs=specs, locations=locations)


def compile_check(configuration: Configuration, safe: Vault, stored: StoredCheck) -> Check:
    """Make a check of its definition, secrets opened and resolved; raises ``ConfigurationError``."""
    source = Path(configuration.source)
    check = check_from_spec(
        stored.name,
        open_secrets(safe, stored.name, stored.spec),
        locations=configuration.locations,
        clusters=configuration.clusters,
        kinds=check_kinds(),
        base=source if source.is_dir() else source.parent,
        allow_references=stored.origin == "file",
    )
    return replace(check, paused=stored.paused)


def _typed(name: str, url: str, locations: Mapping[str, Location]) -> Check:
    """Return the check of a URL; mistakes are told by the option that it was typed with."""
    try:
        return check_from_spec(name, {"url": url}, locations=locations, kinds=check_kinds())
    except ConfigurationError as error:
        raise ConfigurationError([replace(mistake, key="--check") for mistake in error.mistakes]) from None


def _addresses(url: str) -> list[Network]:
    """Return where a URL leads; nowhere where it is broken, which ``check_from_spec`` tells."""
    try:
        host, port = place(url)
        if url.startswith("icmp:"):
            return [Network(found.network) for found in networks(host, 1)]  # to which a list of ports is closed
        return networks(host, port)
    except ValueError:
        return []


def _name_of(url: str, taken: Collection[str]) -> str:
    """Return a name for the check of a URL: its host, with a number where that is taken."""
    host = re.sub(r"[^a-z0-9.-]", "-", (urlsplit(url).hostname or "check").lower())
    names = chain([host], (f"{host}-{number}" for number in count(2)))
    return next(name for name in names if name not in taken)
