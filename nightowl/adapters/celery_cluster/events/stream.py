"""What a way in to a broker's events is: a connection that is subscribed, until it is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from nightowl.adapters.celery_cluster.events.decode import Sieve
from nightowl.core.cluster.events import Gap


class Stream(Protocol):
    """A subscribed connection. One thread uses it. Its methods raise what the driver does once it is lost."""

    @property
    def since(self) -> float:
        """When it was subscribed (Unix seconds)."""

    @property
    def sure(self) -> float:
        """All that was sent between ``since`` and this moment (Unix seconds) has been taken in."""

    def pump(self, sieve: Sieve, seconds: float) -> Gap | None:
        """Give the sieve what has arrived, waiting for the first of it. A gap: the broker threw events away."""

    def close(self) -> None:
        """Give the connection back."""


Connect = Callable[[], Stream]
"""Connects and subscribes, within some seconds. Raises what the driver does."""
