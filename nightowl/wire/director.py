"""A director, and what it needs of a configuration."""

from __future__ import annotations

from collections.abc import Callable

from nightowl.adapters.celery_bus.director import Bus
from nightowl.config import Configuration, rule_from_spec
from nightowl.flows import leadership
from nightowl.flows.hearing import ears
from nightowl.flows.lead import Leader
from nightowl.ports import Store
from nightowl.ports.clusters import TaskStore
from nightowl.wire.addresses import guarded_locations, link
from nightowl.wire.check_secrets import Vault
from nightowl.wire.checks import compile_check
from nightowl.wire.clock import CLOCK
from nightowl.wire.remembered import remembered
from nightowl.wire.strategies import strategies


def leader(
    store: Store,
    bus: Bus,
    current: Callable[[], Configuration],
    safe: Vault,
    holder: str,
    tasks: TaskStore,
) -> Leader:
    """Return a director that follows the configuration in force; ``tasks`` is where watchers write."""
    parts = leadership.Parts(
        store=store,
        bus=bus,
        clock=CLOCK,
        compile_check=lambda stored: compile_check(current(), safe, stored),
        compile_rule=lambda stored: rule_from_spec(stored.name, stored.spec, strategies()),
        plan=remembered(current, plan),
        strategies=strategies(),
        ears=ears(tasks),
        states=tasks,
    )
    return Leader(parts, holder=holder, led=bus.led)


def plan(configuration: Configuration) -> leadership.Plan:
    """Return what the leader needs of a configuration."""
    kept = configuration.retention
    return leadership.Plan(
        locations=guarded_locations(configuration),
        routes=configuration.routes,
        public_url=link(configuration),
        maintenance=configuration.maintenance,
        rules={name: rule for name, rule in configuration.rules.items() if not rule.source},
        source_rules={name: rule for name, rule in configuration.rules.items() if rule.source},
        resend={name: channel.resend for name, channel in configuration.channels.items() if channel.resend},
        retention={
            "attempts": kept.attempts,
            "pings": kept.attempts,
            "outcomes": kept.outcomes,
            "series": kept.series,
            "rollups": kept.rollups,
            "incidents": kept.incidents,
            "outbox": kept.incidents,
            "audit": kept.incidents,
            "feed": 86400.0,
            "sessions": 0.0,
        },
        max_size=kept.max_size,
        max_series=kept.max_series,
        clusters={name: cluster.depends_on for name, cluster in configuration.clusters.items()},
    )
