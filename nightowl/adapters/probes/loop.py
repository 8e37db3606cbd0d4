"""What the engine needs of the place where it runs: a loop for its owner, and workers for what blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Loop(Protocol):
    """Watches descriptors for libcurl and sleeps until something happens. Only ``wake`` may come from elsewhere."""

    def watch(self, descriptor: int, what: int) -> None:
        """Wait for ``POLL_IN``, ``POLL_OUT`` or ``POLL_INOUT`` on a descriptor, or forget it: ``POLL_REMOVE``."""

    def wait(self, seconds: float) -> list[tuple[int, int]]:
        """Sleep until a descriptor is ready, ``wake`` is called or the time is over.

        The descriptors that are ready, each with its ``CSELECT_*`` bits.
        """

    def wake(self) -> None:
        """End the sleep of ``wait``, or the next one; from any thread."""

    def close(self) -> None:
        """Give descriptors back."""


class Workers(Protocol):
    """A bounded number of helpers beside the owner; every method takes a job and returns at once."""

    def run(self, job: Callable[[], None]) -> None:
        """Run a job that waits for the network."""

    def compute(self, job: Callable[[], None]) -> None:
        """Run a job that only computes, on a native thread."""

    def look_up(self, job: Callable[[], None]) -> None:
        """Run a job that waits for the resolver, on a native thread."""

    def close(self) -> None:
        """Take no more jobs."""
