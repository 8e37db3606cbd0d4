"""What loading a configuration gives: plain frozen values, nothing live.

Durations are seconds, sizes bytes. Paths are absolute; certificates and keys of channels are PEM texts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from nightowl.core.cluster.settings import ClusterSettings, FlowerSettings, HookSettings, MetricsSettings
from nightowl.core.reading import SourceSettings
from nightowl.core.rule import Rule
from nightowl.core.series import MOST_SERIES
from nightowl.core.sinks.settings import SinkSettings
from nightowl.core.values import Check, Location, Maintenance, Route, User

_DAY = 86400.0


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """The pages and the API. ``metrics_listen``: host and port of a listener of its own (None: beside the pages).

    ``secret_key`` empty: one is to be made and kept in the state folder. ``unix_socket`` is a path to listen on in
    place of host and port; ``certificate``, ``key`` and ``client_ca`` are paths of PEM files (empty: none).
    """

    listen_host: str = "127.0.0.1"
    listen_port: int = 5555
    public_url: str = ""
    hosts: tuple[str, ...] = ()
    url_prefix: str = ""
    trusted_proxies: tuple[str, ...] = ()
    secret_key: str = ""
    metrics_listen: tuple[str, int] | None = None
    unix_socket: str = ""
    certificate: str = ""
    key: str = ""
    client_ca: str = ""


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds that each kind is kept, the most series and tasks, and the bytes that the store may take (None: any)."""

    attempts: float = 7 * _DAY
    outcomes: float = 90 * _DAY
    series: float = 14 * _DAY
    rollups: float = 400 * _DAY
    max_series: int = MOST_SERIES
    tasks: float = 14 * _DAY
    max_tasks: int | None = None
    incidents: float = 730 * _DAY
    max_size: int | None = None


class Bus(msgspec.Struct, frozen=True, kw_only=True):
    """The broker (empty: ``memory://``) and, for TLS, paths of PEM files (empty: none)."""

    broker: str = ""
    transport_options: dict[str, Any] = {}
    ca: str = ""
    certificate: str = ""
    key: str = ""


class Email(msgspec.Struct, frozen=True, kw_only=True, tag="email", tag_field="kind"):
    """Options of a mail server; ``ca`` is PEM text, ``username`` empty: no account.

    ``template``, here and below, has the text of each part of a message that is not the built-in one.
    """

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    sender: str
    to: tuple[str, ...]
    username: str = ""
    password: str = ""
    verify: bool = True
    ca: str = ""
    template: dict[str, str] = {}
    timeout: float = 10.0


class Webhook(msgspec.Struct, frozen=True, kw_only=True, tag="webhook", tag_field="kind"):
    """Options of a webhook; ``secret`` empty: not signed; ``ca`` is PEM text.

    ``content_type`` is that of a body by a template.
    """

    url: str
    secret: str = ""
    headers: dict[str, str] = {}
    verify: bool = True
    ca: str = ""
    template: dict[str, str] = {}
    content_type: str = "application/json"
    timeout: float = 10.0


class Slack(msgspec.Struct, frozen=True, kw_only=True, tag="slack", tag_field="kind"):
    """Options of a Slack incoming webhook."""

    url: str
    template: dict[str, str] = {}
    timeout: float = 10.0


class PagerDuty(msgspec.Struct, frozen=True, kw_only=True, tag="pagerduty", tag_field="kind"):
    """Options of an integration of PagerDuty."""

    routing_key: str
    url: str
    template: dict[str, str] = {}
    timeout: float = 10.0


class Alertmanager(msgspec.Struct, frozen=True, kw_only=True, tag="alertmanager", tag_field="kind"):
    """Options of Alertmanagers; ``resend`` is the seconds until an open incident is told again."""

    url: tuple[str, ...]
    resend: float = 60.0
    headers: dict[str, str] = {}
    verify: bool = True
    ca: str = ""
    timeout: float = 10.0


class Apprise(msgspec.Struct, frozen=True, kw_only=True, tag="apprise", tag_field="kind"):
    """Options of what is sent by apprise; each of the URLs is a secret."""

    urls: tuple[str, ...]
    template: dict[str, str] = {}
    timeout: float = 20.0


class PlugIn(msgspec.Struct, frozen=True, kw_only=True):
    """Options of a channel of a plug-in's kind, as they are written."""

    kind: str
    values: dict[str, Any] = {}


Options = Email | Webhook | Slack | PagerDuty | Alertmanager | Apprise
"""Options of a built-in kind."""


class ChannelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A channel by name; what it needs follows from its kind."""

    name: str
    options: Options | PlugIn

    @property
    def kind(self) -> str:
        """``email``, ``webhook``, ..., or what a plug-in calls it."""
        if isinstance(self.options, PlugIn):
            return self.options.kind
        return str(self.options.__struct_config__.tag)

    @property
    def keywords(self) -> dict[str, Any]:
        """What its kind makes the channel of."""
        return self.options.values if isinstance(self.options, PlugIn) else msgspec.structs.asdict(self.options)

    @property
    def resend(self) -> float:
        """Seconds until the channel is told of an open incident again (0: it is not)."""
        return self.options.resend if isinstance(self.options, Alertmanager) else 0.0


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """Something that works, but likely not as meant. ``number`` is that of ``numbered.NUMBERED``."""

    number: str
    key: str
    text: str

    def __str__(self) -> str:
        """One line: ``NO20: server.public_url: ...``."""
        return f"{self.number}: {self.key}: {self.text}"


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """A whole configuration.

    ``store_url`` empty: SQLite in the state folder. ``specs`` has the keys of each check with its template applied
    and secrets as references, ``rule_specs`` those of each rule likewise. ``files`` is everything that was read;
    ``source`` the path as the user gave it (empty: none).
    """

    server: Server = Server()
    store_url: str = ""
    retention: Retention = Retention()
    bus: Bus = Bus()
    self_ping: str = ""
    locations: dict[str, Location] = {}
    checks: dict[str, Check] = {}
    specs: dict[str, dict[str, Any]] = {}
    rules: dict[str, Rule] = {}
    sources: dict[str, SourceSettings] = {}
    clusters: dict[str, ClusterSettings] = {}
    hooks: dict[str, HookSettings] = {}
    sinks: dict[str, SinkSettings] = {}
    metrics: MetricsSettings = MetricsSettings()
    flower: FlowerSettings = FlowerSettings()
    rule_specs: dict[str, dict[str, Any]] = {}
    channels: dict[str, ChannelSettings] = {}
    routes: tuple[Route, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    users: tuple[User, ...] = ()
    hints: tuple[Hint, ...] = ()
    files: tuple[Path, ...] = ()
    source: str = ""
