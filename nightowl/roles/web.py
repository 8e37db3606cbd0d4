"""The web: pages, API and metrics."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from socket import gethostname
from typing import Any

from nightowl.config import Configuration, check_from_spec, rule_from_spec, rule_to_toml, spec_to_toml
from nightowl.config.units import parse_duration
from nightowl.core.errors import NotFound
from nightowl.core.preview import Preview, Question
from nightowl.core.routing import trial
from nightowl.core.values import Author, Check
from nightowl.flows.notify import acknowledge
from nightowl.flows.rulebook import RuleBook
from nightowl.flows.where import where
from nightowl.roles.installation import Installation
from nightowl.roles.listening import ListeningRole
from nightowl.roles.pulse import BEAT, Pulse
from nightowl.web.app import make_app
from nightowl.web.exposition import metrics
from nightowl.web.handlers import ChannelUse, ClusterMetrics, Handlers, WebSettings, channel_use
from nightowl.web.remote import Remote
from nightowl.web.serve import Certificates, ServerThread
from nightowl.web.store_look import StoreLook
from nightowl.wire.addresses import is_loopback, link
from nightowl.wire.check_secrets import seal_secrets, stand_ins
from nightowl.wire.checks import check_kinds
from nightowl.wire.clock import CLOCK
from nightowl.wire.notices import channels, telling
from nightowl.wire.own_app import OwnApp
from nightowl.wire.pushing import Pushing
from nightowl.wire.remembered import remembered
from nightowl.wire.remote import Remotes
from nightowl.wire.state import secret_key
from nightowl.wire.strategies import strategies
from nightowl.wire.watcher import MetricsOfClusters


class WebRole:
    """Serves the pages of an installation. Raises ``ConfigurationError`` where the address is taken.

    ``faults`` are those of the other roles in this process. ``ready`` is called with the port once it answers.
    """

    name = "web"
    fault = ""

    def __init__(
        self,
        installation: Installation,
        faults: Callable[[], list[str]],
        ready: Callable[[int], None],
        cluster_metrics: ClusterMetrics | None = None,
        *,
        own: OwnApp | None = None,
    ) -> None:
        """``cluster_metrics`` are those of a watcher in this process; without them: as they were stored last."""
        server = installation.current().server
        self._installation = installation
        self._faults = faults
        self._look = StoreLook(installation.store)
        self._remotes = remotes(installation, own)
        app = make_app(handlers(installation, faults, cluster_metrics, self._remotes))
        tls = Certificates(certificate=server.certificate, key=server.key, client_ca=server.client_ca)
        self._server = ServerThread(
            app,
            server.listen_host,
            server.listen_port,
            ready=ready,
            unix_socket=server.unix_socket,
            certificates=tls if server.certificate else None,
        )

    def run(self, stop: threading.Event) -> None:
        """Serve until ``stop``."""
        self._server.start()
        pulse = Pulse(self.name)
        try:
            while not stop.wait(BEAT):
                if not self._server.is_alive():
                    raise RuntimeError("the web server ended by itself")
                pulse.beat("; ".join(self._unreachable()))
        finally:
            self._server.stop()
            self._remotes.close()
            pulse.end()

    def _unreachable(self) -> list[str]:
        """What cannot be reached, as ``/ready`` tells it."""
        fault = self._look.fault()
        return [fault, *self._faults()] if fault else self._faults()


def metrics_listeners(installation: Installation, cluster_metrics: ClusterMetrics | None = None) -> list[ListeningRole]:
    """Return what serves ``[server] metrics_listen``, if it is given. Raises ``ConfigurationError``."""
    address = installation.current().server.metrics_listen
    if address is None:
        return []
    store, clusters = installation.store, cluster_metrics or stored_metrics(installation)
    return [
        ListeningRole(
            *address,
            key="server.metrics_listen",
            fault=lambda: "",
            metrics=lambda cluster, flower=False: (
                clusters(cluster, flower=flower) if cluster else metrics(store, CLOCK.now()) + clusters("")
            ),
            account=installation.current().metrics.auth,
        )
    ]


def stored_metrics(installation: Installation) -> ClusterMetrics:
    """Return what writes the metrics of clusters as their watchers, elsewhere, stored them last."""
    stored = MetricsOfClusters(installation.current, installation.tasks)
    return lambda cluster, flower=False: stored.text({}, cluster, flower=flower)


def remotes(installation: Installation, own: OwnApp | None = None) -> Remotes:
    """Return what can be done to clusters; ``own`` is the Celery app of the only one, where there is one."""
    return Remotes(lambda: installation.current().clusters, installation.store, installation.tasks, CLOCK, own)


def handlers(
    installation: Installation,
    unreachable: Callable[[], list[str]],
    cluster_metrics: ClusterMetrics | None = None,
    remote: Callable[[str], Remote] | None = None,
) -> Handlers:
    """Return what the pages call; ``unreachable`` are sentences about what cannot be reached.

    ``remote`` is what can be done to clusters.
    """
    configuration = installation.current()
    server = configuration.server
    signs_in = bool(server.unix_socket or configuration.flower.basic_auth)
    return Handlers(
        store=installation.store,
        clock=CLOCK,
        settings=WebSettings(
            is_loopback=is_loopback(server.listen_host) and not signs_in,
            secret_key=secret_key(configuration),
            listen_host=server.listen_host,
            public_url=server.public_url,
            url_prefix=server.url_prefix,
            trusted_proxies=server.trusted_proxies,
            allowed_hosts=(*server.hosts, gethostname().lower()),
            metrics_elsewhere=server.metrics_listen is not None,
            metrics_auth=configuration.metrics.auth,
            link=link(configuration),
        ),
        check_from_spec=partial(_check, installation),
        seal=partial(seal_secrets, installation.vault),
        spec_to_toml=spec_to_toml,
        parse_duration=parse_duration,
        locations=lambda: installation.current().locations,
        rules=lambda: installation.current().rules,
        rule_from_spec=partial(rule_from_spec, strategies=strategies()),
        rule_to_toml=rule_to_toml,
        strategies=strategies(),
        channels=lambda: _channels(installation.current()),
        test_channel=_tester(installation),
        problems=lambda: [*installation.problems, *unreachable()],
        unreachable=unreachable,
        reload=installation.reload_now,
        acknowledge=partial(_acknowledge, installation),
        telling=remembered(installation.current, telling),
        where=partial(_where, installation),
        clusters=lambda: installation.current().clusters,
        tasks=installation.tasks,
        cluster_metrics=cluster_metrics or stored_metrics(installation),
        remote=remote or remotes(installation),
        push=Pushing(lambda: installation.current().clusters, installation.tasks.inbox, CLOCK),
        flower=configuration.flower,
    )


def _check(installation: Installation, name: str, spec: Mapping[str, Any]) -> Check:
    judged = stand_ins(installation.vault, name, spec)
    current = installation.current()
    return check_from_spec(name, judged, locations=current.locations, clusters=current.clusters, kinds=check_kinds())


def _channels(configuration: Configuration) -> list[ChannelUse]:
    channels, routes = configuration.channels, configuration.routes
    return [channel_use(name, settings.kind, routes) for name, settings in channels.items()]


def _tester(installation: Installation) -> Callable[[str], str]:
    made = remembered(installation.current, channels)

    def test(name: str) -> str:
        if name not in made():
            raise NotFound(f"no channel is called {name}")
        return made()[name].send(trial(name, link(installation.current()), CLOCK.now())) or ""

    return test


def _acknowledge(installation: Installation, incident: str, author: Author, lasts: float | None) -> None:
    acknowledge(installation.store, incident, author, CLOCK.now(), lasts)


def _where(installation: Installation, question: Question) -> Preview:
    configuration = installation.current()
    book = RuleBook(lambda stored: rule_from_spec(stored.name, stored.spec, strategies()))
    with installation.store.read() as unit:
        book.load(unit, configuration.rules)
    return where(installation.store, telling(configuration), book.rules.values(), parse_duration, question)
