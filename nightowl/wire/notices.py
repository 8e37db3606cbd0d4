"""Channels, and what a notifier needs of a configuration."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from nightowl import plugins
from nightowl.adapters.ping import ping
from nightowl.config import ChannelSettings, Configuration
from nightowl.core.errors import DeliveryFailed, Mistake
from nightowl.core.redaction import hiding
from nightowl.core.telling import Telling
from nightowl.core.values import Notice
from nightowl.flows import notify
from nightowl.ports import Channel
from nightowl.wire.addresses import link

__all__ = ["channels", "mistakes", "notifier_plan", "ping", "telling"]


class Unmade(msgspec.Struct, frozen=True):
    """Stands in for a channel that a plug-in cannot make, so that the others work. ``why`` has no secrets in it."""

    why: str

    def send(self, notice: Notice) -> None:  # noqa: ARG002  # whatever it says
        """Raise ``DeliveryFailed``: a reload may mend it."""
        raise DeliveryFailed(self.why)


def channels(configuration: Configuration) -> dict[str, Channel]:
    """Make every channel."""
    return {name: _made(settings) for name, settings in configuration.channels.items()}


def mistakes(configuration: Configuration) -> Iterator[Mistake]:
    """Yield what keeps channels of plug-ins from being made, which only trying tells."""
    for name, channel in channels(configuration).items():
        if isinstance(channel, Unmade):
            yield Mistake(
                file=configuration.source, key=f"channel.{name}", found=channel.why, allowed="what its plug-in takes"
            )


def telling(configuration: Configuration) -> Telling:
    """Return who is told what, but for what depends on what, which the leader knows."""
    return Telling(
        routes=configuration.routes,
        public_url=link(configuration),
        maintenance=configuration.maintenance,
        clusters={name: cluster.depends_on for name, cluster in configuration.clusters.items()},
    )


def notifier_plan(configuration: Configuration) -> notify.Plan:
    """Return what a notifier needs of a configuration."""
    return notify.Plan(channels=channels(configuration), telling=telling(configuration))


def _made(settings: ChannelSettings) -> Channel:
    try:
        return plugins.channels()[settings.kind](**settings.keywords)
    except Exception as error:  # noqa: BLE001  # a plug-in is anybody's code
        secrets = [value for value in settings.keywords.values() if isinstance(value, str)]
        why = hiding(secrets)(" ".join(str(error).split()))
        return Unmade(f"a channel of the kind {settings.kind} that cannot be made: {type(error).__name__}: {why}")
