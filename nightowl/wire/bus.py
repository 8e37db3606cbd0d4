"""The bus on Celery: the director's side, and actors."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nightowl.adapters.celery_bus import folder_transport
from nightowl.adapters.celery_bus.actor import Actor
from nightowl.adapters.celery_bus.app import BrokerSettings, make_app
from nightowl.adapters.celery_bus.director import Bus
from nightowl.adapters.celery_bus.knock import knock
from nightowl.adapters.celery_bus.permissions import Users, actor_user, users
from nightowl.adapters.celery_bus.sealing import Keyring, evaluator_key
from nightowl.config import Configuration
from nightowl.core.portions import EVALUATORS
from nightowl.core.values import LocationKey
from nightowl.flows.perform import Performer
from nightowl.ports import Engine
from nightowl.wire.clock import CLOCK
from nightowl.wire.state import secret_key

__all__ = [
    "FOLDER_TRANSPORT",
    "actor_user",
    "actors",
    "broker",
    "director_bus",
    "keyring",
    "permissions",
    "prove",
    "unreachable",
]

FOLDER_TRANSPORT = f"{folder_transport.__name__}:Transport"
"""What kombu is to use for a folder as the broker, for who runs Celery beside the bus."""


def broker(configuration: Configuration) -> BrokerSettings:
    """Return the settings of the common broker."""
    return BrokerSettings(
        url=configuration.bus.broker,
        transport_options=configuration.bus.transport_options,
        ca=configuration.bus.ca,
        certificate=configuration.bus.certificate,
        key=configuration.bus.key,
    )


def keyring(current: Callable[[], Configuration], *, evaluators: bool = False) -> Keyring:
    """Return what seals and opens with the keys of the configuration in force.

    With ``evaluators`` it also has theirs, which follows from the secret of the installation; an actor has no such.
    """
    own = (evaluator_key(secret_key(current())),) if evaluators else ()

    def keys(name: str) -> tuple[LocationKey, ...]:
        if name == EVALUATORS:
            return own
        location = current().locations.get(name)
        return location.keys if location else ()

    return Keyring(keys)


def director_bus(current: Callable[[], Configuration]) -> Bus:
    """Return the director's side of the bus, over all brokers."""
    configuration = current()
    own = {name: location.broker for name, location in configuration.locations.items()}
    return Bus(broker(configuration), own, CLOCK, keyring(current, evaluators=True))


def actors(
    current: Callable[[], Configuration], locations: Iterable[str], running: Engine, *, name: str, pool: str
) -> list[Actor]:
    """Return one actor for each broker that these locations are on, all over one engine."""
    configuration, keys = current(), keyring(current)
    by_url: dict[str, list[str]] = {}
    for location in locations:
        by_url.setdefault(configuration.locations[location].broker, []).append(location)
    return [
        Actor(
            broker(configuration).at(url),
            served,
            CLOCK,
            keys,
            name=name,
            pool=pool,
            perform=lambda clock, offline: Performer(running, clock, name, offline).perform,
            later=running.later,
        )
        for url, served in by_url.items()
    ]


def prove(configuration: Configuration, locations: Iterable[str]) -> None:
    """Raise ``ConfigurationError`` for a broker of these locations that cannot be used as it and its files are."""
    for url in sorted({configuration.locations[name].broker for name in locations}):
        make_app(broker(configuration).at(url)).close()


def permissions(configuration: Configuration, kind: str) -> list[Users]:
    """Return what makes the users of each broker; ``kind`` is that of one whose URL does not tell.

    Raises ``ConfigurationError`` for a broker that knows no rights by location.
    """
    by_url: dict[str, list[str]] = {}
    for name, location in configuration.locations.items():
        by_url.setdefault(location.broker or configuration.bus.broker, []).append(name)
    common = configuration.bus.broker
    evaluated = any(rule.source for rule in configuration.rules.values())
    if evaluated:
        by_url.setdefault(common, [])
    return [users(url, kind, names, evaluators=evaluated and url == common) for url, names in by_url.items()]


def unreachable(configuration: Configuration) -> str:
    """Say which broker does not answer now (empty: all do)."""
    common = broker(configuration)
    own = {location.broker for location in configuration.locations.values() if location.broker}
    brokers = [common, *map(common.at, sorted(own))]
    return next((fault for fault in map(knock, brokers) if fault), "")
