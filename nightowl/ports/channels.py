"""Telling people."""

from __future__ import annotations

from typing import Protocol

from nightowl.core.values import (
    Notice,
)


class Channel(Protocol):
    """Somewhere that notices go.

    One whose class says ``groups = True`` may be sent notices with ``others``: a message for all of a group. Any other
    gets a notice for each incident.
    """

    def send(self, notice: Notice) -> str | None:
        """Deliver, or raise ``DeliveryFailed`` (permanent, or with the seconds to wait).

        Returns what went otherwise than meant, though the notice was sent, for the timeline (nothing: all went well).
        """
