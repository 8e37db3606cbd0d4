"""What runs attempts."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Literal, Protocol

from nightowl.core.values import (
    Attempt,
    Policy,
    Target,
)

Transport = Literal["tcp", "udp", "icmp"]


class Connect(Protocol):
    """The guarded way to open a connection: resolves, checks each address against a policy, connects."""

    def __call__(self, host: str, port: int, deadline: float, over: Transport = "tcp") -> socket.socket:
        """Return a connected socket before ``deadline`` (monotonic), else raise the probes' own failure.

        A socket of ``icmp`` is for echo requests, with 0 as the port that the policy is asked for.
        """


class Probe(Protocol):
    """One attempt of one kind: blocking and simple. A down target is a result, never an exception."""

    def __call__(self, target: Target, deadline: float, connect: Connect) -> Attempt:
        """Try ``target`` once, ending before ``deadline`` (monotonic seconds)."""


class Engine(Protocol):
    """Runs many attempts at once on one owner (a thread, or a greenlet of the actor's hub).

    ``submit`` may be called from any thread; ``done`` and ``later``'s function run on the owner and must not block.
    """

    def submit(self, target: Target, policy: Policy, timeout: float, done: Callable[[Attempt], None]) -> None:
        """Start an attempt that ends within ``timeout`` seconds, then call ``done`` with it, always."""

    def later(self, delay: float, function: Callable[[], None]) -> None:
        """Call ``function`` on the owner in ``delay`` seconds (0: as soon as it can)."""

    def start(self) -> None:
        """Start the owner."""

    def stop(self) -> None:
        """End what is under way, and the owner; a stopped engine is not started again."""
