"""What the web needs from the rest of NightOwl, as values and callables that ``wire`` fills in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from nightowl.core.cluster.pushed import Taken, Told
from nightowl.core.cluster.settings import ClusterSettings, FlowerSettings
from nightowl.core.preview import Preview, Question
from nightowl.core.rule import Rule
from nightowl.core.strategies import Strategy
from nightowl.core.telling import Telling
from nightowl.core.values import Author, Check, Location, Route
from nightowl.ports import Clock, Store
from nightowl.ports.clusters import TaskStore
from nightowl.web.cluster_history import Histories
from nightowl.web.remote import Remote

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""Host names (as in a Host header, without port) that only this machine can mean."""


class WebSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the web is served, and to whom.

    ``public_url`` is what people type (may be empty); ``url_prefix`` the path that NightOwl lives under
    (``/owl``, or empty). ``is_loopback``: the listen address is this machine's own, and nobody has to sign in.
    ``trusted_proxies``: addresses and networks whose X-Forwarded headers are believed. ``secret_key`` signs
    CSRF tokens. ``allowed_hosts``: Host names answered besides loopback and that of ``public_url``, lower case.
    ``metrics_elsewhere``: ``/metrics`` has an address of its own, and is not served here. ``metrics_auth`` is the
    ``user:password`` that its readers must give (empty: none). ``link`` is where the pages are, for URLs that are
    shown.
    """

    is_loopback: bool
    secret_key: bytes
    listen_host: str = "127.0.0.1"
    public_url: str = ""
    url_prefix: str = ""
    trusted_proxies: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    metrics_elsewhere: bool = False
    metrics_auth: str = ""
    link: str = ""

    @property
    def public_host(self) -> str:
        """Host and port of ``public_url``, lower case (empty without one)."""
        return urlsplit(self.public_url).netloc.rpartition("@")[2].lower()


class Later(msgspec.Struct, frozen=True, kw_only=True):
    """A route that leads to a channel by its escalation, ``after`` seconds from the first notice on."""

    route: Route
    after: float


class ChannelUse(msgspec.Struct, frozen=True, kw_only=True):
    """A channel: its kind (``email``, ``webhook``, ...), the routes that lead to it, and those that escalate to it."""

    name: str
    kind: str
    routes: tuple[Route, ...] = ()
    escalations: tuple[Later, ...] = ()


def channel_use(name: str, kind: str, routes: Sequence[Route]) -> ChannelUse:
    """Return a channel with those of all ``routes`` that reach it; of a route's steps the first that does counts."""
    later = {
        route.name: Later(route=route, after=step.after)
        for route in routes
        for step in sorted(route.escalate, key=lambda step: -step.after)
        if name in step.to and name not in route.to
    }
    direct = tuple(route for route in routes if name in route.to)
    return ChannelUse(name=name, kind=kind, routes=direct, escalations=tuple(later.values()))


class ClusterMetrics(Protocol):
    """Writes the metrics of clusters. Raises ``NotFound`` or ``Unavailable``."""

    def __call__(self, cluster: str, *, flower: bool = False) -> str:
        """Return those of one cluster (empty: of all); ``flower``: of one with Flower's families beside them."""


class Handlers(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that pages and API call.

    ``check_from_spec(name, spec)`` raises ``ConfigurationError`` with every mistake of a ``[check.NAME]`` table;
    ``seal(name, spec)`` returns the table as it is stored, its secrets sealed;
    ``spec_to_toml`` writes definitions by name as such tables; ``parse_duration`` returns the seconds of a text such
    as ``1m``, or raises ``ValueError``. ``rules`` are those of the configuration, by name;
    ``rule_from_spec(name, spec)`` raises ``ConfigurationError`` with every mistake of a ``[rule.NAME]`` table, and
    ``rule_to_toml(name, spec)`` writes one; ``strategies`` are the installed ones by name. ``test_channel`` returns
    what went otherwise than meant, and raises ``NotFound`` or ``DeliveryFailed``. ``problems`` are sentences for every
    page: what cannot be reached, and what keeps the configuration files from being in force; ``unreachable`` are those
    of them that end readiness.
    ``acknowledge(incident, author, lasts)`` raises ``NotFound`` or ``Refused``; ``lasts`` is seconds, or None: to the
    end. ``telling`` is who is told what, by the configuration in force; what depends on what is not in it.
    ``where`` says where an incident would go. ``clusters`` are those that are watched, by name; ``tasks`` is what is
    kept of them; ``cluster_metrics`` writes their metrics, of all (an empty name) or of one,
    without the label ``cluster``; ``remote`` is what can be done to one by its name.
    ``push(cluster, body, told)`` keeps events that workers push, a list in JSON, until the cluster's watcher
    takes them; ``told`` is what the sender says of itself. It raises ``NotFound``, ``ConfigurationError`` for a body
    that is no such list, or ``Unavailable``.
    ``flower`` is how Flower's paths are answered. ``histories`` remembers what clusters did.
    """

    store: Store
    clock: Clock
    settings: WebSettings
    check_from_spec: Callable[[str, Mapping[str, Any]], Check]
    seal: Callable[[str, Mapping[str, Any]], dict[str, Any]]
    spec_to_toml: Callable[[Mapping[str, Mapping[str, Any]]], str]
    parse_duration: Callable[[str], float]
    locations: Callable[[], Mapping[str, Location]]
    rules: Callable[[], Mapping[str, Rule]]
    rule_from_spec: Callable[[str, Mapping[str, Any]], Rule]
    rule_to_toml: Callable[[str, Mapping[str, Any]], str]
    strategies: Mapping[str, Strategy]
    channels: Callable[[], Sequence[ChannelUse]]
    test_channel: Callable[[str], str]
    problems: Callable[[], Sequence[str]]
    unreachable: Callable[[], Sequence[str]]
    acknowledge: Callable[[str, Author, float | None], None]
    telling: Callable[[], Telling]
    where: Callable[[Question], Preview]
    reload: Callable[[], str]
    clusters: Callable[[], Mapping[str, ClusterSettings]]
    tasks: TaskStore
    cluster_metrics: ClusterMetrics
    remote: Callable[[str], Remote]
    push: Callable[[str, bytes, Told], Taken]
    flower: FlowerSettings
    histories: Histories = msgspec.field(default_factory=Histories)
