"""The composition root: the only module that knows every adapter by name.

A laptop and a fleet differ in values here, not in code: which broker, which store, which roles in which process.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from itertools import chain, count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from nightowl import plugins
from nightowl.adapters.celery_bus.actor import Actor
from nightowl.adapters.celery_bus.app import BrokerSettings
from nightowl.adapters.celery_bus.director import Bus
from nightowl.adapters.channels import kinds
from nightowl.adapters.clock import SystemClock
from nightowl.adapters.ping import ping
from nightowl.adapters.probes import ThreadEngine, thread_engine
from nightowl.adapters.store_sql import Progress, backup, migrate, restore
from nightowl.adapters.store_sql import open_store as open_sql_store
from nightowl.config import Configuration, check_from_spec, load, spec_to_toml, state_folder
from nightowl.core.errors import NotFound, Unavailable
from nightowl.core.routing import trial
from nightowl.core.values import Check, Network
from nightowl.flows import leadership, notify
from nightowl.flows.lead import Leader
from nightowl.flows.perform import Performer
from nightowl.ports import Channel, Engine, Store, StoredCheck
from nightowl.web.app import make_app
from nightowl.web.handlers import Handlers, WebSettings

__all__ = ["Progress", "backup", "migrate", "ping", "restore"]
"""What commands and roles use of the adapters as it is."""

CLOCK = SystemClock()

KINDS = ("http", "https")
"""The kinds of checks that the engine runs by itself."""

_PORTS = {
    "redis": 6379,
    "rediss": 6379,
    "amqp": 5672,
    "amqps": 5671,
    "mysql": 3306,
    "mariadb": 3306,
    "postgresql": 5432,
}


def check_kinds() -> tuple[str, ...]:
    """Return every kind of check that can be run here."""
    return (*KINDS, *plugins.probes())


def load_configuration(path: str | None) -> Configuration:
    """Load a configuration, with the kinds of checks that are installed. Raises ``ConfigurationError``."""
    return load(path, kinds=check_kinds())


def for_urls(urls: Sequence[str]) -> Configuration:
    """Return the defaults with a check for each URL. What was typed on the command line may be reached.

    Raises ``ConfigurationError`` for a URL that cannot be checked.
    """
    configuration = load(None)
    checks: dict[str, Check] = {}
    specs: dict[str, dict[str, Any]] = {}
    for url in urls:
        name = _name_of(url, checks)
        checks[name] = check_from_spec(name, {"url": url}, locations=configuration.locations, kinds=check_kinds())
        specs[name] = {"url": url}
    typed = tuple(sorted({each for url in urls for each in _networks(*_place(url))}, key=str))
    locations = {
        name: replace(location, policy=replace(location.policy, allow=typed))
        for name, location in configuration.locations.items()
    }
    return replace(configuration, checks=checks, specs=specs, locations=locations)


def _name_of(url: str, taken: Collection[str]) -> str:
    """Return a name for the check of a URL: its host, with a number where that is taken."""
    host = re.sub(r"[^a-z0-9.-]", "-", (urlsplit(url).hostname or "check").lower())
    names = chain([host], (f"{host}-{number}" for number in count(2)))
    return next(name for name in names if name not in taken)


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)


def store_url(configuration: Configuration) -> str:
    """Return the URL of the store: without one, SQLite in the state folder."""
    return configuration.store_url or f"sqlite:///{state_folder() / 'nightowl.db'}"


def open_store(configuration: Configuration) -> Store:
    """Open the store, with its tables made where the database is empty."""
    return open_sql_store(store_url(configuration), migrate=True)


def broker(configuration: Configuration) -> BrokerSettings:
    """Return the settings of the common broker."""
    return BrokerSettings(
        url=configuration.bus.broker,
        transport_options=configuration.bus.transport_options,
        ca=configuration.bus.ca,
        certificate=configuration.bus.certificate,
        key=configuration.bus.key,
    )


def director_bus(configuration: Configuration) -> Bus:
    """Return the director's side of the bus, over all brokers."""
    own = {name: location.broker for name, location in configuration.locations.items()}
    return Bus(broker(configuration), own, CLOCK)


def compile_check(configuration: Configuration, stored: StoredCheck) -> Check:
    """Make a check of its definition, secrets resolved; raises ``ConfigurationError``."""
    source = Path(configuration.source)
    check = check_from_spec(
        stored.name,
        stored.spec,
        locations=configuration.locations,
        kinds=check_kinds(),
        base=source if source.is_dir() else source.parent,
        allow_references=stored.origin == "file",
    )
    return replace(check, paused=stored.paused)


def plan(configuration: Configuration) -> leadership.Plan:
    """Return what the leader needs of a configuration."""
    denied = own_addresses(configuration)
    locations = {
        name: replace(location, policy=replace(location.policy, deny=denied))
        for name, location in configuration.locations.items()
    }
    kept = configuration.retention
    return leadership.Plan(
        locations=locations,
        routes=configuration.routes,
        public_url=link(configuration),
        retention={
            "attempts": kept.attempts,
            "outcomes": kept.outcomes,
            "series": kept.series,
            "incidents": kept.incidents,
            "outbox": kept.incidents,
            "feed": 86400.0,
        },
        max_size=kept.max_size,
    )


