"""The configuration of an actor that has no file: its broker, its location, and the location's key."""

from __future__ import annotations

from pathlib import Path

import msgspec

from nightowl.config import urls
from nightowl.config.keys import read_key
from nightowl.config.masking import mask_url
from nightowl.config.references import read_text
from nightowl.config.settings import Bus, Configuration
from nightowl.config.tables import name_problem
from nightowl.core.errors import ConfigurationError, Mistake
from nightowl.core.values import Location, LocationKey


class Given(msgspec.Struct, frozen=True):
    """A value and what it was given by: an option or a variable."""

    name: str
    value: str = ""


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What an actor without a file is given. ``key`` is the key itself or, by an option, the path of its file.

    ``ca``, ``certificate`` and ``private_key`` are paths of PEM files for TLS to the broker (empty: none).
    """

    broker: Given
    key: Given
    key_is_file: bool
    ca: Given
    certificate: Given
    private_key: Given


def for_actor(location: str, means: Means) -> Configuration:
    """Return the configuration of an actor at ``location``. Raises ``ConfigurationError`` with every mistake."""
    mistakes: list[Mistake] = []
    if problem := name_problem("location", location):
        mistakes.append(_mistake(Given("--location", location), problem))
    broker = means.broker
    if problem := urls.broker_problem(broker.value):
        mistakes.append(_mistake(broker, problem, f'"{mask_url(broker.value)}"'))
    elif (means.ca.value or means.certificate.value) and (secure := urls.over_tls(broker.value)):
        mistakes.append(_mistake(broker, f"{secure}://..., for files for TLS are given", f'"{mask_url(broker.value)}"'))
    keys = _keys(means, mistakes)
    bus = Bus(
        broker=broker.value,
        ca=_pem(means.ca, mistakes),
        certificate=_pem(means.certificate, mistakes),
        key=_pem(means.private_key, mistakes),
    )
    if bus.key and not bus.certificate:
        mistakes.append(_mistake(means.certificate, f"the certificate of {means.private_key.name}", "nothing"))
    if mistakes:
        raise ConfigurationError(mistakes)
    return Configuration(bus=bus, locations={location: Location(name=location, keys=keys)})


def _keys(means: Means, mistakes: list[Mistake]) -> tuple[LocationKey, ...]:
    given = means.key
    try:
        text = read_text(Path(), given.value, []) if means.key_is_file else given.value
    except ValueError as error:
        mistakes.append(_mistake(given, str(error)))
        return ()
    try:
        return (read_key(text.strip()),)
    except ValueError:
        found = f'"{given.value}" with something else in it' if means.key_is_file else "something else"
        mistakes.append(_mistake(given, 'a location key, as "nightowl location add" has made it', found))
        return ()


def _pem(given: Given, mistakes: list[Mistake]) -> str:
    """Return the absolute path of a PEM file, after noting that it is none."""
    if not given.value:
        return ""
    try:
        if "-----BEGIN " not in read_text(Path(), given.value, []):
            mistakes.append(_mistake(given, "a file of PEM text"))
    except ValueError as error:
        mistakes.append(_mistake(given, str(error)))
    return str(Path(given.value).absolute())


def _mistake(given: Given, allowed: str, found: str = "") -> Mistake:
    return Mistake(file="", key=given.name, found=found or f'"{given.value}"', allowed=allowed)
