"""Channels, and what a notifier needs of a configuration."""

from __future__ import annotations

import msgspec

from nightowl.adapters.channels import kinds
from nightowl.adapters.ping import ping
from nightowl.config import Configuration
from nightowl.core.telling import Telling
from nightowl.flows import notify
from nightowl.ports import Channel
from nightowl.wire.addresses import link

__all__ = ["channels", "notifier_plan", "ping", "telling"]


def channels(configuration: Configuration) -> dict[str, Channel]:
    """Make every channel."""
    return {
        name: kinds.build(settings.kind, msgspec.structs.asdict(settings.options))
        for name, settings in configuration.channels.items()
    }


def telling(configuration: Configuration) -> Telling:
    """Return who is told what, but for what depends on what, which the leader knows."""
    return Telling(routes=configuration.routes, public_url=link(configuration), maintenance=configuration.maintenance)


def notifier_plan(configuration: Configuration) -> notify.Plan:
    """Return what a notifier needs of a configuration."""
    return notify.Plan(channels=channels(configuration), telling=telling(configuration))