def leader(store: Store, bus: Bus, current: Callable[[], Configuration], holder: str) -> Leader:
    """Return a director that follows the configuration in force."""
    parts = leadership.Parts(
        store=store,
        bus=bus,
        clock=CLOCK,
        compile_check=lambda stored: compile_check(current(), stored),
        plan=remembered(current, plan),
    )
    return Leader(parts, holder=holder, led=bus.led)


def engine() -> ThreadEngine:
    """Return the engine for a process that is not patched by gevent."""
    return thread_engine(plugins.probes())


def actors(
    configuration: Configuration, locations: Iterable[str], running: Engine, *, name: str, pool: str
) -> list[Actor]:
    """Return one actor for each broker that these locations are on, all over one engine."""
    by_url: dict[str, list[str]] = {}
    for location in locations:
        by_url.setdefault(configuration.locations[location].broker, []).append(location)
    return [
        Actor(
            BrokerSettings(url=url) if url else broker(configuration),
            served,
            CLOCK,
            name=name,
            pool=pool,
            perform=lambda clock: Performer(running, clock, name).perform,
            later=running.later,
        )
        for url, served in by_url.items()
    ]


def gevent_engine() -> Engine:
    """Return the engine for a process that gevent has patched; imports gevent."""
    from nightowl.adapters.probes.loop_gevent import gevent_engine as make  # noqa: PLC0415 - must not be imported elsewhere

    return make(plugins.probes())


def channels(configuration: Configuration) -> dict[str, Channel]:
    """Make every channel."""
    return {
        name: kinds.build(settings.kind, msgspec.structs.asdict(settings.options))
        for name, settings in configuration.channels.items()
    }


def notifier_plan(configuration: Configuration) -> notify.Plan:
    """Return what a notifier needs of a configuration."""
    return notify.Plan(channels=channels(configuration), routes=configuration.routes, public_url=link(configuration))


def link(configuration: Configuration) -> str:
    """Return where the pages are, for links in notices."""
    server = configuration.server
    if server.public_url:
        return server.public_url.rstrip("/")
    host = f"[{server.listen_host}]" if ":" in server.listen_host else server.listen_host
    return f"http://{host}:{server.listen_port}{server.url_prefix}"


def web_app(current: Callable[[], Configuration], store: Store, *, problems: Callable[[], list[str]] = list) -> Any:
    """Return the web application over a store; ``problems`` are sentences about what cannot be reached."""
    server = current().server
    made = remembered(current, channels)

    def test_channel(name: str) -> None:
        if name not in made():
            raise NotFound(f"no channel is called {name}")
        made()[name].send(trial(name, link(current()), CLOCK.now()))

    def checked(name: str, spec: Mapping[str, Any]) -> Check:
        return check_from_spec(name, spec, locations=current().locations, kinds=check_kinds())

    def problems_with_store() -> list[str]:
        try:
            store.ping()
        except Unavailable as error:
            return [str(error), *problems()]
        return problems()

    return make_app(
        Handlers(
            store=store,
            clock=CLOCK,
            settings=WebSettings(
                is_loopback=is_loopback(server.listen_host),
                secret_key=secret_key(current()),
                listen_host=server.listen_host,
                public_url=server.public_url,
                url_prefix=server.url_prefix,
                trusted_proxies=server.trusted_proxies,
            ),
            check_from_spec=checked,
            spec_to_toml=spec_to_toml,
            locations=lambda: current().locations,
            channels=lambda: list(current().channels),
            test_channel=test_channel,
            problems=problems_with_store,
            acknowledge=lambda incident, by: _acknowledge(store, incident, by),
        )
    )


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can only be reached from this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _acknowledge(store: Store, incident: str, by: str) -> None:
    notify.acknowledge(store, incident, by, CLOCK.now())


def secret_key(configuration: Configuration) -> bytes:
    """Return the key that signs forms: the configured one, else one that is made once and kept in the state folder."""
    if configuration.server.secret_key:
        return configuration.server.secret_key.encode()
    path = state_folder() / "secret_key"
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
    return path.read_bytes()


def own_addresses(configuration: Configuration) -> tuple[Network, ...]:
    """Return the addresses of NightOwl's own broker, store and web, which no check may reach."""
    urls = [configuration.bus.broker, configuration.store_url]
    urls += [location.broker for location in configuration.locations.values()]
    places = [(urlsplit(url).hostname, urlsplit(url).port or _PORTS.get(_scheme(url))) for url in urls if url]
    places.append((configuration.server.listen_host, configuration.server.listen_port))
    return tuple(sorted({each for host, port in places for each in _networks(host or "", port or 0)}, key=str))


def _scheme(url: str) -> str:
    return urlsplit(url).scheme.removeprefix("sqla+").partition("+")[0]


def _networks(host: str, port: int) -> list[Network]:
    if not host or not port:
        return []
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError:
        return []
    if any(ip_address(address).is_unspecified for address in found):
        return [Network("127.0.0.0/8", (port,)), Network("::1/128", (port,))]
    return [Network(f"{address}/{ip_address(address).max_prefixlen}", (port,)) for address in found]


def remembered(current: Callable[[], Configuration], make: Callable[[Configuration], Any]) -> Callable[[], Any]:
    """Return a function that makes its result anew only when the configuration has been replaced."""
    made: list[Any] = [None, None]

    def get() -> Any:
        configuration = current()
        if made[0] is not configuration:
            made[:] = [configuration, make(configuration)]
        return made[1]

    return get
