"""What the engine needs of the place where it runs: a loop for its owner, and workers for what blocks."""

from __future__ import annotations

import _socket
from collections.abc import Callable
from typing import Any, Protocol

import pycurl

READ = 1
WRITE = 4
WRONG = 8
HUNG = 16
"""Bits of epoll, which libev's and gevent's bits for reading and writing do not share."""

ACTIONS = tuple(
    (pycurl.CSELECT_IN if events & (READ | HUNG) else 0)
    | (pycurl.CSELECT_OUT if events & WRITE else 0)
    | (pycurl.CSELECT_ERR if events & WRONG else 0)
    for events in range(32)
)
"""From epoll's bits to libcurl's."""

AddressInfo = list[tuple[int, int, int, str, tuple[Any, ...]]]
"""What ``getaddrinfo`` returns."""


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
    """A bounded number of helpers that run blocking jobs beside the owner."""

    def run(self, job: Callable[[], None]) -> None:
        """Run a ``job`` that waits for the network, as soon as a helper is free; returns at once."""

    def compute(self, job: Callable[[], None]) -> None:
        """Run a ``job`` that only computes, on a native thread; returns at once."""

    def resolve(self, host: str, port: int, family: int, seconds: float) -> AddressInfo:
        """``getaddrinfo`` for a stream socket, from within a job.

        Raises:
            TimeoutError: no answer in ``seconds``.
            OSError: ``socket.gaierror`` of the resolver.
        """

    def close(self) -> None:
        """Take no more jobs."""


def stream_addresses(host: str, port: int, family: int) -> AddressInfo:
    """The addresses of a name for a stream socket, in the system's order of preference; blocks."""
    # The module below ``socket`` blocks even where gevent has patched that one: this runs in native threads.
    return _socket.getaddrinfo(host, port, family, _socket.SOCK_STREAM, _socket.IPPROTO_TCP)
